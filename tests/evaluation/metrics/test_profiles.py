"""Profiles along and across the track by hand, and their ratios."""
import numpy as np
import pytest

from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.profiles import EDGES, profile_ratios, profiles


def test_a_cell_beside_the_track_by_hand():
    """10 GeV along y; 50 MeV lie 2 cells ahead and 0.5 to the right of the track, which is -0.5 along t."""
    energy = np.zeros((1, 30, 30), np.float32)
    energy[0, 15, 17] = 50
    slope = 0.1
    momentum = 10 * np.array([[0, slope, 1]]) / np.hypot(slope, 1)
    result = profiles(Showers(energy, momentum, np.array([[0, 0.6 * 2.02 - 15 * slope]])))
    middle = (EDGES[:-1] + EDGES[1:]) / 2
    assert result["along"].shape == result["across"].shape == (1, 14)
    np.testing.assert_allclose(result["along"][0, 1:-1], 5 * (middle == 1.5), atol=1e-5)
    np.testing.assert_allclose(result["across"][0, 1:-1], 5 * (middle == -0.5), atol=1e-5)


def test_profiles_hold_all_the_energy(showers):
    result = profiles(showers[:50])
    expected = showers.energy[:50].sum((1, 2)) / np.linalg.norm(showers.momentum[:50], axis=1)
    for values in result.values():
        np.testing.assert_allclose(values.sum(axis=1), expected, rtol=1e-5)


def test_ratios_of_brighter_showers(showers):
    brighter = Showers(1.5 * showers.energy[:150], showers.momentum[:150], showers.point[:150])
    result = profile_ratios(showers[:150], brighter, showers[200:350], bootstrap=50)
    for axis in ("along", "across"):
        np.testing.assert_allclose(result[axis]["ratio"], 1.5, rtol=1e-5)
        low, high = np.array(result[axis]["reference_ratio_interval"]).T
        assert 0.5 < np.mean((low < 1) & (1 < high))
        assert (low < result[axis]["reference_ratio"]).mean() > 0.9 and (high - low > 0.01).all()


def test_nothing_to_divide_by(showers):
    dark = Showers(0 * showers.energy[:20], showers.momentum[:20], showers.point[:20])
    assert profile_ratios(dark, showers[:20], dark, bootstrap=2)["along"]["ratio"] == [None] * 14
    assert profile_ratios(showers[:20], dark, dark, bootstrap=2)["along"]["ratio"] == pytest.approx([0] * 14)
