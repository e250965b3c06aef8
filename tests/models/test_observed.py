"""Observables for networks: the very ones, with a gradient, and white where they were fitted."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.files.formats import load_showers
from ecalgen.data.observables import observables
from ecalgen.models import observed


@pytest.fixture(scope="module")
def columns(showers):
    return np.asarray(observed.seen_observables(showers.energy, showers.momentum, showers.point))


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
    monkeypatch.setitem(observed.OBSERVABLES, "new", lambda energy, momentum, point: energy[:, 0, 0])
    monkeypatch.setattr(observed, "OBSERVABLES", dict(reversed(observed.OBSERVABLES.items())))
    again = observed.seen_observables(showers.energy, showers.momentum, showers.point)
    np.testing.assert_array_equal(again, columns)


def test_a_count_by_hand():
    """1 from the threshold on, 0 below; its gradient is that of u^2 / (1 + u^2), 2 u / (1 + u^2)^2."""
    u = jnp.array([0.0, 0.5, 1.0, 2.0])
    np.testing.assert_allclose(observed.counted(u), [0, 0, 1, 1], atol=1e-7)
    slopes = jax.vmap(jax.grad(observed.counted))(u)
    np.testing.assert_allclose(slopes, [0, 1 / 1.25**2, 0.5, 4 / 25], rtol=1e-6)


def test_gradients_of_silent_showers_are_finite():
    gradient = jax.grad(lambda e: observed.seen_observables(e, jnp.array([[0.0, 0, 5]]), jnp.zeros((1, 2))).sum())
    assert np.isfinite(gradient(jnp.zeros((1, 30, 30)))).all()


def test_polynomial_by_hand():
    np.testing.assert_allclose(observed.polynomial(jnp.array([[2.0, 3.0]]), 2), [[1, 2, 3, 4, 6, 9]])
    assert observed.polynomial(jnp.ones((1, 5)), 4).shape == (1, 126)


def test_expansion_by_hand():
    terms = observed.expansion(jnp.array([[2.0, 0, 0, 0, 0, 3, 5]]), 1)
    np.testing.assert_allclose(terms, [[1, 2, 0, 0, 0, 0, 3, 5]])
    assert observed.expansion(jnp.ones((1, 7)), 4).shape == (1, 126 + 2 * 56)


def test_the_direction_is_of_length_one_at_normal_incidence():
    slope = jnp.array([[0.0, 0.0], [1e-5, 0.0], [0.03, 0.04]])
    np.testing.assert_allclose(observed.azimuth(slope), [[1, 0], [1, 0], [0.6, 0.8]], atol=0.006)


def test_the_direction_is_continuous_and_along_the_slope_but_at_normal_incidence():
    """Nowhere near length zero on the way to the normal, and slopes of a per cent have their own direction."""
    size = np.linspace(0, 0.02, 401)
    for x, y in [(1, 0), (0.6, 0.8), (0, 1), (0, -1)]:
        direction = np.asarray(observed.azimuth(jnp.array(np.outer(size, [x, y]))))
        assert np.linalg.norm(direction, axis=1).min() > 0.9
        assert np.linalg.norm(np.diff(direction, axis=0), axis=1).max() < 0.05
        np.testing.assert_allclose(direction[size >= 0.01], np.tile([x, y], (201, 1)), atol=0.006)


def test_incident_vector_by_hand():
    """E = 10 GeV, a slope of 0.175 along x, and the track through (0.583, 0) cm at 15 cm depth."""
    pz = 10 / np.sqrt(1 + 0.175**2)
    vector = observed.incident_vector(jnp.array([[0.175 * pz, 0, pz]]), jnp.array([[0.583 - 15 * 0.175, 0]]))
    np.testing.assert_allclose(vector, [[0, 1, 0, 1, 0, 1, 0]], atol=1e-3)


def test_whitened_where_it_was_fitted():
    """Mean 0 and deviation 1 given the particle, and uncorrelated."""
    showers = load_showers(sample_path("electron_5d"))[:2000]
    columns = observed.seen_observables(showers.energy, showers.momentum, showers.point)
    params = observed.fit_whitening(showers.energy, showers.momentum, showers.point)
    given = observed.incident_vector(showers.momentum, showers.point)
    white = np.asarray(observed.Whitening().apply({"params": params}, columns, given))
    resolved = white.std(axis=0) > 0.9
    assert resolved.sum() > 15
    np.testing.assert_allclose(white[:, resolved].mean(axis=0), 0, atol=0.15)
    correlation = np.corrcoef(white[:, resolved].T)
    assert np.abs(correlation - np.eye(len(correlation))).max() < 0.35


def test_an_outlier_keeps_a_gradient():
    """Twenty deviations look like 6 asinh(20 / 6) = 11.5, with the slope 1 / sqrt(1 + (20 / 6)^2)."""
    params = {"mean": jnp.zeros((238, 1)), "log_std": jnp.zeros((33, 1)), "rotation": jnp.ones((1, 1))}
    apply = lambda value: observed.Whitening().apply({"params": params}, jnp.full((1, 1), value), jnp.zeros((1, 7)))
    white = lambda value: apply(value)[0, 0]
    assert float(white(20.0)) == pytest.approx(6 * np.arcsinh(20 / 6), rel=1e-5)
    assert float(jax.grad(white)(20.0)) == pytest.approx(1 / np.hypot(1, 20 / 6), rel=1e-5)


def test_whitening_is_never_trained(showers, columns):
    params = observed.fit_whitening(showers.energy, showers.momentum, showers.point)
    given = observed.incident_vector(showers.momentum, showers.point)
    gradients = jax.grad(lambda p: observed.Whitening().apply({"params": p}, columns, given).sum())(params)
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(gradients))
