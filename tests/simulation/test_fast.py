"""Generated showers inside Geant4: what reaches the generator, which cells are hit, and what stays with Geant4."""
import numpy as np
import pytest
from fast_application import fire
from real_geant4 import needs_geant4

from ecalgen.simulation.acceptance import event_seed
from ecalgen.simulation.fast import Statistics

IN_FRONT = -20.0
"""mm, where particles start."""
CELLS = np.arange(1.0, 901).reshape(30, 30)
"""MeV for a GeV, of the recording sampler."""


def at(x, y, slope=(0.0, 0.0)):
    """(start, direction) of a particle that enters at a point in mm with a slope."""
    return (x + IN_FRONT * slope[0], y + IN_FRONT * slope[1], IN_FRONT), (*slope, 1.0)


@needs_geant4
def test_particles_of_the_range_are_replaced_in_their_own_hall_and_cells():
    """One run of two events, and the first event again in a second run."""
    first = [("e-", 10.0, 0, *at(-10.0, 5.0, (0.1, -0.05))), ("e+", 20.0, 0, *at(5.0 + 4 * 20.2, -7.0)),
             ("e-", 40.0, 1, *at(-1.0, 6.0))]
    second = [("e-", 30.0, 1, *at(0.0, 9.0))]
    energy, calls, statistics, text = fire([[first, second], [first]])
    assert [len(call[0]) for call in calls] == [3, 1, 3]  # one call for an event
    order = np.argsort(np.linalg.norm(calls[0][0], axis=1))  # Geant4 tracks the last particle first
    momentum, point = (column[order] for column in calls[0][:2])
    along = np.array([[0.1, -0.05, 1], [0, 0, 1], [0, 0, 1]])
    expected = np.array([[10.0005], [20.0005], [40.0005]]) * along / np.linalg.norm(along, axis=1, keepdims=True)
    np.testing.assert_allclose(momentum, expected, rtol=2e-3, atol=2e-3)  # a little is lost and scattered in the air
    np.testing.assert_allclose(point, [[-1.0, 0.5], [0.5, -0.7], [-0.1, 0.6]], atol=2e-3)
    numbers = (0, 0), (0, 1), (1, 0)
    assert [call[2] for call in calls] == [event_seed(3, *each, "Calorimeter") for each in numbers]
    np.testing.assert_array_equal(energy[0], energy[2])  # this sampler does not use the seed
    incident = np.linalg.norm(momentum, axis=1)
    moved = np.zeros((30, 30))
    moved[4:] = CELLS[:-4]
    np.testing.assert_allclose(energy[0], [incident[0] * CELLS + incident[1] * moved, incident[2] * CELLS], rtol=1e-6)
    np.testing.assert_allclose(energy[1, 1], np.linalg.norm(calls[1][0]) * CELLS, rtol=1e-6)
    assert not energy[1, 0].any()
    assert (statistics["events"], statistics["replaced"], statistics["left"]) == (3, 7, {})
    assert statistics["energy"] == pytest.approx(170, rel=1e-3) and statistics["full_events"] == 0
    assert text.startswith("3 events, 7 particles replaced, of 170 GeV in all\nleft to Geant4: none\nseconds: ")


@needs_geant4
def test_everything_else_stays_with_geant4():
    """A photon, an electron of too little energy and a steep one; and a muon that leaves through the front."""
    left = [("gamma", 2.0, 0, *at(0, 0)), ("e-", 0.5, 0, *at(0, 0)), ("e-", 2.0, 1, *at(-150, 0, (1.0, 0)))]
    out = [("mu-", 20.0, 0, (0.0, 0.0, 900.0), (0.0, 0.0, -1.0))]
    energy, calls, statistics, text = fire([[left, out]])
    assert not calls and statistics["replaced"] == 0
    assert statistics["left"] == {"kind": 1, "energy": 1, "direction": 1}
    assert 0.1 < energy[0, 0].sum() / 2500 < 0.25 and 0.05 < energy[0, 1].sum() / 2000 < 0.25  # 17 % is visible
    assert energy[1].sum() > 10
    assert "left to Geant4: 1 for their direction, 1 for their energy, 1 for their kind" in text


@needs_geant4
def test_switched_off_it_measures_the_full_simulation():
    energy, calls, statistics, text = fire([[[("e-", 5.0, 0, *at(0, 0))]]], active=False)
    assert not calls and 0.1 < energy[0, 0].sum() / 5000 < 0.25
    assert (statistics["events"], statistics["full_events"]) == (0, 1)
    assert statistics["full_energy"] == pytest.approx(5, rel=1e-2) and statistics["full_seconds"] > 0


@needs_geant4
def test_cells_without_a_sensitive_detector_are_named():
    message = fire([[[("e-", 5.0, 0, *at(0, 0))]]], scored=False)
    assert "x = -29.29 cm, y = -29.29 cm has no sensitive volume from 0 to 39.6 cm of depth" in message


def test_the_time_of_a_full_simulation_is_in_proportion_to_the_energy():
    counts = Statistics(events=2, replaced=10, energy=300.0, full_events=4, full_energy=100.0, full_seconds=2.0)
    assert counts.in_full == 6.0 and "in full simulation: about 6.0 s, from 4 such events" in str(counts)
    assert np.isnan(Statistics(energy=1.0).in_full)
