"""The deconvolutional generator: cells, from noise and particle, shower by shower."""
import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.models.transposed import DeconvolutionalGenerator

MOMENTUM = jnp.array([[0.1, 0.2, 5.0], [3.0, -2.0, 40.0], [0.0, 0.0, 1.0]])
POINT = jnp.array([[0.0, 0.1], [-2.0, 1.0], [1.0, 1.0]])


def made(generator, variables=None, seed=0, momentum=MOMENTUM, rows=slice(None)):
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(seed), 3))
    arguments = noise[rows], momentum[rows], POINT[rows]
    variables = variables or jax.jit(generator.init)(jax.random.key(7), *arguments)
    return jax.jit(generator.apply)(variables, *arguments), variables


def test_cells_depend_on_noise_and_particle():
    generator = DeconvolutionalGenerator(latent=16, widths=(8, 8, 8))
    cells, variables = made(generator)
    assert cells.shape == (3, 30, 30) and (cells >= 0).all() and (cells > 0).any()
    assert np.abs(cells - made(generator, variables, seed=1)[0]).max() > 1e-3
    assert np.abs(cells - made(generator, variables, momentum=3 * MOMENTUM)[0]).max() > 1e-3


def test_a_shower_depends_on_no_other_in_its_batch():
    generator = DeconvolutionalGenerator(latent=16, widths=(8, 8, 8))
    cells, variables = made(generator)
    np.testing.assert_allclose(cells[1:2], made(generator, variables, rows=slice(1, 2))[0], atol=1e-5)


def test_the_octant_turns_showers_with_their_particle():
    generator = DeconvolutionalGenerator(latent=16, widths=(8, 8, 8), octant=True)
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 2))
    momentum, point = MOMENTUM[:2], POINT[:2]  # not along z, which is in every octant
    variables = jax.jit(generator.init)(jax.random.key(7), noise, momentum, point)
    apply = jax.jit(generator.apply)
    mirrored = apply(variables, noise, momentum * jnp.array([[-1, 1, 1]]), point * jnp.array([[-1, 1]]))
    np.testing.assert_allclose(mirrored, apply(variables, noise, momentum, point)[:, ::-1], atol=1e-5)
