"""Copies are found, other real showers are not taken for copies, and distances agree with scikit-learn."""
import jax
import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics import memorisation as module
from ecalgen.evaluation.metrics.memorisation import memorisation, nearest_distances
from ecalgen.models.library import ShowerLibrary, fill


def in_octant(energy, momentum):
    """One shower at a time: mirrored until px and py are positive, then turned until px is the larger one."""
    for axis in (0, 1):
        energy = np.flip(energy, axis) if momentum[axis] < 0 else energy
    return energy.T if abs(momentum[1]) > abs(momentum[0]) else energy


def of(showers, energy, momentum=None):
    return Showers(energy, showers.momentum if momentum is None else momentum, showers.point)


def test_distances_are_those_of_scikit_learn(showers, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 30)
    monkeypatch.setattr(module, "TRAINING_CHUNK", 70)
    folded = np.array([in_octant(*pair) for pair in zip(showers.energy, showers.momentum, strict=True)])
    shapes = np.sqrt(folded / folded.sum((1, 2), keepdims=True)).reshape(len(showers), -1)
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


def test_mirrored_and_turned_copies_are_found(showers):
    """The eight symmetries of the calorimeter, each of cells and momentum together."""
    training = showers[300:350]
    for flip in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
        energy = training.energy[:, ::flip[0], ::flip[1]]
        momentum = training.momentum * [*flip, 1]
        turned = of(training, energy.swapaxes(1, 2), momentum[:, [1, 0, 2]])
        for copies in (of(training, energy, momentum), turned):
            np.testing.assert_allclose(nearest_distances(copies, training), 0, atol=2e-3)


def test_a_library_of_the_octant_is_found_out(showers):
    """A library answers particles of every octant with copies, nearly all of them turned or mirrored."""
    known, asked = showers[:300], showers[300:]
    library = ShowerLibrary(len(known), octant=True)
    answer = jax.jit(lambda momentum, point: library.apply(
        {"params": fill(library, known.energy, known.momentum, known.point)}, np.zeros(len(asked)), momentum, point))
    generated = of(asked, np.asarray(answer(asked.momentum, asked.point)))
    assert memorisation(asked, generated, known, bootstrap=20)["share"] > 0.99
    assert memorisation(asked, generated, known[:30], bootstrap=20)["share"] < 0.3  # of a tenth, it finds a tenth
