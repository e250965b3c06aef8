"""The library answers with the shower that it should, scaled, moved and turned as it should."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import shift as scipy_shift
from scipy.spatial import cKDTree

from ecalgen.data.grid import OLD, SHASHLIK
from ecalgen.data.octant import fold, fold_cells
from ecalgen.data.showers import incident_energy
from ecalgen.models import library
from ecalgen.models.particle import incident_vector


def stored(showers, octant=False):
    energy = fold_cells(showers.energy, showers.momentum, SHASHLIK) if octant else showers.energy
    momentum, point = fold(showers.momentum, showers.point, SHASHLIK) if octant else (showers.momentum, showers.point)
    return {"params": {"energy": jnp.asarray(energy, jnp.float16), "momentum": jnp.asarray(momentum),
                       "point": jnp.asarray(point)}}


@pytest.fixture(scope="module")
def known(showers):
    return showers[:200]


@pytest.mark.parametrize("octant", [False, True])
def test_a_stored_particle_gets_its_own_shower_back(known, octant):
    generator = library.ShowerLibrary(200, octant=octant)
    answered = generator.apply(stored(known, octant), jnp.zeros(200), known.momentum, known.point)
    np.testing.assert_allclose(answered, known.energy, rtol=2e-3, atol=1e-4)  # stored in half precision


def test_the_nearest_is_that_of_a_tree(showers, known):
    asked = showers[200:]
    scales = np.array((0.5, 1, 1, 1, 1))
    place = lambda s: np.asarray(incident_vector(s.momentum, s.point, OLD))[:, :5] * scales
    nearest = cKDTree(place(known)).query(place(asked))[1]
    found = library.distances(asked.momentum, asked.point, known.momentum, known.point, scales, OLD).argmin(axis=1)
    assert np.mean(np.asarray(found) == nearest) > 0.99  # but for ties of rounding
    generator = library.ShowerLibrary(200, octant=False)
    answered = generator.apply(stored(known), jnp.zeros(len(asked)), asked.momentum, asked.point)
    share = lambda energy, momentum: np.asarray(energy).sum((1, 2)) / np.asarray(incident_energy(momentum))
    np.testing.assert_allclose(share(answered, asked.momentum), share(known.energy, known.momentum)[found], rtol=1e-2)


def test_neighbours_are_drawn_evenly(showers, known):
    generator = library.ShowerLibrary(200, neighbours=4, octant=False)
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 400))
    particle = [np.repeat(array[200:201], 400, axis=0) for array in (showers.momentum, showers.point)]
    answered = np.asarray(generator.apply(stored(known), noise, *particle))
    counts = np.unique(answered, axis=0, return_counts=True)[1]
    assert len(counts) == 4 and counts.min() > 60  # of 100 expected


def test_moved_as_by_scipy():
    rng = np.random.default_rng(0)
    cells, offset = rng.gamma(1, size=(5, 30, 30)).astype("f4"), rng.uniform(-1, 1, (5, 2)).astype("f4")
    ours = np.asarray(library.moved(cells, offset))
    theirs = [scipy_shift(shower, by, order=1, mode="grid-constant") for shower, by in zip(cells, offset, strict=True)]
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_shifted_showers_follow_the_track(showers, known):
    """The mean of |<x> - x0| over showers falls when they are moved to the track."""
    asked = showers[200:]
    centre = lambda energy: (np.asarray(energy).sum(2) @ (np.arange(30) - 14.5)) / np.asarray(energy).sum((1, 2))
    track = (asked.point[:, 0] + 15 * asked.momentum[:, 0] / asked.momentum[:, 2]) / 2.02
    off = [np.abs(centre(library.ShowerLibrary(200, shift=shift).apply(
        stored(known, True), jnp.zeros(len(asked)), asked.momentum, asked.point)) - track).mean()
        for shift in (False, True)]
    assert off[1] < off[0]
