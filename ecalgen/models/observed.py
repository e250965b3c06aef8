"""Observables as a network sees them: the columns of a list of their own, with a gradient for each."""
import jax
import jax.numpy as jnp

from ecalgen.data.observables import DEPTH_OBSERVABLES, OBSERVABLES, SPARSITY_THRESHOLDS, from_track, lateral

SEEN = ("longitudinal_asymmetry", "transverse_asymmetry", "longitudinal_width", "transverse_width", "delta_x",
        "delta_y", "ring_energies", "visible_fraction", "sparsity")
"""The observables that networks see, in the order of their columns. Trained weights belong to these columns, so a new
observable in `OBSERVABLES` does not join them."""
SEEN_IN_DEPTH = ("mean_depth", "depth_width", "layer_shares", "cell_sparsity")
"""The observables that follow them where the cells are read out in depth."""
RADII = (0.0, 2.0, 3.0, 5.0, 8.0, 12.0, 1e3)
"""Edges of the rings of `seen_rings`, in cells from the track."""
LIT = 0.02
"""MeV from which a cell counts as lit in `seen_rings`."""
LEVELS = (0.3, 0.6, 1.0, 1.5, 3.0, 10.0)
"""MeV: the cells above each of them are counted in each ring."""
ZERO = 0.1
"""MeV: energies enter as log(1 + e / ZERO)."""


def seen_observables(energy, momentum, point, grid):
    """The observables as columns `[N, 31]`, ring energies as shares of S, with a gradient for each column.

    Of cells that are read out in depth, those of `SEEN_IN_DEPTH` follow: `[N, 31 + 22 + nz]`. Sparsity counts cells,
    and a count has no gradient; here it has that of `counted`.
    """
    shown = lateral(energy)
    total = shown.sum((1, 2))[:, None]
    total = jnp.where(total > 0, total, 1)
    columns = {name: OBSERVABLES[name](shown, momentum, point, grid) for name in SEEN if name != "sparsity"}
    columns["ring_energies"] /= total
    columns["sparsity"] = _sparsity(shown, total)
    if grid.deep:
        columns |= {name: DEPTH_OBSERVABLES[name](energy, momentum, point, grid) for name in SEEN_IN_DEPTH[:-1]}
        columns["cell_sparsity"] = _sparsity(energy, total)
    return jnp.concatenate([value.reshape(energy.shape[0], -1) for value in columns.values()], axis=1)


def seen_rings(energy, momentum, point, grid):
    """How cells and their neighbours are lit in each ring around the track: `[N, 13 * 6]`, with a gradient each.

    Sums over a ring of: lit cells, log energies, their squares, cells above each of `LEVELS`; pairs of lit cells beside
    each other and across a corner, and products of their log energies. Counts have the gradient of `counted`. Of cells
    that are read out in depth, the sums over depth count.
    """
    cells = lateral(energy)
    x, y = from_track(momentum, point, grid)
    distance, logs, lit = jnp.sqrt(x**2 + y**2), jnp.log1p(cells / ZERO), counted(cells / LIT)
    maps = [lit, logs, logs**2, *(counted(cells / level) for level in LEVELS)]
    maps += [_with_neighbours(values, across) for values in (lit, logs) for across in (False, True)]
    rings = [(distance >= low) & (distance < high) for low, high in zip(RADII, RADII[1:], strict=False)]
    return jnp.stack([jnp.where(ring, values, 0).sum((1, 2)) for values in maps for ring in rings], axis=1)


def _with_neighbours(values, across):
    """A cell's products with the next cells along x and y, or with those across two of its corners, summed."""
    along_x = lambda cells: jnp.pad(cells[:, 1:], ((0, 0), (0, 1), (0, 0)))
    up, down = (jnp.pad(cells, ((0, 0), (0, 0), pad)) for cells, pad in
                ((values[:, :, 1:], (0, 1)), (values[:, :, :-1], (1, 0))))
    return values * (along_x(up) + along_x(down) if across else along_x(values) + up)


def _sparsity(energy, total):
    """Share of the cells above each threshold, with the gradient of `counted`: cells and `[N, 1]` -> `[N, 20]`."""
    share = (energy.reshape(energy.shape[0], -1) / total)[:, None, :]
    return jnp.mean(counted(share / SPARSITY_THRESHOLDS[None, :, None].astype(share.dtype)), axis=2)


@jax.custom_jvp
def counted(u):
    """Is u >= 1? 1 or 0, with the gradient of u^2 / (1 + u^2).

    A critic that is shown u^2 / (1 + u^2) itself sees counts blurred; one that is shown a steeper step sees them
    better, and trains a worse generator ("steeper sparsity" in experiments/results/anchored_pilots.json).

    Source: the straight-through estimator of Bengio, Leonard and Courville 2013, arXiv:1308.3432.
    """
    return (u >= 1).astype(u.dtype)


@counted.defjvp
def _counted_jvp(primals, tangents):
    (u,), (change,) = primals, tangents
    return counted(u), 2 * u / (1 + u**2)**2 * change
