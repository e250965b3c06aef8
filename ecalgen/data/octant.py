"""The square calorimeter's eight symmetries, used to look at showers from one octant of directions only.

x -> -x, y -> -y and x <-> y, applied to cells, momentum and point together, map a shower to an equally likely
one. Every shower is folded to px >= py >= 0 and back, exactly.
"""
import jax.numpy as jnp


def fold(momentum, point):
    """The incident particle seen from the octant px >= py >= 0: `[N, 3]`, `[N, 2]` -> the same shapes."""
    transverse, swap = momentum[:, :2], _swapped(momentum)[:, None]
    point = jnp.where(transverse < 0, -point, point)
    transverse = jnp.abs(transverse)
    transverse, point = (jnp.where(swap, value[:, ::-1], value) for value in (transverse, point))
    return jnp.concatenate([transverse, momentum[:, 2:]], axis=1), point


def fold_cells(cells, momentum):
    """Cells of showers of these (unfolded) momenta as seen from the octant: `[N, 30, 30]` -> `[N, 30, 30]`."""
    for axis in (0, 1):
        cells = jnp.where(momentum[:, axis, None, None] < 0, jnp.flip(cells, axis + 1), cells)
    return jnp.where(_swapped(momentum)[:, None, None], cells.swapaxes(1, 2), cells)


def unfold_cells(cells, momentum):
    """The inverse of `fold_cells`, of the same unfolded momenta."""
    cells = jnp.where(_swapped(momentum)[:, None, None], cells.swapaxes(1, 2), cells)
    for axis in (0, 1):
        cells = jnp.where(momentum[:, axis, None, None] < 0, jnp.flip(cells, axis + 1), cells)
    return cells


def _swapped(momentum):
    """Where x and y are to be exchanged: `[N, 3]` -> `[N]`."""
    return jnp.abs(momentum[:, 1]) > jnp.abs(momentum[:, 0])
