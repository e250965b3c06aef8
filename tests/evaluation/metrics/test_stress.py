"""Neighbourhoods of fixed particles: which showers belong to them, and how wide they are."""
import json

import numpy as np
import pytest

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.files.formats import load_showers
from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.features import condition_columns
from ecalgen.evaluation.metrics.stress import POINTS, Point, coordinates, stress_points


def test_a_point_and_a_shower_of_its_particle_agree(showers):
    """5 GeV at 45 degrees, entering at (-14, 0.5) cm, is at (1, 0.5) cm 15 cm deep."""
    momentum = np.array([[5 / np.sqrt(2), 0, 5 / np.sqrt(2)]])
    columns = condition_columns(Showers(showers.energy[:1], momentum, np.array([[-14, 0.5]])))
    expected = [[np.log(5), 1, 0, 1, 0.5]]
    np.testing.assert_allclose(np.hstack(list(columns.values())), expected, atol=1e-6)
    np.testing.assert_allclose(coordinates(Point(5, 45, (1, 0.5))), expected, atol=1e-12)


def test_neighbours_and_their_extent(showers):
    result = stress_points(showers[:200], Showers(1.2 * showers.energy[:200], showers.momentum[:200],
                                                  showers.point[:200]), showers[200:], bootstrap=20)
    assert result["neighbours"] == 20 and len(result["points"]) == len(POINTS)
    places = np.hstack(list(condition_columns(showers[:200]).values()))
    for point, entry in zip(POINTS, result["points"], strict=True):
        place = coordinates(point)
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
