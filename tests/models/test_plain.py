"""The plain generator: shapes, non-negative cells, and that conditions and noise reach them."""
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.models.plain import PlainGenerator

MOMENTUM = jnp.array([[0.1, 0.2, 5.0], [3.0, -2.0, 40.0], [0.0, 0.0, 1.0]])
POINT = jnp.array([[0.0, 0.1], [-2.0, 1.0], [1.0, 1.0]])
SWITCHES = list(itertools.product([False, True], [0, 8], ["projection", "concatenation"]))


def small(**changes):
    return PlainGenerator(**(dict(latent=8, widths=(8, 8, 8, 8)) | changes))


def made(generator, seed=0, momentum=MOMENTUM):
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(seed), 3))
    return jax.jit(generator.init_with_output)(jax.random.key(7), noise, momentum, POINT)


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
    alone = jax.jit(generator.apply)(variables, jax.tree.map(lambda a: a[1:2], noise), MOMENTUM[1:2], POINT[1:2])
    np.testing.assert_allclose(together[1:2], alone, atol=1e-5)


def test_noise_of_cells_lights_each_of_them_alone():
    generator = small(cell_noise=2)
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 3))
    _, variables = made(generator)
    other, apply = noise | {"cells": noise["cells"].at[:, 10, 10].add(3.0)}, jax.jit(generator.apply)
    cells, changed = (apply(variables, some, MOMENTUM, POINT) for some in (noise, other))
    moved = np.abs(changed - cells).max(0) > 0
    assert moved.any() and not moved[:6].any() and not moved[:, 13:].any()  # cell (9, 9) and two 3x3 convolutions


@pytest.mark.parametrize("unit, power", [("root", 0.5), ("energy", 1)])
def test_cells_in_units_of_the_energy(unit, power):
    plain, scaled = (made(small(unit=name))[0] for name in ("none", unit))
    expected = (np.linalg.norm(MOMENTUM, axis=1) / 10) ** power
    np.testing.assert_allclose(scaled, plain * expected[:, None, None], rtol=1e-5)


def test_an_octant_generator_turns_its_showers():
    generator = small(octant=True)
    mirror = jnp.array([[-1, 1, 1]])
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 3))
    cells, variables = made(generator)
    mirrored = jax.jit(generator.apply)(variables, noise, MOMENTUM * mirror, POINT * mirror[:, :2])
    np.testing.assert_allclose(mirrored[:2], cells[:2, ::-1], atol=1e-5)  # the third flies straight: px = -px
