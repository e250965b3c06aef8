"""The plain generator: shapes, non-negative cells, and that conditions and noise reach them."""
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.models.generator import Generator

MOMENTUM = jnp.array([[0.1, 0.2, 5.0], [3.0, -2.0, 40.0], [0.0, 0.0, 1.0]])
POINT = jnp.array([[0.0, 0.1], [-2.0, 1.0], [1.0, 1.0]])
SWITCHES = list(itertools.product([False, True], [0, 8], ["projection", "concatenation"]))


def small(**changes):
    return Generator(**(dict(latent=8, widths=(8, 8, 8, 8)) | changes))


def made(generator, seed=0, momentum=MOMENTUM):
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(seed), 3))
    variables = generator.init(jax.random.key(7), noise, momentum, POINT)
    return generator.apply(variables, noise, momentum, POINT), variables


@pytest.mark.parametrize("spectral_norm, attention, conditioning", SWITCHES)
def test_every_switch_gives_cells(spectral_norm, attention, conditioning):
    cells, variables = made(small(spectral_norm=spectral_norm, attention=attention, conditioning=conditioning))
    assert cells.shape == (3, 30, 30)
    assert (cells >= 0).all() and (cells > 0).any()
    assert ("spectral" in variables) == spectral_norm
    assert ("attention" in variables["params"]) == bool(attention)


def test_noise_and_conditions_change_the_cells():
    generator = small()
    cells, _ = made(generator)
    assert np.abs(cells - made(generator, seed=1)[0]).max() > 1e-3
    assert np.abs(cells - made(generator, momentum=MOMENTUM * 3)[0]).max() > 1e-3


def test_a_shower_depends_on_no_other_in_its_batch():
    generator = small()
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 3))
    together, variables = made(generator)
    alone = generator.apply(variables, noise[1:2], MOMENTUM[1:2], POINT[1:2])
    np.testing.assert_allclose(together[1:2], alone, atol=1e-5)
