"""The symmetries of a calorimeter, which fold all showers into one octant of directions, or into one quadrant.

x -> -x, y -> -y and, where the cells are square, x <-> y, applied to cells, momentum and point together, map a shower
to an equally likely one. With these eight symmetries every shower is folded into px >= py >= 0 and back exactly. With
four it is folded into px >= 0, py >= 0. With one it stays as it is.
"""
import jax.numpy as jnp

from ecalgen.data.showers import for_cells


def fold(momentum, point, grid):
    """The incident particle folded by the grid's symmetries: `[N, 3]`, `[N, 2]` -> the same shapes."""
    if grid.symmetries == 1:
        return momentum, point
    transverse = momentum[:, :2]
    point = jnp.where(transverse < 0, -point, point)
    transverse = jnp.abs(transverse)
    if grid.symmetries == 8:
        swap = _swapped(momentum)[:, None]
        transverse, point = (jnp.where(swap, value[:, ::-1], value) for value in (transverse, point))
    return jnp.concatenate([transverse, momentum[:, 2:]], axis=1), point


def fold_cells(cells, momentum, grid):
    """Cells of showers of these (unfolded) momenta, folded: `[N, nx, ny, ...]` -> the same shape."""
    return _exchanged(_flipped(cells, momentum, grid), momentum, grid)


def unfold_cells(cells, momentum, grid):
    """The inverse of `fold_cells`, for the same unfolded momenta."""
    return _flipped(_exchanged(cells, momentum, grid), momentum, grid)


def under_symmetries(cells, which):
    """Cells under one of the eight symmetries each: `[N, nx, ny, ...]`, `which [N]` from 0 to 7 -> the same shape.

    Bit 0 of `which` exchanges +x and -x, bit 1 +y and -y, and bit 2 x and y, for which the cells must be square.
    """
    for axis in (0, 1):
        cells = jnp.where(for_cells(which >> axis & 1 == 1, cells), jnp.flip(cells, axis + 1), cells)
    if cells.shape[1] != cells.shape[2]:
        return cells
    return jnp.where(for_cells(which >> 2 == 1, cells), cells.swapaxes(1, 2), cells)


def _flipped(cells, momentum, grid):
    """Cells with x -> -x where px < 0, and y -> -y where py < 0."""
    if grid.symmetries == 1:
        return cells
    for axis in (0, 1):
        cells = jnp.where(for_cells(momentum[:, axis] < 0, cells), jnp.flip(cells, axis + 1), cells)
    return cells


def _exchanged(cells, momentum, grid):
    """Cells with x <-> y where the particle's are exchanged."""
    if grid.symmetries != 8:
        return cells
    return jnp.where(for_cells(_swapped(momentum), cells), cells.swapaxes(1, 2), cells)


def _swapped(momentum):
    """Whether folding exchanges x and y: `[N, 3]` -> `[N]`."""
    return jnp.abs(momentum[:, 1]) > jnp.abs(momentum[:, 0])
