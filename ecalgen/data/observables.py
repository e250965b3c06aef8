"""Observables of showers: jitted, differentiable functions of cells and incident particle.

Every function takes `energy [N, nx, ny]` or `[N, nx, ny, nz]` (MeV), `momentum [N, 3]` (GeV), `point [N, 2]` (cm) and
the `Grid`. Positions are in cells: r is a cell's centre, and r0 is where the track crosses the reference plane. E is a
cell's energy, S = sum E, and <q> = sum(E q) / S. n is the unit vector of (px, py), t is n turned by +90 degrees.

Observables of the face see the energies summed over depth. Those of `DEPTH_OBSERVABLES` need cells that are read out in
depth; z is the depth of a layer's centre behind the front face.

Two guards keep values and gradients finite: n is the x axis where px = py = 0, and an observable is 0 where S = 0.
"""
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from ecalgen.data.grid import SHASHLIK, Grid
from ecalgen.data.showers import BadShowers, incident_energy, reference_point
from ecalgen.machine.chunks import mapped

CHUNK = 128
"""Showers whose observables are computed in one call: few enough for a processor's cache."""
RINGS = 4
"""Groups of cells of `ring_energies`."""
SPARSITY_THRESHOLDS = np.logspace(-5, -1, 20)
"""Shares alpha of the shower's energy that a cell must reach to count in `sparsity`."""


@jax.jit
def longitudinal_asymmetry(energy, momentum, point, grid=SHASHLIK):
    """(sum of E with (r - r0).n >= 0, minus the rest) / S: `[N]`, in [-1, 1]."""
    return _asymmetry(energy, _along(momentum, point, grid))


@jax.jit
def transverse_asymmetry(energy, momentum, point, grid=SHASHLIK):
    """(sum of E with (r - r0).t >= 0, minus the rest) / S: `[N]`, in [-1, 1]."""
    return _asymmetry(energy, _across(momentum, point, grid))


@jax.jit
def longitudinal_width(energy, momentum, point, grid=SHASHLIK):
    """sqrt(<s^2> - <s>^2) with s = (r - r0).n: `[N]`, in cells."""
    return _width(energy, _along(momentum, point, grid))


@jax.jit
def transverse_width(energy, momentum, point, grid=SHASHLIK):
    """sqrt(<s^2> - <s>^2) with s = (r - r0).t: `[N]`, in cells."""
    return _width(energy, _across(momentum, point, grid))


@jax.jit
def sparsity(energy, momentum, point, grid=SHASHLIK):
    """Share of the cells with E >= alpha S, for each of SPARSITY_THRESHOLDS: `[N, 20]`, in [0, 1]."""
    del momentum, point, grid
    energy, total = lateral(energy), _total(energy)
    lit = energy[..., None] >= jnp.outer(total, SPARSITY_THRESHOLDS.astype(energy.dtype))[:, None, None, :]
    return jnp.where(total[:, None] > 0, lit.mean((1, 2), dtype=energy.dtype), 0.0)


@jax.jit
def delta_x(energy, momentum, point, grid=SHASHLIK):
    """<x> - x0, the energy-weighted centre along x minus the track's: `[N]`, in cells."""
    return _mean(energy, from_track(momentum, point, grid)[0])


@jax.jit
def delta_y(energy, momentum, point, grid=SHASHLIK):
    """<y> - y0, the energy-weighted centre along y minus the track's: `[N]`, in cells."""
    return _mean(energy, from_track(momentum, point, grid)[1])


@jax.jit
def ring_energies(energy, momentum, point, grid=SHASHLIK):
    """E1..E4: sum of E over the central cells and over the three square rings around them: `[N, 4]`, MeV.

    The centre is 2x2 cells where the numbers of cells along x and y are even, one cell where they are odd.
    """
    del momentum, point
    return jnp.where(ring_masks(grid)[None], lateral(energy)[..., None], 0).sum((1, 2))


@jax.jit
def visible_fraction(energy, momentum, point, grid=SHASHLIK):
    """S / E_p, the share of the particle's energy seen in the cells: `[N]`, without unit."""
    del point, grid
    return _total(energy) / (1000 * incident_energy(momentum))


OBSERVABLES = {
    function.__name__: function
    for function in (longitudinal_asymmetry, transverse_asymmetry, longitudinal_width, transverse_width, sparsity,
                     delta_x, delta_y, ring_energies, visible_fraction)
}
"""Name -> function of the face, in the order in which tables and figures show them."""


@jax.jit
def mean_depth(energy, momentum, point, grid):
    """<z>: `[N]`, cm."""
    del momentum, point
    return (layer_energies(energy) * grid.depths()[None]).sum(1) / _positive(_total(energy))


@jax.jit
def depth_width(energy, momentum, point, grid):
    """sqrt(<z^2> - <z>^2): `[N]`, cm; its gradient is 0 at width 0."""
    distance = grid.depths()[None] - mean_depth(energy, momentum, point, grid)[:, None]
    return _root((layer_energies(energy) * distance**2).sum(1) / _positive(_total(energy)))


@jax.jit
def layer_shares(energy, momentum, point, grid):
    """Share of S in each layer: `[N, nz]`, the longitudinal profile; sums to 1."""
    del momentum, point, grid
    return layer_energies(energy) / _positive(_total(energy))[:, None]


@jax.jit
def cell_sparsity(energy, momentum, point, grid):
    """`sparsity` of the cells in depth, not summed: `[N, 20]`, in [0, 1]."""
    del momentum, point, grid
    total, cells = _total(energy), energy.reshape(len(energy), -1)
    lit = [jnp.mean(cells >= (alpha * total)[:, None], axis=1, dtype=energy.dtype) for alpha in SPARSITY_THRESHOLDS]
    return jnp.where(total[:, None] > 0, jnp.stack(lit, axis=1), 0.0)


DEPTH_OBSERVABLES = {function.__name__: function for function in (mean_depth, depth_width, layer_shares, cell_sparsity)}
"""Name -> function of cells that are read out in depth."""


def observables_of(grid):
    """Name -> function of the observables that showers on a grid have."""
    return OBSERVABLES | DEPTH_OBSERVABLES if grid.deep else OBSERVABLES


def lateral(energy):
    """Energies summed over depth: `[N, nx, ny]` as they are, `[N, nx, ny, nz]` -> `[N, nx, ny]`."""
    return energy if energy.ndim == 3 else energy.sum(3)


def layer_energies(energy):
    """Energy in each layer: `[N, nx, ny, nz]` -> `[N, nz]`, MeV."""
    return energy.sum((1, 2))


def observables(energy: ArrayLike, momentum: ArrayLike, point: ArrayLike,
                grid: Grid = SHASHLIK) -> dict[str, jax.Array]:
    """All observables at once, as a dict; a jitted and differentiable function.

    `longitudinal_asymmetry`, `transverse_asymmetry` `[N]`, along and across the track; `longitudinal_width`,
    `transverse_width` `[N]`, in cells; `sparsity` `[N, 20]`, the share of cells above 20 thresholds; `delta_x`,
    `delta_y` `[N]`, energy-weighted centre minus track, in cells; `ring_energies` `[N, 4]`, MeV; `visible_fraction`
    `[N]`. Cells that are read out in depth also have `mean_depth`, `depth_width` `[N]`, in cm, `layer_shares`
    `[N, nz]` and `cell_sparsity` `[N, 20]`. Their equations stand with the functions of these names in
    `ecalgen.data.observables`.

    Args:
      energy: `[N, nx, ny]` or `[N, nx, ny, nz]` MeV.
      momentum: `[N, 3]` GeV.
      point: `[N, 2]` cm.
      grid: of the cells; that of the shipped showers where none is given.

    Raises:
      BadShowers: for other shapes.
    """
    columns = {"energy": (energy, grid.shape), "momentum": (momentum, (3,)), "point": (point, (2,))}
    for name, (column, shape) in columns.items():
        if jnp.ndim(column) != 1 + len(shape) or jnp.shape(column) != (len(energy), *shape):
            expected = ", ".join(map(str, ("N", *shape)))
            raise BadShowers(f"{name} has shape {list(jnp.shape(column))}, not [{expected}], with one N for all three; "
                             "give the grid of other cells, as grid=showers.grid")
    return _observables(energy, momentum, point, grid)


@jax.jit
def _observables(energy, momentum, point, grid):
    return {name: function(energy, momentum, point, grid) for name, function in observables_of(grid).items()}


@jax.jit
def track_coordinates(momentum, point, grid=SHASHLIK):
    """(r - r0).n and (r - r0).t of every cell, along and across the track: two `[N, nx, ny]`, in cells."""
    return _along(momentum, point, grid), _across(momentum, point, grid)


def of_showers(function, showers):
    """Apply `function(energy, momentum, point, grid)` to all showers in chunks; the results, joined.

    The last chunk is padded with copies of the last shower, so that a jitted function compiles once.

    Args:
      function: gives an array `[N, ...]`, or a tree of them.
      showers: `Showers`.
    """
    compute = lambda *rows: function(*map(_padded, rows), showers.grid)
    values = mapped(compute, CHUNK, showers.energy, showers.momentum, showers.point)
    return jax.tree.map(lambda column: column[:len(showers)], values)


def _padded(column):
    """The column made CHUNK long with copies of its last entry."""
    return np.pad(column, [(0, CHUNK - len(column)), *[(0, 0)] * (column.ndim - 1)], mode="edge")


def _total(energy):
    """S: `[N]`, MeV."""
    return energy.sum(tuple(range(1, energy.ndim)))


def _positive(total):
    """S, or 1 where S = 0."""
    return jnp.where(total > 0, total, 1)


def _mean(energy, position):
    """<position>; 0 where S = 0: cells and `[N, nx, ny]` -> `[N]`."""
    return (lateral(energy) * position).sum((1, 2)) / _positive(_total(energy))


def _asymmetry(energy, position):
    """<sign of position>, 0 counting as positive."""
    return _mean(energy, jnp.where(position >= 0, 1.0, -1.0))


def _width(energy, position):
    """sqrt(<(s - <s>)^2>), more exact in float32 than sqrt(<s^2> - <s>^2); its gradient is 0 at width 0."""
    return _root(_mean(energy, (position - _mean(energy, position)[:, None, None]) ** 2))


def _root(variance):
    """Square root whose gradient is 0 where the variance is 0."""
    return jnp.where(variance > 0, jnp.sqrt(_positive(variance)), 0)


def ring_masks(grid):
    """`[nx, ny, RINGS]`, true on the central cells and on the square rings around them."""
    from_centre = [np.abs(np.arange(count) - (count - 1) / 2) - (1 - count % 2) / 2 for count in grid.shape[:2]]
    ring = np.maximum(from_centre[0][:, None], from_centre[1][None, :])
    return np.stack([ring == number for number in range(RINGS)], axis=-1)


def from_track(momentum, point, grid):
    """x and y of every cell from r0, in cells: two arrays `[N, nx, ny]`."""
    r0 = (reference_point(momentum, point, grid) / grid.unit).T[:, :, None, None]
    return tuple(centres[None] - track for centres, track in zip(grid.centres(), r0, strict=True))


def _direction(momentum):
    """n: `[N, 3]` -> nx, ny, each `[N, 1, 1]`; the x axis where px = py = 0."""
    px, py = momentum[:, :2].T[:, :, None, None]
    square = px**2 + py**2
    length = jnp.sqrt(jnp.where(square > 0, square, 1))
    return jnp.where(square > 0, px / length, 1), jnp.where(square > 0, py / length, 0)


def _along(momentum, point, grid):
    """(r - r0).n of every cell: `[N, nx, ny]`, in cells."""
    (x, y), (nx, ny) = from_track(momentum, point, grid), _direction(momentum)
    return x * nx + y * ny


def _across(momentum, point, grid):
    """(r - r0).t of every cell, t = (-ny, nx): `[N, nx, ny]`, in cells."""
    (x, y), (nx, ny) = from_track(momentum, point, grid), _direction(momentum)
    return y * nx - x * ny
