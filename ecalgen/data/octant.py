"""The eight symmetries of the square calorimeter, which fold all showers into one octant of directions.

x -> -x, y -> -y and x <-> y, applied to cells, momentum and point together, map a shower to an equally likely one.
Every shower is folded into px >= py >= 0 and back exactly.
"""
import jax.numpy as jnp


def fold(momentum, point):
    """The incident particle folded into the octant px >= py >= 0: `[N, 3]`, `[N, 2]` -> the same shapes."""
    transverse, swap = momentum[:, :2], _swapped(momentum)[:, None]
    point = jnp.where(transverse < 0, -point, point)
    transverse = jnp.abs(transverse)
    transverse, point = (jnp.where(swap, value[:, ::-1], value) for value in (transverse, point))
    return jnp.concatenate([transverse, momentum[:, 2:]], axis=1), point


def fold_cells(cells, momentum):
    """Cells of showers of these (unfolded) momenta, folded into the octant: `[N, 30, 30]` -> `[N, 30, 30]`."""
    for axis in (0, 1):
        cells = jnp.where(momentum[:, axis, None, None] < 0, jnp.flip(cells, axis + 1), cells)
    return jnp.where(_swapped(momentum)[:, None, None], cells.swapaxes(1, 2), cells)


def unfold_cells(cells, momentum):
    """The inverse of `fold_cells`, for the same unfolded momenta."""
    cells = jnp.where(_swapped(momentum)[:, None, None], cells.swapaxes(1, 2), cells)
    for axis in (0, 1):
        cells = jnp.where(momentum[:, axis, None, None] < 0, jnp.flip(cells, axis + 1), cells)
    return cells


def _swapped(momentum):
    """Whether folding exchanges x and y: `[N, 3]` -> `[N]`."""
    return jnp.abs(momentum[:, 1]) > jnp.abs(momentum[:, 0])
