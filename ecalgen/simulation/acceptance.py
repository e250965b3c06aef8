"""Which particles a generator can replace in a calorimeter, and in which of its cells their showers lie."""
import math

import numpy as np

from ecalgen.data.particles import trained_range
from ecalgen.errors import UserError

SAME = 1e-3
"""Cells by which the sides of a calorimeter may differ from a whole number of them."""


class Acceptance:
    """The particles of a generator that may enter a calorimeter with cells of the same pitch.

    Args:
      trained_on: {quantity: [lowest, highest]}, the field of its card.
      grid: of the generator; its cells lie along x and y.
      sides: of the calorimeter along x and y, cm, which are whole numbers of cells.
      uniform: whether all cells are alike. A particle is then moved by the whole number of cells that brings its
        reference point nearest to the centre of the generator's cells.

    Attributes:
      shape: of the calorimeter's cells.

    Raises:
      UserError: sides that are no whole numbers of cells, or not those of the generator when the cells are not alike.
    """

    def __init__(self, trained_on, grid, sides, uniform):
        if grid.radii is not None:
            raise UserError(f"the generator has {grid}; inside Geant4 its cells must lie along x and y")
        cells = [side / pitch for side, pitch in zip(sides, grid.pitch, strict=False)]
        found = tuple(map(round, cells))
        if max(abs(number - whole) for number, whole in zip(cells, found, strict=True)) > SAME:
            raise UserError(f"the calorimeter is {sides[0]:g} x {sides[1]:g} cm, which are no whole cells of "
                            f"{grid.pitch[0]:g} x {grid.pitch[1]:g} cm; give the volume of the cells alone")
        if not uniform and found != grid.shape[:2]:
            raise UserError(f"the calorimeter has {found[0]} x {found[1]} cells and the generator {grid.shape[0]} x "
                            f"{grid.shape[1]}; give uniform=True if all cells are alike")
        self.grid, self.shape, self._uniform = grid, (*found, *grid.shape[2:]), uniform
        self._low, self._high = trained_range(trained_on, grid)

    def place(self, momentum, point):
        """Where a particle's shower lies.

        Args:
          momentum: (px, py, pz) in GeV, pz > 0.
          point: (x, y) in cm on the front face, from the centre of the calorimeter.

        Returns:
          (reason, first, moved). The reason says why the particle is refused: energy, direction or position, or "" for
          none. `first` is (ix, iy) of the calorimeter's cell that is the first cell of the shower. `moved` is the entry
          point from the centre of the generator's cells, cm.
        """
        slope = momentum[0] / momentum[2], momentum[1] / momentum[2]
        track = [at + self.grid.reference_depth * along for at, along in zip(point, slope, strict=True)]
        first = tuple(self._nearest(axis, track[axis]) for axis in (0, 1))
        centre = [(first[axis] + (self.grid.shape[axis] - self.shape[axis]) / 2) * self.grid.pitch[axis]
                  for axis in (0, 1)]
        track, moved = ([at - middle for at, middle in zip(values, centre, strict=True)] for values in (track, point))
        given = math.hypot(*momentum), *slope, *track
        outside = [not low <= value <= high for value, low, high in zip(given, self._low, self._high, strict=True)]
        beside = any(abs(at) > half for at, half in zip(moved, self.grid.half_face, strict=True))
        reason = "energy" if outside[0] else "direction" if any(outside[1:3]) else "position"
        return reason if any(outside) or beside else "", first, moved

    def _nearest(self, axis, at):
        """The first cell of a shower whose centre is nearest to a coordinate, cm."""
        if not self._uniform:
            return 0
        return round(at / self.grid.pitch[axis] + (self.shape[axis] - self.grid.shape[axis]) / 2)


def add_at(cells, shower, first):
    """Add a shower to cells, in place; its cells beyond the edges are dropped.

    Args:
      cells: `[NX, NY, ...]`.
      shower: `[nx, ny, ...]`.
      first: (ix, iy) of its first cell, which may be negative.
    """
    there = tuple(slice(max(at, 0), max(at + size, 0)) for at, size in zip(first, shower.shape, strict=False))
    here = tuple(slice(max(-at, 0), max(total - at, 0)) for at, total in zip(first, cells.shape, strict=False))
    cells[there] += shower[here]


def event_seed(seed, run, event, calorimeter):
    """Seed of an event's showers in a calorimeter of this name: a whole number below 2^64 that depends on all four."""
    return int(np.random.SeedSequence([seed, run, event, *calorimeter.encode()]).generate_state(1, np.uint64)[0])
