"""Copies are found, other real showers are not taken for copies, distances are those of scikit-learn."""
import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from ecalgen.data.showers import Showers
from ecalgen.evaluation import memorisation as module
from ecalgen.evaluation.memorisation import memorisation, nearest_distances


def test_distances_are_those_of_scikit_learn(showers, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 30)
    shapes = np.sqrt(showers.energy / showers.energy.sum((1, 2), keepdims=True)).reshape(len(showers), -1)
    expected = NearestNeighbors(n_neighbors=1).fit(shapes[100:]).kneighbors(shapes[:100])[0][:, 0]
    np.testing.assert_allclose(nearest_distances(showers[:100], showers[100:]), expected, atol=1e-3)


def test_other_real_showers_are_no_copies(showers):
    result = memorisation(showers[:150], showers[150:300], showers[300:])
    assert result["interval"][0] <= 0.01 and result["share"] < 0.06
    assert result["real_median"] == pytest.approx(result["generated_median"], rel=0.1)


def test_copies_are_found_even_when_scaled(showers):
    """A fifth of the generated showers are training showers, half as bright."""
    copies = Showers(0.5 * showers.energy[300:330], showers.momentum[300:330], showers.point[300:330])
    mixed = Showers(*(np.concatenate([getattr(copies, field), getattr(showers[150:270], field)])
                      for field in ("energy", "momentum", "point")))
    result = memorisation(showers[:150], mixed, showers[300:])
    assert result["share"] == pytest.approx(0.2, abs=0.05)
    assert result["interval"][0] > 0.1 and result["training_showers"] == 100


def test_showers_without_energy_are_far_from_all(showers):
    dark = Showers(0 * showers.energy[:5], showers.momentum[:5], showers.point[:5])
    np.testing.assert_allclose(nearest_distances(dark, showers[5:]), np.sqrt(2))
