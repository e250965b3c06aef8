"""Whitened observables: of mean 0 and standard deviation 1 where they were fitted, with a gradient everywhere."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.files.formats import iter_showers
from ecalgen.data.grid import OLD, SHASHLIK
from ecalgen.models import observed, particle, whitening

seen_observables = jax.jit(observed.seen_observables)


@pytest.fixture(scope="module")
def columns(showers):
    return np.asarray(seen_observables(showers.energy, showers.momentum, showers.point, SHASHLIK))


def test_polynomial_by_hand():
    np.testing.assert_allclose(whitening.polynomial(jnp.array([[2.0, 3.0]]), 2), [[1, 2, 3, 4, 6, 9]])
    assert whitening.polynomial(jnp.ones((1, 5)), 4).shape == (1, 126)


def test_expansion_by_hand():
    terms = whitening.expansion(jnp.array([[2.0, 0, 0, 0, 0, 3, 5]]), 1)
    np.testing.assert_allclose(terms, [[1, 2, 0, 0, 0, 0, 3, 5]])
    assert whitening.expansion(jnp.ones((1, 7)), 4).shape == (1, 126 + 2 * 56)


def test_whitened_where_it_was_fitted():
    """Mean 0 and deviation 1 given the particle, and uncorrelated."""
    showers = next(iter_showers(sample_path("electron_5d"), 2_000))
    columns = seen_observables(showers.energy, showers.momentum, showers.point, SHASHLIK)
    params = whitening.fit_whitening(showers.energy, showers.momentum, showers.point, OLD)
    given = particle.incident_vector(showers.momentum, showers.point, OLD)
    white = np.asarray(whitening.Whitening().apply({"params": params}, columns, given))
    resolved = white.std(axis=0) > 0.9
    assert resolved.sum() > 15
    np.testing.assert_allclose(white[:, resolved].mean(axis=0), 0, atol=0.15)
    correlation = np.corrcoef(white[:, resolved].T)
    assert np.abs(correlation - np.eye(len(correlation))).max() < 0.35


@pytest.mark.parametrize("degree", [2, 4])
def test_the_order_of_a_term_is_its_power_of_a_common_factor(degree):
    """Multiplied by 2, the conditions multiply a term by 2 to the power of its order."""
    given = np.random.default_rng(0).uniform(1, 2, (1, 7))
    ratios = np.asarray(whitening.expansion(2 * given, degree) / whitening.expansion(jnp.asarray(given), degree))[0]
    np.testing.assert_allclose(ratios, 2.0**whitening.orders(degree), rtol=1e-5)


def test_terms_for_which_the_showers_are_too_few_are_not_fitted():
    """Of degree 4 there are 238 terms, up to the third order 98, up to the second 33, up to the first 8."""
    rng = np.random.default_rng(1)
    for showers, terms in ((10_000, 238), (1_000, 98), (300, 33), (64, 8), (5, 1)):
        found = whitening.fit_terms(rng.normal(size=(showers, 238)), rng.normal(size=(showers, 1)), 4)
        assert (found != 0).sum() == terms
    exact = rng.normal(size=(2_000, 238))
    np.testing.assert_allclose(whitening.fit_terms(exact, exact @ np.ones((238, 2)), 4), 1)


def test_a_whitening_of_few_showers_whitens_others_too(showers):
    """Fitted to 300 showers, it gives others a standard deviation near 1; with all 238 terms it would be near 7."""
    few, others = showers[:300], showers[300:]
    params = whitening.fit_whitening(few.energy, few.momentum, few.point, OLD)
    columns = seen_observables(others.energy, others.momentum, others.point, SHASHLIK)
    given = particle.incident_vector(others.momentum, others.point, OLD)
    white = np.asarray(whitening.Whitening().apply({"params": params}, columns, given))
    assert 0.8 < np.median(white.std(axis=0)) < 1.6


def test_a_whitening_is_turned_back_to_the_directions_of_another():
    """Rotated at random it is found again, up to rounding, and it whitens as before."""
    rng = np.random.default_rng(2)
    rotation = rng.normal(size=(5, 5)) @ np.diag([30, 10, 3, 1, 1])
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    found = whitening.turned({"mean": 7, "rotation": rotation @ turn}, {"mean": 8, "rotation": rotation})
    np.testing.assert_allclose(found["rotation"], rotation, rtol=1e-4, atol=1e-4)
    other = rng.normal(size=(5, 5))
    found = whitening.turned({"mean": 7, "rotation": rotation}, {"mean": 8, "rotation": other})
    np.testing.assert_allclose(found["rotation"] @ found["rotation"].T, rotation @ rotation.T, rtol=1e-4, atol=1e-3)
    assert found["mean"] == 7


def test_an_outlier_keeps_a_gradient():
    """Twenty deviations look like 6 asinh(20 / 6) = 11.5, with the slope 1 / sqrt(1 + (20 / 6)^2)."""
    params = {"mean": jnp.zeros((238, 1)), "log_std": jnp.zeros((33, 1)), "rotation": jnp.ones((1, 1))}
    apply = lambda value: whitening.Whitening().apply({"params": params}, jnp.full((1, 1), value), jnp.zeros((1, 7)))
    white = lambda value: apply(value)[0, 0]
    assert float(white(20.0)) == pytest.approx(6 * np.arcsinh(20 / 6), rel=1e-5)
    assert float(jax.grad(white)(20.0)) == pytest.approx(1 / np.hypot(1, 20 / 6), rel=1e-5)


def test_whitening_is_never_trained(showers, columns):
    params = whitening.fit_whitening(showers.energy, showers.momentum, showers.point, OLD)
    given = particle.incident_vector(showers.momentum, showers.point, OLD)
    gradients = jax.grad(lambda p: whitening.Whitening().apply({"params": p}, columns, given).sum())(params)
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(gradients))
