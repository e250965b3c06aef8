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


@pytest.fixture(scope="module")
def latents():
    """A mixture of three normal distributions of two latents, and its parameters."""
    weights, means = np.array([0.2, 0.5, 0.3]), np.array([[-1.0, 0.0], [0.0, 2.0], [2.0, -1.0]])
    deviations = np.array([[0.5, 1.0], [1.0, 0.3], [2.0, 1.0]])
    params = {"log_weights": jnp.log(weights) + 4, "means": jnp.asarray(means),
              "log_deviations": jnp.log(deviations)}  # weights count up to a factor
    return prior.LatentMixture(3, 2), {"params": params}, weights, means, deviations


def test_the_density_of_latents_is_scipys(latents):
    mixture, variables, *parts = latents
    z = np.random.default_rng(0).normal(size=(9, 2)).astype("f4")
    expected = np.log(sum(w * scipy.stats.norm.pdf(z, m, s).prod(axis=1) for w, m, s in zip(*parts, strict=True)))
    np.testing.assert_allclose(mixture.apply(variables, z, method="log_density"), expected, rtol=1e-5)


def test_drawn_latents_follow_their_mixture(latents):
    mixture, variables, *parts = latents
    rng, count = np.random.default_rng(1), 50_000
    z = np.asarray(mixture.apply(variables, rng.normal(size=count).astype("f4"),
                                 rng.normal(size=(count, 2)).astype("f4"), method="draw"))
    for k in range(2):
        cdf = lambda x, k=k: sum(w * scipy.stats.norm.cdf(x, m[k], s[k]) for w, m, s in zip(*parts, strict=True))
        assert scipy.stats.kstest(z[:, k], cdf).pvalue > 1e-3
    covariance = sum(w * np.outer(m, m) for w, m in zip(*parts[:2], strict=True)) - np.outer(
        *2 * [parts[0] @ parts[1]])
    assert np.cov(z.T)[0, 1] == pytest.approx(covariance[0, 1], abs=0.03)


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


def test_a_mixture_is_fitted_to_latents_that_are_held(showers):
    """Its term is log p(z) at z = m + n of q = N(m, 1), and moves the mixture alone; with shared noise, in depth."""
    grid = Grid((4, 4, 6), (5.0, 5.0, 1.0), 3.0)
    network = prior.Prior(2, "fitted", (4, 4), True, spectrum=True, shared=True, mixture=1,
                          domain=Domain(grid, PAPERS))
    energy = np.random.default_rng(0).gamma(0.3, size=(3, *grid.shape)).astype("f4")
    normal = jnp.array([[1.0, -2.0], [0.0, 0.0], [0.5, 0.1]])
    arguments = energy, showers.momentum[:3], 0 * showers.point[:3], normal
    params = jax.jit(network.init)(jax.random.key(0), *arguments)["params"]
    outputs = {"kernel": jnp.zeros((64, 4)), "bias": jnp.array([2.0, 0, 1, 1])}
    latents = {"log_weights": jnp.zeros(1), "means": jnp.array([[0.0, 1.0]]), "log_deviations": jnp.zeros((1, 2))}
    params |= {"encoder": params["encoder"] | {"outputs": outputs}, "latents": latents}
    terms = lambda params: network.apply({"params": params}, *arguments)
    found = jax.jit(terms)(params)
    z = np.array([2.0, 0.0]) + np.asarray(normal)
    np.testing.assert_allclose(found["latents"], scipy.stats.norm.logpdf(z, [0.0, 1.0]).sum(axis=1), rtol=1e-4)
    np.testing.assert_allclose(found["divergence"], 2.0, rtol=1e-4)
    assert set(found) == {"total", "cells", "divergence", "latents", "pairs"}
    assert (found["pairs"] < 0).all() and np.isfinite(found["pairs"]).all()
    for name, own in (("latents", "latents"), ("pairs", "shares")):
        slopes = jax.jit(jax.grad(lambda params, name=name: terms(params)[name].sum()))(params)
        moved = {part for part, leaves in slopes.items() if any(leaf.any() for leaf in jax.tree.leaves(leaves))}
        assert moved == {own}
