"""Neighbourhoods of fixed conditions: who belongs to them and how wide they are."""
import json

import numpy as np
import pytest

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.formats import load_showers
from ecalgen.data.showers import Showers
from ecalgen.evaluation.stress import POINTS, Point, coordinates, particle, stress_points


def test_a_particle_by_hand():
    """5 GeV at 45 degrees reaches x0 = 1 cm 15 cm deep from -14 cm on the face."""
    momentum, point = particle(Point(5, 45, (1, 0.5)))
    np.testing.assert_allclose(momentum, [[5 / np.sqrt(2), 0, 5 / np.sqrt(2)]])
    np.testing.assert_allclose(point, [[-14, 0.5]])
    np.testing.assert_allclose(coordinates(momentum, point), [[np.log(5), 1, 0, 1, 0.5]], atol=1e-6)


def test_neighbours_and_their_extent(showers):
    result = stress_points(showers[:200], Showers(1.2 * showers.energy[:200], showers.momentum[:200],
                                                  showers.point[:200]), showers[200:], bootstrap=20)
    assert result["neighbours"] == 20 and len(result["points"]) == len(POINTS)
    places = coordinates(showers.momentum[:200], showers.point[:200])
    for point, entry in zip(POINTS, result["points"], strict=True):
        place = coordinates(*particle(point))
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
