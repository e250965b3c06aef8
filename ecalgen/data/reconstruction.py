"""Reconstruction from the cells: coarser cells, the position of the shower and the energy of its cluster.

All functions are jitted and differentiable, so that they can follow a sampler inside one compiled function.
"""
import functools

import jax
import jax.numpy as jnp

from ecalgen.data.showers import CELLS, PITCH


@functools.partial(jax.jit, static_argnums=1)
def aggregated(energy, factor):
    """Square groups of `factor` x `factor` cells read out as one: `[N, 30, 30]` MeV -> `[N, 30 / factor, 30 / factor]`.

    Cells of 20 mm become cells of 40 mm (`factor` 2) or 60 mm (3), as in the outer parts of LHCb's calorimeter.

    Raises:
      ValueError: for a factor that does not divide 30.
    """
    if factor < 1 or CELLS % factor:
        raise ValueError(f"factor is {factor}; groups of cells must divide the {CELLS} along a side")
    side = CELLS // factor
    return energy.reshape(energy.shape[0], side, factor, side, factor).sum((2, 4))


@jax.jit
def log_position(energy, least=4.0):
    """Centre of a shower by logarithmic weights, `[N, 2]` cm, of cells `[N, M, M]` MeV that cover the same square.

        x = sum w x_i / sum w,   w = max(0, w0 + log(E_i / S))

    The tails of the shower count more than with linear weights, which bias the position towards the middle of a cell.

    Args:
      energy: 30, 15 or 10 cells along a side, see `aggregated`.
      least: w0; cells with a share below exp(-w0) of the energy do not count.

    Source: Awes et al. 1992, Nucl. Instrum. Meth. A 311, 130.
    """
    side = energy.shape[1]
    position = (jnp.arange(side) - (side - 1) / 2) * (PITCH * CELLS / side)
    total = jnp.maximum(energy.sum((1, 2), keepdims=True), 1e-6)
    weight = jnp.maximum(0, least + jnp.log(jnp.maximum(energy, 1e-6) / total))
    count = jnp.maximum(weight.sum((1, 2)), 1e-6)
    return jnp.stack([weight.sum(2) @ position, weight.sum(1) @ position], axis=1) / count[:, None]


@jax.jit
def cluster_energy(energy):
    """Energy of the hottest cell and the eight around it, MeV: `[N, M, M]` -> `[N]`.

    The energies have gradients; the choice of the hottest cell has none.
    """
    side = energy.shape[1]
    hottest = jnp.argmax(energy.reshape(energy.shape[0], -1), axis=1)
    rows, columns = (jnp.abs(jnp.arange(side)[None] - place[:, None]) <= 1 for place in jnp.divmod(hottest, side))
    return jnp.sum(energy * (rows[:, :, None] & columns[:, None, :]), axis=(1, 2))
