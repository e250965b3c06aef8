"""Neighbourhoods of fixed particles: which showers belong to them, and how wide they are."""
import json

import numpy as np
import pytest

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.files.formats import load_showers
from ecalgen.data.grid import SHASHLIK, Grid
from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.features import condition_columns
from ecalgen.evaluation.metrics.stress import POINTS, Point, coordinates, stress_points


def test_a_point_and_a_shower_of_its_particle_agree(showers):
    """5 GeV at 45 degrees, entering at (-13.99, 0.505) cm, is at (1.01, 0.505) cm in the plane 15 cm deep."""
    momentum = np.array([[5 / np.sqrt(2), 0, 5 / np.sqrt(2)]])
    columns = condition_columns(Showers(showers.energy[:1], momentum, np.array([[-13.99, 0.505]])))
    expected = [[np.log(5), 1, 0, 1.01, 0.505]]
    np.testing.assert_allclose(np.hstack(list(columns.values())), expected, atol=1e-6)
    np.testing.assert_allclose(coordinates(Point(5, 45, (0.5, 0.25)), SHASHLIK), expected, atol=1e-12)


@pytest.mark.parametrize("grid, track", [
    (Grid((15, 10), (4.0, 2.0), 15.0), [2.0, 0.9]), (Grid((5, 5, 5), (0.5, 0.5, 0.3), 2.0), [0.25, 0.475]),
    (Grid((8, 3, 6), (1.0, 1.0, 1.16), 2.75, radii=(0.0, 0.8, 3.0, 8.0)), None)])
def test_a_point_lies_at_a_corner_of_the_cells_of_any_grid(grid, track):
    """Of an odd number of cells half a cell from the middle; rings have their corner in the middle."""
    expected = [0, 0.45 * grid.unit] if grid.radii else track
    np.testing.assert_allclose(coordinates(Point(1, 0, (0, 0.45)), grid), [[0, 0, 0, *expected]], atol=1e-12)


def test_neighbours_and_their_extent(showers):
    result = stress_points(showers[:200], Showers(1.2 * showers.energy[:200], showers.momentum[:200],
                                                  showers.point[:200]), showers[200:], bootstrap=20)
    assert result["neighbours"] == 20 and len(result["points"]) == len(POINTS)
    places = np.hstack(list(condition_columns(showers[:200]).values()))
    for point, entry in zip(POINTS, result["points"], strict=True):
        place = coordinates(point, SHASHLIK)
        assert entry["track_cm"] == place[0, 3:].tolist()
        distance = np.sort((((places - place) / places.std(axis=0)) ** 2).sum(axis=1))
        assert entry["radius"] == pytest.approx(np.sqrt(distance[19]), rel=1e-5)
        low, high = entry["energies_gev"]
        assert low < point.energy_gev < high and 0 < entry["track_distances_cm"] < 3
        assert entry["generated"]["visible_fraction"]["mean"] == pytest.approx(
            1.2 * entry["real"]["visible_fraction"]["mean"], rel=1e-5)
        widths = [entry[name]["transverse_width"]["mean_interval"] for name in ("real", "generated")]
        assert widths[0] == pytest.approx(widths[1], rel=1e-4)
    assert json.loads(json.dumps(result)) == result


def test_points_outside_the_beam_are_left_out():
    """The 1D sample has one direction and one point only."""
    showers = load_showers(sample_path("electron_1d"))[:100]
    points = stress_points(*[showers] * 3, bootstrap=2)["points"]
    assert [(entry["energy_gev"], entry["angle_degrees"]) for entry in points] == [(2, 0), (10, 0), (50, 0)]
    assert points[1]["angles_degrees"] == 0 and points[1]["energies_gev"][1] < 25
