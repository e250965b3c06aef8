"""Observables of a block of cells: pure NumPy functions of `energy [N, X, Y, Z]`, MeV.

Positions are numbers of cells from the block's front left edge; depth is along z. Observables of an empty shower are 0.
"""
import numpy as np

from ecalgen.data.volumes import Volumes

AXES = {"x": 1, "y": 2, "z": 3}
LIT = 0.05
"""MeV above which a cell counts as lit: a third of the loss of a minimum ionising particle in 0.5 mm of silicon."""


def sampling_fraction(volumes: Volumes):
    """Energy in all cells over that of the incident particle: `[N]`, without unit."""
    return volumes.energy.sum((1, 2, 3), dtype=np.float64) / (1000 * volumes.incident_energy)


def profile(energy, axis):
    """Share of the energy in each plane of cells across an axis, `x`, `y` or `z`: `[N, side]`, rows sum to 1."""
    others = tuple(number for name, number in AXES.items() if name != axis)
    planes = energy.sum(others, dtype=np.float64)
    return planes / np.maximum(planes.sum(axis=1, keepdims=True), 1e-9)


def observables(volumes: Volumes):
    """{name: `[N]`}: sampling fraction, centre and width along each axis (cells), lit cells, the largest share."""
    found = {"sampling_fraction": sampling_fraction(volumes)}
    for axis in AXES:
        shares = profile(volumes.energy, axis)
        position = np.arange(shares.shape[1]) + 0.5
        centre = shares @ position
        spread = np.maximum(shares @ position**2 - centre**2, 0)
        found |= {f"centre_{axis}": centre, f"width_{axis}": np.sqrt(spread)}
    found["lit_cells"] = (volumes.energy > LIT).sum((1, 2, 3)).astype(float)
    total = np.maximum(volumes.energy.sum((1, 2, 3), dtype=np.float64), 1e-9)
    found["largest_cell"] = volumes.energy.max((1, 2, 3)) / total
    return found
