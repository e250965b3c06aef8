"""Linearity and resolution of showers whose response is known."""
import numpy as np
import pytest

from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.response import moments, octaves, responses, visible_fractions


def test_octaves_cover_the_energies():
    assert octaves(np.array([1.0, 5, 9])) == [(1, 2), (2, 4), (4, 8), (8, 16)]
    assert octaves(np.array([20.0, 20])) == [(16, 32)]
    assert octaves(np.array([0.3, 0.6])) == [(0.25, 0.5), (0.5, 1)]


def test_moments_of_a_normal_distribution():
    """Errors of mean and deviation: 3 / sqrt(4000), and 3 / sqrt(8000), over the mean."""
    result = moments(np.random.default_rng(0).normal(10, 3, 4000))
    for name, value, error in (("mean", 10, 3 / np.sqrt(4000)), ("resolution", 0.3, 0.3 / np.sqrt(8000))):
        assert result[name] == pytest.approx(value, abs=3 * error)
        assert np.ptp(result[f"{name}_interval"]) == pytest.approx(2 * 1.96 * error, rel=0.25)
    assert moments(np.zeros(5))["resolution"] == 0


def test_a_response_that_falls_with_energy(showers):
    """Cells scaled so that S is E / (1 + E / 50), on showers of a visible fraction of exactly one."""
    energy = np.linalg.norm(showers.momentum, axis=1)
    scale = lambda factor: Showers(showers.energy * (factor / visible_fractions(showers)).astype("f4")[:, None, None],
                                   showers.momentum, showers.point)
    result = responses(scale(1 + 0 * energy), scale(1 / (1 + energy / 50)), scale(1 + 0 * energy), bootstrap=10)
    assert [entry["low"] for entry in result["bins"]] == [1, 2, 4, 8, 16, 32, 64]
    for entry in result["bins"]:
        inside = (energy >= entry["low"]) & (energy < entry["high"])
        assert entry["real"]["showers"] == inside.sum()
        assert (entry["real"]["mean"], entry["real"]["resolution"]) == (pytest.approx(1), pytest.approx(0, abs=1e-5))
        assert entry["generated"]["mean"] == pytest.approx((1 / (1 + energy[inside] / 50)).mean(), rel=1e-5)


def test_nearly_empty_bins_are_left_out(showers):
    assert all(entry[name]["showers"] >= 20 for entry in responses(*[showers[:100]] * 3, bootstrap=2)["bins"]
               for name in ("real", "generated", "reference"))
    assert responses(*[showers[:10]] * 3, bootstrap=2)["bins"] == []
