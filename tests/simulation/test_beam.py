"""The beam: its distributions, that an event hangs on (seed, index) alone, and what it refuses."""
import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.showers import incident_energy, reference_point, slopes
from ecalgen.simulation.beam import BEAMS, BadBeam, Beam, engine_seeds, kinematics


def test_the_papers_beam():
    momentum, point = kinematics(BEAMS["5d"], seed=3, first=0, count=20_000)
    momentum, point = momentum.astype(np.float32), (point / 10).astype(np.float32)
    log_energy = np.log(incident_energy(momentum)) / np.log(100)
    assert stats.kstest(log_energy, "uniform").pvalue > 1e-3
    for slope in np.asarray(slopes(momentum)).T:
        assert stats.kstest(slope / 0.175, "norm").pvalue > 1e-3
    for coordinate in np.asarray(reference_point(momentum, point, SHASHLIK)).T:
        assert stats.kstest((coordinate + 1.01) / 2.02, "uniform").pvalue > 1e-3
    assert BEAMS["5d"].track_depth == 10 * SHASHLIK.reference_depth


def test_the_first_event_of_the_public_seed():
    """By hand, from the recipe in words: six uniform numbers of PCG64 seeded with (seed, 1)."""
    u = np.random.default_rng([20180709, 1]).random(6)
    momentum, point = kinematics(Beam(), 20180709, 0, 1)
    radius = 0.175 * np.sqrt(-2 * np.log(1 - u[1]))
    slope = radius * np.array([np.cos(2 * np.pi * u[2]), np.sin(2 * np.pi * u[2])])
    np.testing.assert_allclose(np.linalg.norm(momentum[0]), 100 ** u[0], rtol=1e-12)
    np.testing.assert_allclose(momentum[0, :2] / momentum[0, 2], slope, rtol=1e-12)
    np.testing.assert_allclose(point[0], 20.2 * u[3:5] - 10.1 - 150 * slope, rtol=1e-12)


@given(first=st.integers(0, 500), count=st.integers(1, 40), seed=st.integers(0, 2**40))
def test_events_do_not_depend_on_how_a_sequence_is_cut(first, count, seed):
    whole = kinematics(Beam(), seed, 0, first + count)
    for part, all_ in zip(kinematics(Beam(), seed, first, count), whole, strict=True):
        np.testing.assert_array_equal(part, all_[first:])
    np.testing.assert_array_equal(engine_seeds(seed, first, count), engine_seeds(seed, 0, first + count)[first:])


def test_repetitions_have_other_random_numbers():
    seeds = [engine_seeds(7, 0, 50, repeat) for repeat in range(3)]
    np.testing.assert_array_equal(seeds[0], engine_seeds(7, 0, 50))
    assert len(np.unique(np.concatenate(seeds))) == 150
    np.testing.assert_array_equal(engine_seeds(7, 20, 10, 2), seeds[2][20:30])


def test_fixed_kinematics():
    beam = dataclasses.replace(BEAMS["1d"], energy=(20, 20), slope=(0.1, -0.2), track=(5, 0))
    momentum, point = kinematics(beam, 1, 7, 3)
    np.testing.assert_allclose(momentum[:, :2] / momentum[:, 2:], np.tile([0.1, -0.2], (3, 1)))
    np.testing.assert_allclose(np.linalg.norm(momentum, axis=1), 20)
    np.testing.assert_allclose(point, np.tile([5 - 15, 30], (3, 1)))


def test_the_layered_beam_is_uniform_in_energy():
    momentum, point = kinematics(BEAMS["layered"], 0, 0, 5_000)
    assert stats.kstest(momentum[:, 2], "uniform", args=(2, 498)).pvalue > 1e-3
    assert not momentum[:, :2].any() and not point.any()


@pytest.mark.parametrize("fields, words", [
    (dict(particle="pi+"), r"pi\+.*e-, e\+, gamma"),
    (dict(spectrum="power"), "reciprocal, uniform"),
    (dict(energy=(100, 1)), "lower end first"),
    (dict(energy=(0, 1)), "0.001 GeV"),
    (dict(slope_spread=-1), "slope_spread is -1"),
    (dict(track_spread=float("nan")), "track_spread is nan"),
    (dict(slope_spread=1e30), r"slope_spread is 1e\+30, .*; give at most 0.5"),
    (dict(slope=(0.0, 1e30)), r"slope is .*1e\+30.*; give at most 1"),
    (dict(slope=(float("inf"), 0.0)), "slope is .*inf.*; give at most 1"),
    (dict(track=(5000.0, 0.0)), r"track is .*5000.*; give at most 303"),
    (dict(track_spread=1e6), r"track_spread is 1000000.0, .*; give at most 303"),
    (dict(track_depth=-1e5), r"track_depth is -100000.0, .*; give at most 1000"),
])
def test_beams_that_cannot_be(fields, words):
    with pytest.raises(BadBeam, match=words):
        Beam(**fields)


def test_the_widest_beam_gives_finite_particles():
    momentum, point = kinematics(Beam(slope=(1, -1), slope_spread=0.5, track=(303, 303), track_spread=303,
                                      track_depth=1000), 0, 0, 10_000)
    assert np.isfinite(momentum).all() and np.isfinite(point).all() and (momentum[:, 2] > 0).all()
