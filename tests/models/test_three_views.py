"""Networks of blocks: rotations and their inverses, cells from noise and energy, an energy read off."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.grid import OLD_ENSEMBLES, Domain, Grid
from ecalgen.models.three_views import (
    BACK,
    ROTATIONS,
    VolumeDiscriminator,
    VolumeGenerator,
    energy_condition,
    fit_typical,
    relative_unit,
    rotated,
)

MOMENTUM = jnp.array([[0.0, 0.0, 5.0], [0.0, 0.0, 40.0], [0.0, 0.0, 400.0]])
POINT = jnp.zeros((3, 2))


def made(generator, variables=None, seed=0, momentum=MOMENTUM, rows=slice(None)):
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(seed), 3))
    arguments = jax.tree.map(lambda a: a[rows], noise), momentum[rows], POINT[rows]
    variables = variables or jax.jit(generator.init)(jax.random.key(7), *arguments)
    return jax.jit(generator.apply)(variables, *arguments), variables


@pytest.fixture(scope="module")
def generator():
    return VolumeGenerator(latent=8, widths=(8, 8), hidden=4, rounds=1)


def test_every_axis_is_last_once_and_comes_back():
    blocks = jnp.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    assert [rotated(blocks, order).shape[-1] for order in ROTATIONS] == [5, 3, 4]
    for order, back in zip(ROTATIONS, BACK, strict=True):
        np.testing.assert_array_equal(rotated(rotated(blocks, order), back), blocks)


def test_condition_of_the_middle_energy():
    middle = jnp.array([[0.0, 0.0, np.exp(4.0)], [0.0, 0.0, np.exp(5.5)]])
    np.testing.assert_allclose(energy_condition(middle, OLD_ENSEMBLES.scales), [[0, 0], [1, 1]], atol=1e-6)


def test_cells_depend_on_noise_and_energy(generator):
    cells, variables = made(generator)
    assert cells.shape == (3, 25, 25, 25) and (cells >= 0).all() and (cells > 0).any()
    assert np.abs(cells - made(generator, variables, seed=1)[0]).max() > 1e-3
    assert np.abs(cells - made(generator, variables, momentum=3 * MOMENTUM)[0]).max() > 1e-3


def test_cells_of_any_grid_in_depth():
    """An odd face of two sides, and another number of layers; the discriminator takes them, too."""
    grid = Grid((6, 9, 4), (1.0, 1.0, 0.5), 1.0)
    domain = Domain(grid, OLD_ENSEMBLES.scales)
    cells, _ = made(VolumeGenerator(latent=8, widths=(8, 8), hidden=4, rounds=1, domain=domain))
    assert cells.shape == (3, 6, 9, 4) and np.isfinite(cells).all()
    discriminator = VolumeDiscriminator(widths=(4, 4, 4), embedding=8, domain=domain)
    (logit, energy), _ = jax.jit(discriminator.init_with_output)(jax.random.key(1), cells, MOMENTUM, POINT)
    assert logit.shape == (3,) and energy.shape == (3, 1)


def test_a_shower_depends_on_no_other_in_its_batch(generator):
    cells, variables = made(generator)
    np.testing.assert_allclose(cells[1:2], made(generator, variables, rows=slice(1, 2))[0], atol=1e-5)


def test_the_discriminator_decides_and_reads_an_energy():
    discriminator = VolumeDiscriminator(widths=(4, 4, 4), embedding=8)
    cells = jax.random.uniform(jax.random.key(0), (3, 25, 25, 25))
    variables = jax.jit(discriminator.init)(jax.random.key(1), cells, MOMENTUM, POINT)
    logit, energy = discriminator.apply(variables, cells, MOMENTUM, POINT)
    assert logit.shape == (3,) and energy.shape == (3, 1)
    other_logit, other_energy = discriminator.apply(variables, cells, 2 * MOMENTUM, POINT)
    assert np.abs(logit - other_logit).min() > 1e-6
    np.testing.assert_array_equal(energy, other_energy)  # it is read off the cells alone


def test_the_typical_block_is_that_of_least_squares():
    """Cells that are linear in log E and its square are found exactly, in units of sqrt(E / 10 GeV)."""
    energies = np.array([2.0, 5.0, 20.0, 60.0, 100.0])
    momentum = jnp.asarray(np.column_stack([np.zeros((5, 2)), energies]), jnp.float32)
    rng = np.random.default_rng(0)
    bias, kernel = rng.uniform(size=(1, 25**3)), rng.normal(size=(2, 25**3))
    log_energy = (np.log(energies) - 4) / 1.5
    relative = bias + np.column_stack([log_energy, log_energy**2]) @ kernel
    cells = relative.reshape(5, 25, 25, 25) * np.sqrt(energies / 10)[:, None, None, None]
    np.testing.assert_allclose(relative_unit(momentum).ravel(), np.sqrt(energies / 10), rtol=1e-6)
    found = fit_typical(cells.astype("f4"), momentum, OLD_ENSEMBLES.scales)
    np.testing.assert_allclose(found["bias"], bias[0], atol=2e-4)
    np.testing.assert_allclose(found["kernel"], kernel, atol=2e-4)
    np.testing.assert_allclose(np.exp(found["log_spread"]), 1e-3, rtol=1e-5)
