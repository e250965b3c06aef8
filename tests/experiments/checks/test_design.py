"""The design by gradients: its functions by hand, and the whole of it with a generator that is trained for a moment."""
import dataclasses
import json

import numpy as np
import pytest
from real_geant4 import DATA, needs_geant4

from ecalgen.data.grid import Grid
from ecalgen.data.showers import Showers
from examples import design as example
from experiments.checks import design
from experiments.tables import common
from experiments.tables import design as tables


def test_columns_cover_the_face():
    bounds = np.asarray(example.edges(3.0))
    np.testing.assert_allclose(bounds[4:13], np.arange(-12, 13, 3.0))
    np.testing.assert_allclose(np.diff(bounds)[[0, 3, 12, 15]], 5.0)
    assert bounds[0] == -32 and bounds[-1] == 32 and len(bounds) == 17


def needles(count=4000):
    """Showers with all their energy in the fine column that the particle hits."""
    random = np.random.default_rng(1)
    track = random.uniform(-1, 1, count)
    energy = np.zeros((count, 40, 1), np.float32)
    energy[np.arange(count), np.floor(track / 0.1).astype(int) + 20] = 1000
    return Showers(energy, np.tile([0, 0, 10.0], (count, 1)), np.column_stack([track, np.zeros(count)]),
                   grid=Grid((40, 1), (0.1, 4.0), 15.0))


def test_a_needle_is_found_at_the_centre_of_its_column(monkeypatch):
    """So the resolution is the width over sqrt(12), weighted by the particles of each width."""
    monkeypatch.setattr(example, "NOISE", 0.0)
    showers = needles()
    _, _, position = example.place(showers, 0)
    found, _ = example.objective(showers, 0)((3.0, 4.0))
    inner = np.mean(np.abs(position) < 12)
    assert inner == pytest.approx((1 - np.exp(-3)) / (1 - np.exp(-7)), abs=0.01)
    assert found == pytest.approx(np.sqrt((inner * 9 + (1 - inner) * 25) / 12), rel=0.05)


def test_the_gradient_is_that_of_differences(showers):
    columns = dataclasses.replace(showers, energy=showers.energy)
    function, step = example.objective(columns, 0), 0.01
    _, gradient = function((3.1, 4.2))
    for index, direction in enumerate(np.eye(2)):
        plus, minus = (function(np.array([3.1, 4.2]) + sign * step * direction)[0] for sign in (1, -1))
        assert gradient[index] == pytest.approx((plus - minus) / (2 * step), rel=0.1)


def test_a_parabola_has_its_minimum_where_it_is():
    function = lambda x: (float((x[0] - 2.7) ** 2 + (x[1] - 5) ** 2 + 1), np.array([2 * (x[0] - 2.7), 2 * (x[1] - 5)]))
    np.testing.assert_allclose(example.best(function).x, [2.7, 5], atol=1e-4)
    assert example.best_threshold(function, 3.7) == pytest.approx(2)


def test_columns_of_10_mm_hold_the_same_energy(showers):
    wide = design.merged(showers)
    assert wide.grid.shape == (15, 30) and wide.grid.pitch == (4.04, 2.02)
    np.testing.assert_allclose(wide.energy[:, 3], showers.energy[:, 6:8].sum(1), rtol=1e-5)


@needs_geant4
@pytest.mark.slow
def test_it_runs_to_its_table(tmp_path, monkeypatch):
    if DATA:
        monkeypatch.setenv("GEANT4_DATA_DIR", str(DATA))
    monkeypatch.setattr(example, "BEAM", dataclasses.replace(example.BEAM, energy=(0.5, 1.0)))
    path = tmp_path / "design.json"
    design.main(["--events=1100", "--check=20", "--seeds=0", "--preset=test", "--resamples=2",
                 f"--workdir={tmp_path / 'work'}", f"--results={path}"])
    run = json.loads(path.read_text())["runs"][0]
    assert 2 <= run["generator"]["inner"] <= 4 and run["geant4"]["resolution"] > 0
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    assert "| best inner width, mm |" in tables.design()
