"""The autoencoder's bound is what its parts say, and its decoder makes the showers that it describes."""
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.grid import OLD, SHASHLIK
from ecalgen.data.octant import fold, fold_cells
from ecalgen.models import hits
from ecalgen.models.vae import VAE, Decoder, VAEGenerator

FIELDS = dict(latent=3, widths=(8, 8, 8), attention=0, octant=True)
DECODER = Decoder((8, 8, 8), 0, OLD)


@pytest.fixture(scope="module")
def fitted(showers):
    """A VAE as it starts, and 20 showers."""
    some, vae = showers[:20], VAE(**FIELDS)
    example = some.energy, some.momentum, some.point, jnp.zeros((20, 3))
    return some, vae, jax.jit(vae.init)(jax.random.key(0), *example)


def test_the_terms_are_those_of_its_parts(fitted):
    """Without noise z is the posterior's mean; the divergence is that of a normal one, integrated numerically."""
    some, vae, variables = fitted
    apply = jax.jit(functools.partial(vae.apply, capture_intermediates=True, mutable=["intermediates"]))
    terms, kept = apply(variables, some.energy, some.momentum, some.point, jnp.zeros((20, 3)))
    posterior = kept["intermediates"]["posterior"]["__call__"][0]
    mean, log_std = jnp.split(posterior, 2, axis=1)
    maps = jax.jit(DECODER.apply)({"params": variables["params"]["decoder"]}, mean,
                                   *fold(some.momentum, some.point, SHASHLIK))
    folded = fold_cells(some.energy, some.momentum, SHASHLIK)
    cells = hits.log_likelihood(folded, *jnp.moveaxis(maps, -1, 0)).sum((1, 2))
    np.testing.assert_allclose(terms["cells"], cells, rtol=1e-4)
    z = np.linspace(-12, 12, 4001)
    normal = lambda m, s: np.exp(-0.5 * ((z - m) / s)**2) / (s * np.sqrt(2 * np.pi))
    kl = sum(np.trapezoid(normal(m, s) * (np.log(normal(m, s) + 1e-300) - np.log(normal(0, 1) + 1e-300)), z)
             for m, s in zip(np.asarray(mean[0], float), np.exp(np.asarray(log_std[0], float)), strict=True))
    assert float(terms["divergence"][0]) == pytest.approx(kl, rel=1e-3, abs=1e-5)


@pytest.mark.slow
def test_the_generator_draws_what_the_decoder_expects(fitted):
    some, _, variables = fitted
    generator, count = VAEGenerator(**FIELDS), 3_000
    one = [np.repeat(array[:1], count, axis=0) for array in (some.momentum, some.point)]
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(1), count))
    noise["latent"] = jnp.zeros((count, 3))
    cells = jax.jit(generator.apply)({"params": {"decoder": variables["params"]["decoder"]}}, noise, *one)
    maps = jax.jit(DECODER.apply)({"params": variables["params"]["decoder"]}, jnp.zeros((1, 3)),
                                   *fold(some.momentum[:1], some.point[:1], SHASHLIK))
    expected = np.exp(maps[0, ..., 0])
    drawn = np.asarray(fold_cells(cells, one[0], SHASHLIK)).mean(axis=0)
    np.testing.assert_allclose(drawn.sum(), expected.sum(), rtol=0.02)
    np.testing.assert_allclose(drawn[13:17, 13:17], expected[13:17, 13:17], rtol=0.4)


def test_fitting_raises_the_likelihood(fitted):
    some, vae, variables = fitted

    @jax.jit
    def bound(params):
        terms = vae.apply({"params": params}, some.energy, some.momentum, some.point, jnp.zeros((20, 3)))
        return -(terms["cells"] - terms["divergence"]).mean()

    gradient = jax.jit(jax.grad(bound))
    params, before = variables["params"], bound(variables["params"])
    for _ in range(30):
        gradients = gradient(params)
        params = jax.tree.map(lambda p, g: p - 1e-3 * jnp.sign(g), params, gradients)
    assert bound(params) < 0.8 * before
