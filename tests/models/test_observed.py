"""Observables for networks: the very ones, with a gradient."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.observables import observables
from ecalgen.data.showers import reference_point
from ecalgen.models import observed


@pytest.fixture(scope="module")
def columns(showers):
    return np.asarray(observed.seen_observables(showers.energy, showers.momentum, showers.point, SHASHLIK))


def test_seen_observables_are_the_observables(showers, columns):
    """The same columns, sparsities last."""
    hard = observables(showers.energy, showers.momentum, showers.point)
    np.testing.assert_allclose(columns[:, 0], hard["longitudinal_asymmetry"], atol=1e-6)
    np.testing.assert_allclose(columns[:, 6:10], hard["ring_energies"] / showers.energy.sum((1, 2))[:, None], rtol=1e-4)
    np.testing.assert_allclose(columns[:, 10], hard["visible_fraction"], rtol=1e-5)
    np.testing.assert_allclose(columns[:, 11:], hard["sparsity"], atol=1.5 / 900)  # a cell at the very threshold
    assert np.mean(np.abs(columns[:, 11:] - hard["sparsity"]) < 1e-6) > 0.999


def test_a_new_observable_does_not_join_what_trained_networks_see(showers, columns, monkeypatch):
    """The whitening of shipped models has 31 columns."""
    assert columns.shape[1] == 31
    monkeypatch.setitem(observed.OBSERVABLES, "new", lambda energy, momentum, point, grid: energy[:, 0, 0])
    monkeypatch.setattr(observed, "OBSERVABLES", dict(reversed(observed.OBSERVABLES.items())))
    again = observed.seen_observables(showers.energy, showers.momentum, showers.point, SHASHLIK)
    np.testing.assert_array_equal(again, columns)


def test_a_count_by_hand():
    """1 from the threshold on, 0 below; its gradient is that of u^2 / (1 + u^2), 2 u / (1 + u^2)^2."""
    u = jnp.array([0.0, 0.5, 1.0, 2.0])
    np.testing.assert_allclose(observed.counted(u), [0, 0, 1, 1], atol=1e-7)
    slopes = jax.vmap(jax.grad(observed.counted))(u)
    np.testing.assert_allclose(slopes, [0, 1 / 1.25**2, 0.5, 4 / 25], rtol=1e-6)


def test_rings_count_lit_cells_and_pairs(showers):
    """By loops over the cells of some showers; the counts of real showers do not depend on the smallest energies."""
    few = showers[:3]
    found = np.asarray(observed.seen_rings(few.energy, few.momentum, few.point, SHASHLIK)).reshape(3, 13, 6)
    track = np.asarray(reference_point(few.momentum, few.point, SHASHLIK)) / 2.02
    for cells, (x, y), sums in zip(few.energy, track, found, strict=True):
        wanted = np.zeros((13, 6))
        for ix in range(30):
            for iy in range(30):
                ring = np.searchsorted(observed.RADII, np.hypot(ix - 14.5 - x, iy - 14.5 - y), side="right") - 1
                log = np.log1p(cells / 0.1)
                at = lambda values, i, j: values[i, j] if 0 <= i < 30 and 0 <= j < 30 else 0
                lit = cells >= observed.LIT
                wanted[:3, ring] += lit[ix, iy], log[ix, iy], log[ix, iy] ** 2
                wanted[3:9, ring] += [cells[ix, iy] >= level for level in observed.LEVELS]
                for row, values in ((9, lit), (11, log)):
                    wanted[row, ring] += values[ix, iy] * (at(values, ix + 1, iy) + at(values, ix, iy + 1) * 1.0)
                    wanted[row + 1, ring] += values[ix, iy] * (
                        at(values, ix + 1, iy + 1) + at(values, ix + 1, iy - 1) * 1.0)
        np.testing.assert_allclose(sums, wanted, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("seen", [observed.seen_observables, observed.seen_rings])
def test_gradients_of_silent_showers_are_finite(seen):
    particle = jnp.array([[0.0, 0, 5]]), jnp.zeros((1, 2))
    gradient = jax.grad(lambda e: seen(e, *particle, SHASHLIK).sum())
    assert np.isfinite(gradient(jnp.zeros((1, 30, 30)))).all()
