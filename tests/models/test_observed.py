"""Observables for networks: the very ones, with a gradient."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.observables import observables
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


def test_gradients_of_silent_showers_are_finite():
    particle = jnp.array([[0.0, 0, 5]]), jnp.zeros((1, 2))
    gradient = jax.grad(lambda e: observed.seen_observables(e, *particle, SHASHLIK).sum())
    assert np.isfinite(gradient(jnp.zeros((1, 30, 30)))).all()
