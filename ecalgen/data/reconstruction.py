"""Reconstruction from the cells: coarser cells, the position of the shower and the energy of its cluster.

All functions are jitted and differentiable, so that they can follow a sampler inside one compiled function.
"""
import functools
import math

import jax
import jax.numpy as jnp

from ecalgen.data.grid import SHASHLIK


@functools.partial(jax.jit, static_argnums=1)
def aggregated(energy, factor):
    """Square groups of `factor` x `factor` cells read out as one: `[N, nx, ny]` MeV -> `[N, nx / factor, ny / factor]`.

    Cells of 20 mm become cells of 40 mm (`factor` 2) or 60 mm (3), as in the outer parts of LHCb's calorimeter.

    Raises:
      ValueError: for a factor that does not divide the numbers of cells.
    """
    count, *shape = energy.shape
    if factor < 1 or math.gcd(*shape) % factor:
        raise ValueError(f"factor is {factor}; groups of cells must divide the {' and '.join(map(str, shape))} along "
                         "the sides")
    return energy.reshape(count, shape[0] // factor, factor, shape[1] // factor, factor).sum((2, 4))


@jax.jit
def log_position(energy, least=4.0, grid=SHASHLIK):
    """Centre of a shower by logarithmic weights, `[N, 2]` cm, of cells `[N, mx, my]` MeV that cover a grid's face.

        x = sum w x_i / sum w,   w = max(0, w0 + log(E_i / S))

    The tails of the shower count more than with linear weights, which bias the position towards the middle of a cell.

    Args:
      energy: of the grid's own cells, or of coarser ones, see `aggregated`.
      least: w0; cells with a share below exp(-w0) of the energy do not count.
      grid: whose face the cells cover.

    Source: Awes et al. 1992, Nucl. Instrum. Meth. A 311, 130.
    """
    x, y = ((jnp.arange(count) - (count - 1) / 2) * (2 * half / count)
            for count, half in zip(energy.shape[1:], grid.half_face, strict=True))
    total = jnp.maximum(energy.sum((1, 2), keepdims=True), 1e-6)
    weight = jnp.maximum(0, least + jnp.log(jnp.maximum(energy, 1e-6) / total))
    count = jnp.maximum(weight.sum((1, 2)), 1e-6)
    return jnp.stack([weight.sum(2) @ x, weight.sum(1) @ y], axis=1) / count[:, None]


@jax.jit
def cluster_energy(energy):
    """Energy of the hottest cell and the eight around it, MeV: `[N, M, M]` -> `[N]`.

    The energies have gradients; the choice of the hottest cell has none.
    """
    width, height = energy.shape[1:]
    hottest = jnp.argmax(energy.reshape(energy.shape[0], -1), axis=1)
    rows, columns = (jnp.abs(jnp.arange(side)[None] - place[:, None]) <= 1
                     for side, place in zip((width, height), jnp.divmod(hottest, height), strict=True))
    return jnp.sum(energy * (rows[:, :, None] & columns[:, None, :]), axis=(1, 2))
