"""HDF5 files, read and written block by block through h5py, in two layouts that are told apart by their datasets.

Our own columns are datasets of the same names. The public calorimeter challenge has `showers` (N, 900) and
`incident_energies` (N, 1), both in MeV, the cells of an event in the order of `[ix, iy]`, and its particles fly along
+z into the centre. What is written has the challenge's two datasets and, beside them, ours of the particle.
"""
import contextlib
import functools
import pathlib
from collections.abc import Callable, Iterator

import h5py
import numpy as np

from ecalgen.data.showers import CELLS, KEYS, BadShowers

PROVENANCE = "Provenance"
SHOWERS, INCIDENT = "showers", "incident_energies"
CHUNK = 100
"""Events that are compressed together."""


def count(path: pathlib.Path, column: str) -> int | None:
    """The rows of a column, None when there is no such."""
    with h5py.File(path) as file:
        source = _source(path, file, column)
        return source and _length(source[0])


def blocks(path: pathlib.Path, columns: tuple[str, ...], size: int | None = None) -> Iterator[dict[str, np.ndarray]]:
    """{column: rows} for those of the columns that the file holds, `size` rows at a time, or all at once."""
    with h5py.File(path) as file:
        sources = {column: source for column in columns if (source := _source(path, file, column))}
        events = max((_length(data) for data, _ in sources.values()), default=0) or 1
        for start in range(0, events, size or events):
            rows = slice(start, start + (size or events))
            yield {column: convert(data[rows] if data.shape else data[()])
                   for column, (data, convert) in sources.items()}


def provenance(path: pathlib.Path) -> str | None:
    """The text that `writing` was given."""
    with h5py.File(path) as file:
        return file.attrs.get(PROVENANCE)


@contextlib.contextmanager
def writing(path: pathlib.Path, provenance: str | None) -> Iterator[Callable]:
    """Gives a function that appends {column: rows}; showers are laid out as the challenge's."""
    with h5py.File(path, "x") as file:
        if provenance is not None:
            file.attrs[PROVENANCE] = provenance
        yield functools.partial(_append, file)


def _append(file, columns):
    for name, rows in _challenge(columns).items():
        if name not in file:
            file.create_dataset(name, (0, *rows.shape[1:]), rows.dtype, maxshape=(None, *rows.shape[1:]),
                                chunks=(CHUNK, *rows.shape[1:]), compression="gzip", shuffle=True)
        file[name].resize(len(file[name]) + len(rows), axis=0)
        file[name][-len(rows):] = rows


def _challenge(columns):
    """Columns of showers with the cells flattened and the energy of the particle, MeV; other columns as they are."""
    if KEYS["energy"] not in columns:
        return columns
    energy, momentum = columns[KEYS["energy"]], columns[KEYS["momentum"]]
    incident = 1000 * np.linalg.norm(momentum, axis=1, keepdims=True)
    others = {column: value for column, value in columns.items() if column != KEYS["energy"]}
    return {SHOWERS: energy.reshape(len(energy), -1), INCIDENT: incident} | others


def _length(data):
    return len(data) if data.shape else 0


def _source(path, file, column):
    """Where a column is, and what makes it of the rows there; None when the file has nothing of the kind."""
    if column in file:
        return file[column], _unchanged
    if column == KEYS["energy"] and SHOWERS in file:
        _check_voxels(path, file[SHOWERS].shape)
        return file[SHOWERS], _square
    if column == KEYS["momentum"] and INCIDENT in file:
        return file[INCIDENT], _along_z
    if column == KEYS["point"] and INCIDENT in file:
        return file[INCIDENT], _centre
    return None


def _check_voxels(path, shape):
    if len(shape) != 2 or shape[1] != CELLS**2:
        raise BadShowers(f"{path}: {SHOWERS} has shape {list(shape)}, not [N, {CELLS**2}], and belongs to another "
                         f"calorimeter; only one of {CELLS} x {CELLS} cells can be read")


def _unchanged(rows):
    return rows


def _square(rows):
    return rows.reshape(-1, CELLS, CELLS)


def _along_z(incident):
    """Energy in MeV -> momentum (0, 0, E) in GeV: `[N]` or `[N, 1]` -> `[N, 3]`."""
    energy = np.asarray(incident, np.float64).reshape(-1, 1) / 1000
    return energy * [[0.0, 0.0, 1.0]]


def _centre(incident):
    return np.zeros((len(incident), 2), np.float32)
