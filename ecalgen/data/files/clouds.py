"""Point clouds of the library ShowerData, put into the cells of a grid.

Its HDF5 files hold a row of numbers of any length for each shower: (x, y, layer, energy) or (x, y, layer, energy, time)
of one point after another. x and y are in mm and energies in GeV (`showerdata/filter.py`), layers are counted from 0
(`showerdata/observables.py`). The particle enters at x = y = 0 of the first layer, as `showerdata/shift_showers.py` has
it. `num_points` holds the number of points of each shower. Sources: the repository FLC-QU-hep/ShowerData.
"""
import numpy as np

from ecalgen.data.showers import BadShowers

CM, MEV = 0.1, 1000.0
"""A mm in cm, and a GeV in MeV."""
FIELDS = (4, 5)
"""Numbers of a point, without or with its time."""


def check_cloud(name, header, count):
    """Check the header of a column of points, and that of their numbers.

    Raises:
      BadShowers: not a row of floats of any length for each shower, or not one whole number each.
    """
    inner = (header.dtype.metadata or {}).get("vlen")
    if len(header.shape) != 1 or inner is None or np.dtype(inner).kind != "f":
        raise BadShowers(f"{name} has shape {list(header.shape)} of {header.dtype}, not a row of floats of any length "
                         "for each shower; write it with showerdata")
    if count.shape != header.shape or count.dtype.kind not in "iu":
        raise BadShowers(f"num_points has shape {list(count.shape)} of {count.dtype}, not {list(header.shape)} of "
                         "integers; write the number of points of each shower")


def binned(showers, counts, grid):
    """The energy of all points in each cell; points beyond the cells are left out.

    Args:
      showers: `[N]`, rows of numbers.
      counts: `[N]`, points of each of them.
      grid: of the cells. One that is not read out in depth takes the points of all layers.

    Returns:
      float32 `[N, *grid.shape]`, MeV.

    Raises:
      BadShowers: a row that is no whole number of points.
    """
    energy = np.zeros((len(showers), *grid.shape), np.float32)
    for event, (row, count) in enumerate(zip(showers, counts, strict=True)):
        points = _points(event, np.asarray(row, np.float64), int(count))
        index, inside = cells_of(*points[:, :3].T, grid)
        np.add.at(energy[event], tuple(axis[inside] for axis in index), MEV * points[inside, 3])
    return energy


def cells_of(x, y, layer, grid):
    """Indices of the cells that points lie in, one array for each axis of the grid, and which points lie in one.

    Args:
      x, y: `[M]`, mm.
      layer: `[M]`, from 0.
      grid: of the cells.
    """
    x, y = CM * x, CM * y
    if grid.radii is None:
        half, pitch = grid.half_face, grid.pitch
        index = [np.floor((value + side) / step) for value, side, step in zip((x, y), half, pitch, strict=False)]
    else:
        angle = np.arctan2(y, x) / (2 * np.pi) % 1
        sector = np.floor(angle * grid.shape[0]) % grid.shape[0]  # an angle just below 0 is rounded to a full turn
        index = [sector, np.searchsorted(grid.radii, np.hypot(x, y), side="right") - 1.0]
    index += [np.rint(layer)] * grid.deep
    inside = np.all([(axis >= 0) & (axis < count) for axis, count in zip(index, grid.shape, strict=True)], axis=0)
    return [np.where(inside, axis, 0).astype(np.int64) for axis in index], inside


def _points(event, row, count):
    """`[points, 4 or 5]` of one shower."""
    if count == 0 == len(row):
        return np.zeros((0, FIELDS[0]))
    if count < 1 or len(row) not in [count * fields for fields in FIELDS]:
        raise BadShowers(f"showers holds {len(row)} numbers in event {event}, and num_points says {count} points; each "
                         "point has x, y, layer and energy, and may have a time")
    if not np.isfinite(row).all():
        raise BadShowers(f"showers is NaN or infinite in event {event}; drop such events before loading")
    return row.reshape(count, -1)
