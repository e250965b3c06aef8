"""The 24 shower statistics of the public scoring program, called the `legacy` features.

Published PRD-AUCs of the competition's protocol are made of them, so its faults are kept. The program reads the image
as [iy, ix]. It adds 25 cm of depth to positions in cells without dividing by the pitch. It measures widths on the cells
that a rasterised line crosses. `ecalgen.data.observables` holds the corrected quantities.
"""
import jax
import jax.numpy as jnp

from ecalgen.data.observables import sparsity
from ecalgen.data.showers import slopes

LEGACY_DEPTH = 25.0
"""Depth of the program's reference plane in cm, which it adds to positions in cells."""


@jax.jit
def legacy_statistics(energy, momentum, point, grid):
    """Longitudinal and transverse asymmetry, longitudinal and transverse width, 20 sparsities, unscaled.

    With (p0, p1) = point + 25 (px, py)/pz, the asymmetries split the cells by the lines y = p1 - (x - p0) px/py and
    y = p1 + (x - p0) py/px. The widths are taken along the lines y = p1 + (x - p0) px/py and y = p1 - (x - p0) py/px,
    with s = x sqrt(1 + (py/px)^2) for both. Where px = py = 0 no line exists: asymmetries are 1 and widths 0.

    Args:
      energy: `[N, 30, 30]` MeV.
      momentum: `[N, 3]` GeV.
      point: `[N, 2]` cm.
      grid: of 30 x 30 cells.

    Returns:
      `[N, 24]`.
    """
    x, y = (centres.T.astype(energy.dtype)[None] for centres in grid.centres())
    px, py = (momentum[:, axis, None, None] for axis in (0, 1))
    p0, p1 = (point + LEGACY_DEPTH * slopes(momentum)).T[:, :, None, None]
    rising, falling = (x - p0) * py / px, (x - p0) * px / py
    along = x * jnp.sqrt(1 + (py / px) ** 2)
    columns = [
        _asymmetry(energy, (y - (p1 - falling)) * jnp.where(py > 0, 1, -1)),
        _asymmetry(energy, y - (p1 + rising)),
        _width(energy, (y - (p1 + falling)) * jnp.where(py < 0, 1, -1), along),
        _width(energy, y - (p1 - rising), along),
    ]
    return jnp.concatenate([jnp.stack(columns, -1), sparsity(energy, momentum, point, grid)], -1)


def _kept(side):
    """1 where a cell lies on the line or on its positive side, else 0."""
    return jnp.where(side < 0, 0.0, 1.0)


def _asymmetry(energy, side):
    """(energy kept - energy dropped) / S: `[N]`."""
    total = energy.sum((1, 2))
    return ((2 * _kept(side) - 1) * energy).sum((1, 2)) / jnp.where(total > 0, total, 1)


def _line(side):
    """1 on cells where the side changes towards the next cell along either axis, else 0: `[N, 30, 30]`."""
    kept = _kept(side)
    down = jnp.pad(jnp.abs(jnp.diff(kept, axis=1)), ((0, 0), (0, 1), (0, 0)))
    right = jnp.pad(jnp.abs(jnp.diff(kept, axis=2)), ((0, 0), (0, 0), (0, 1)))
    return jnp.clip(down + right, 0, 1)


def _width(energy, side, position):
    """sqrt(<s^2> - <s>^2) over the line's cells, 1e-5 MeV added to the normalising sum, NaN -> 0: `[N]`.

    It is computed as <(s - <s>)^2> + <s>^2 (1 - <1>). This is the same number without cancellation in float32.
    """
    weight = _line(side) * energy
    norm = weight.sum((1, 2)) + 1e-5
    mean = (weight * position).sum((1, 2)) / norm
    spread = (weight * (position - mean[:, None, None]) ** 2).sum((1, 2)) / norm
    width = jnp.sqrt(spread + mean**2 * 1e-5 / norm)
    return jnp.where(jnp.isnan(width), 0, width)
