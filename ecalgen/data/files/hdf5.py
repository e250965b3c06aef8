"""HDF5 files, read and written block by block through h5py, in two layouts with different names of data sets.

Our own columns are datasets of the same names. The public calorimeter challenge has `showers` (N, 900) and
`incident_energies` (N, 1), both in MeV, the cells of an event in the order of `[ix, iy]`, and its particles fly along
+z into the centre. What is written has the challenge's two datasets and, beside them, ours of the particle.
"""
import contextlib
import functools
import math
import pathlib
from collections.abc import Callable, Iterable, Iterator

import h5py
import numpy as np

from ecalgen.data.showers import KEYS, BadShowers, Header
from ecalgen.machine.chunks import slices

SHOWERS, INCIDENT = "showers", "incident_energies"
CHUNK = 100
"""Events that are compressed together."""
LARGEST_CHUNK = 2**30
"""Bytes that a chunk of a data set may fill in memory."""


def headers(path: pathlib.Path, columns: Iterable[str]) -> dict[str, Header]:
    """{column: header} for those of the columns that the file holds."""
    with h5py.File(path, "r") as file:
        return {column: header for column, (_, _, header) in _sources(path, file, columns).items()}


def blocks(path: pathlib.Path, columns: Iterable[str], size: int | None = None) -> Iterator[dict[str, np.ndarray]]:
    """{column: rows} for those of the columns that the file holds, in blocks of `size` rows, or whole."""
    with h5py.File(path, "r") as file:
        sources = _sources(path, file, columns)
        events = max((len(data) for data, _, _ in sources.values() if data.shape), default=0) or 1
        for rows in slices(events, size or events):
            yield {column: convert(data[rows] if data.shape else data[()])
                   for column, (data, convert, _) in sources.items()}


def text(path: pathlib.Path, name: str) -> str | None:
    """A text that `writing` got; None if there is none of that name."""
    with h5py.File(path, "r") as file:
        found = file.attrs.get(name)
        return found.decode() if isinstance(found, bytes) else found


@contextlib.contextmanager
def writing(path: pathlib.Path, texts: dict[str, str]) -> Iterator[Callable]:
    """Yields a function that appends {column: rows}; showers are laid out as the challenge's.

    `texts` are attributes of the file.

    Damage is found when the file is read: rows carry checksums, and so does all that describes them from HDF5 1.10 on.
    """
    with h5py.File(path, "x", libver=("v110", "v110")) as file:
        yield functools.partial(_append, file)
        for name, content in texts.items():
            file.attrs[name] = np.bytes_(content.encode())  # within the checksum, unlike a text of any length


def _append(file, columns):
    for name, rows in _challenge(columns).items():
        if name not in file:
            file.create_dataset(name, (0, *rows.shape[1:]), rows.dtype, maxshape=(None, *rows.shape[1:]),
                                chunks=(CHUNK, *rows.shape[1:]), compression="gzip", shuffle=True,
                                fletcher32=True)
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


def _sources(path, file, columns):
    """{column: (data set, what makes the column of its rows, header of the column)} for those that the file has."""
    found = {column: _source(path, file, column) for column in columns}
    return {column: source for column, source in found.items() if source}


def _source(path, file, column):
    data = _data_set(path, file, column)
    if data is not None:
        return data, _unchanged, Header((data.shape or ()) + data.dtype.shape, data.dtype.base)
    if column == KEYS["energy"] and (data := _data_set(path, file, SHOWERS)) is not None:
        _check_voxels(path, data.shape or ())
        return data, _unchanged, Header(data.shape, data.dtype)
    if column in INCIDENT_COLUMNS and (data := _data_set(path, file, INCIDENT)) is not None:
        _check_energies(path, data)
        convert, width = INCIDENT_COLUMNS[column]
        return data, convert, Header((len(data), width), data.dtype)
    return None


def _data_set(path, file, name):
    """The data set of a name; None when there is nothing of that name.

    Raises:
      BadShowers: for anything but a data set whose every row is stored in this file.
    """
    data = _resolved(path, file, name)
    if data is None:
        return None
    if not isinstance(data, h5py.Dataset):
        raise BadShowers(f"{path}: {name} is a {type(data).__name__.lower()}, not a data set; write its rows under "
                         "that name")
    if data.external or data.is_virtual:
        raise BadShowers(f"{path}: the rows of {name} lie in other files, which are not read; copy them into this one")
    if data.chunks and data.dtype.itemsize * math.prod(data.chunks) > LARGEST_CHUNK:
        raise BadShowers(f"{path}: {name} is stored in chunks of shape {list(data.chunks)}, too large to be read; "
                         "write it in smaller ones")
    if not _is_stored(data):
        raise BadShowers(f"{path}: {name} says shape {list(data.shape)}, but not all of it was written; write the file "
                         "again")
    return data


def _resolved(path, group, name, hops=8):
    """The object of a name, which may be a link within the file; None if there is none."""
    for part in filter(None, name.split("/")):
        if not isinstance(group, h5py.Group) or not group.id.links.exists(part.encode()):
            return None
        if group.id.links.get_info(part.encode()).type not in (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT) or hops == 0:
            raise BadShowers(f"{path}: {name} is a link out of the file, which is not followed; copy its rows into it")
        link = group.get(part, getlink=True)
        if isinstance(link, h5py.SoftLink):
            group = _resolved(path, group.file if link.path.startswith("/") else group, link.path, hops - 1)
        else:
            group = group[part]
    return group


def _is_stored(data):
    """Whether as many bytes or chunks are stored as the shape of a data set needs."""
    if not data.shape:
        return True
    if data.chunks:
        return data.id.get_num_chunks() >= math.prod(-(-n // m) for n, m in zip(data.shape, data.chunks, strict=True))
    return data.id.get_storage_size() >= math.prod(data.shape) * data.id.get_type().get_size()


def _check_voxels(path, shape):
    if len(shape) != 2:
        raise BadShowers(f"{path}: {SHOWERS} has shape {list(shape)}, not [N, cells]; write the cells of an event as "
                         "one row")


def _check_energies(path, data):
    shape = data.shape or ()
    if shape[1:] not in [(), (1,)] or not shape or data.dtype.kind not in "fiu":
        raise BadShowers(f"{path}: {INCIDENT} has shape {list(shape)} of type {data.dtype.kind!r}, not [N, 1] of "
                         "floats; write one energy in MeV for each event")


def _unchanged(rows):
    return rows


def _along_z(incident):
    """Incident energy in MeV -> momentum (0, 0, E) in GeV: `[N]` or `[N, 1]` -> `[N, 3]`."""
    incident_energy = np.asarray(incident, np.float64).reshape(-1, 1) / 1000
    return incident_energy * [[0.0, 0.0, 1.0]]


def _centre(incident):
    return np.zeros((len(incident), 2), np.float32)


INCIDENT_COLUMNS = {KEYS["momentum"]: (_along_z, 3), KEYS["point"]: (_centre, 2)}
"""Column that follows from the incident energy -> the function that makes it, and its width."""
