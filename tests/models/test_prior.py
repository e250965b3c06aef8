"""The prior: its mixture is a density, its shares add up, its bound is a bound."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from ecalgen.data.grid import OLD, PAPERS, SHASHLIK, Domain, Grid
from ecalgen.models import prior

MIXTURE = (jnp.log(jnp.array([[0.2, 0.5, 0.3]])), jnp.array([[-1.0, 0.0, 2.0]]), jnp.log(jnp.array([[0.5, 1.0, 2.0]])))


def test_mixture_is_scipys_density():
    scores = np.linspace(-3, 5, 7, dtype="f4")
    expected = np.log(sum(w * scipy.stats.norm.pdf(scores, m, s)
                          for w, m, s in zip((0.2, 0.5, 0.3), (-1, 0, 2), (0.5, 1, 2), strict=True)))
    tiled = [jnp.repeat(part, 7, axis=0) for part in MIXTURE]
    np.testing.assert_allclose(prior.mixture_log_likelihood(tiled, scores), expected, rtol=1e-5)


def test_draws_follow_the_mixture():
    rng, count = np.random.default_rng(0), 100_000
    tiled = [jnp.repeat(part, count, axis=0) for part in MIXTURE]
    drawn = prior.draw_mixture(tiled, *rng.normal(size=(2, count)).astype("f4"))
    cdf = lambda x: 0.2 * scipy.stats.norm.cdf(x, -1, 0.5) + 0.5 * scipy.stats.norm.cdf(x) + (
        0.3 * scipy.stats.norm.cdf(x, 2, 2))
    assert scipy.stats.kstest(np.asarray(drawn), cdf).pvalue > 1e-3


def test_total_unit_by_hand():
    """At 25 GeV: 0.1735 of it, and 1.4 % of the energy times sqrt(1 GeV / E), in MeV."""
    centre, scale = prior.total_unit(jnp.array([[0.0, 15.0, 20.0]]), PAPERS)
    assert float(centre[0]) == pytest.approx(4337.5) and float(scale[0]) == pytest.approx(70.0)


@pytest.mark.parametrize("name", prior.PROFILES)
def test_shares_add_up(name, showers):
    arguments = showers.momentum[:5], showers.point[:5], jnp.zeros(5), jnp.ones((5, 2))
    profile = prior.PROFILES[name]((32, 32), OLD)
    variables = jax.jit(profile.init)(jax.random.key(0), *arguments)
    maps = profile.apply(variables, *arguments)
    assert maps.shape == (3, 5, 30, 30)
    np.testing.assert_allclose(jnp.exp(maps[0]).sum((1, 2)), 1, rtol=1e-4)


def test_cell_features_by_hand():
    """A track along +x through the origin: cell (16, 13) lies 1.5 along it and 1.5 across it."""
    momentum, point = jnp.array([[3.0, 0.0, 10.0]]), jnp.array([[-4.5, 0.0]])
    place, log_r = prior.cell_features(momentum, point, SHASHLIK)
    np.testing.assert_allclose(place[jnp.array([0, 2]), 0, 16, 13], [1.0, 1.0], atol=1e-3)
    np.testing.assert_allclose(log_r[0, 16, 13], np.log(np.hypot(1.5, 1.5)), atol=1e-2)
    mirrored, _ = prior.cell_features(momentum, point + jnp.array([[0.0, 2.02]]), SHASHLIK)
    np.testing.assert_allclose(mirrored[:, 0, :, 14], place[:, 0, :, 13], atol=1e-4)


def test_places_in_depth_are_from_the_track_in_each_layer():
    """A track of slope 1 along x from the origin: at the depth of 1.5 cm it has moved by 1.5 cells."""
    grid = Grid((5, 5, 3), (1.0, 1.0, 1.0), 2.0)
    momentum, point = jnp.array([[3.0, 0.0, 3.0]]), jnp.zeros((1, 2))
    place, log_r = prior.cell_features(momentum, point, grid)
    assert place.shape == (13, 1, 5, 5, 3)
    np.testing.assert_allclose(place[0, 0, 4, 2], np.array([1.5, 0.5, -0.5]) / 1.5, atol=1e-3)
    np.testing.assert_allclose(log_r[0, 2, 2], np.log(np.hypot([0.5, 1.5, 2.5], np.sqrt(0.02))), atol=1e-4)
    np.testing.assert_allclose(place[8, 0, 2, 1], -1 / 1.5, atol=1e-3)  # one cell to the right of the track
    np.testing.assert_allclose(place[10:, 0, 0, 0], [
        [-0.75, -0.25, 0.25], np.log([0.25, 0.75, 1.25]), np.log([1.25, 0.75, 0.25])], atol=1e-6)


@pytest.mark.parametrize("grid", [Grid((5, 5, 40), (1.0, 1.0, 0.25), 2.0),
                                  Grid((6, 4, 40), (1.0, 1.0, 0.25), 2.0, radii=(0, 1, 2, 3, 4))])
def test_shares_in_depth_start_at_a_gamma_distribution(grid):
    """Of the mean depth that the grid gives as reference, and a standard deviation of 2 / sqrt 3 cm."""
    arguments = jnp.array([[0.0, 0.0, 10.0]]), jnp.zeros((1, 2)), jnp.zeros(1), jnp.ones((1, 2))
    domain = Domain(grid, PAPERS)
    profile = prior.PROFILES["fixed"]((), domain)
    shares = np.exp(profile.apply(profile.init(jax.random.key(0), *arguments), *arguments)[0, 0])
    assert shares.shape == grid.shape and shares.sum() == pytest.approx(1, rel=1e-4)
    layers, depths = shares.sum((0, 1)), grid.depths()
    mean = layers @ depths
    assert mean == pytest.approx(2.0, rel=0.02)
    assert np.sqrt(layers @ depths**2 - mean**2) == pytest.approx(2 / np.sqrt(3), rel=0.03)
    if grid.radii:  # equal densities in equal places: a wider sector has more
        assert shares[0, 1].sum() / shares[0, 0].sum() == pytest.approx(
            3 * np.exp(-2 * np.log(np.hypot(1.5, np.sqrt(0.02)) / np.hypot(0.5, np.sqrt(0.02))) - 0.5 * (
                np.hypot(1.5, np.sqrt(0.02)) - np.hypot(0.5, np.sqrt(0.02)))), rel=1e-3)


@pytest.mark.slow
def test_the_bound_of_an_encoder_that_knows_nothing(showers):
    """With its last layer set to q(z) = p(z) the divergence is 0, and every term is finite."""
    network = prior.Prior(2, "fitted", (32, 32), octant=True)
    arguments = showers.energy[:4], showers.momentum[:4], showers.point[:4], jnp.ones((4, 2))
    params = jax.jit(network.init)(jax.random.key(0), *arguments)["params"]
    last = {"kernel": jnp.zeros((64, 4)), "bias": jnp.array([0.0, 0, 1, 1])}
    params = params | {"encoder": params["encoder"] | {"outputs": last}}
    apply = jax.jit(network.apply)
    terms = apply({"params": params}, *arguments)
    assert set(terms) == {"total", "cells", "divergence"} and all(term.shape == (4,) for term in terms.values())
    np.testing.assert_allclose(terms["divergence"], 0, atol=1e-6)
    assert all(np.isfinite(term).all() for term in terms.values())
    shifted = params["encoder"] | {"outputs": last | {"bias": jnp.array([2.0, 0, 1, 1])}}
    terms = apply({"params": params | {"encoder": shifted}}, *arguments)
    np.testing.assert_allclose(terms["divergence"], 2.0, rtol=1e-5)  # mean^2 / 2
