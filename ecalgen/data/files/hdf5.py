"""HDF5 files: a data set for each column, read and written block by block through h5py.

They lie at the top of the file, unless a group is told. Showers without depth are written as the public calorimeter
challenge's are: `showers` (N, cells) and `incident_energies` (N, 1), both in MeV, with our columns of the particle
beside them. The cells of an event are in the order of `[ix, iy]`.
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
from ecalgen.machine.records import shown

TREE = "/"
SHOWERS, INCIDENT = "showers", "incident_energies"
CHUNK = 100
"""Events that are compressed together."""
LARGEST_CHUNK = 2**30
"""Bytes that a chunk of a data set may fill in memory."""


def headers(path: pathlib.Path, columns: Iterable[str], tree: str = TREE) -> dict[str, Header]:
    """{column: header} for those of the columns that the group holds.

    The type of a column of rows of any length has the type of their numbers as its metadata `vlen`.
    """
    with h5py.File(path, "r") as file:
        return {column: Header((data.shape or ()) + data.dtype.shape, data.dtype.base)
                for column, data in _data_sets(path, file, columns, tree).items()}


def blocks(path: pathlib.Path, columns: Iterable[str], size: int | None = None,
           tree: str = TREE) -> Iterator[dict[str, np.ndarray]]:
    """{column: rows} for those of the columns that the group holds, in blocks of `size` rows, or whole."""
    with h5py.File(path, "r") as file:
        sources = _data_sets(path, file, columns, tree)
        events = max((len(data) for data in sources.values() if data.shape), default=0) or 1
        for rows in slices(events, size or events):
            yield {column: data[rows] if data.shape else data[()] for column, data in sources.items()}


def names(path: pathlib.Path, tree: str = TREE) -> list[str]:
    """What the group holds, links among it, and the data sets of the groups in it."""
    with h5py.File(path, "r") as file:
        group = _group(path, file, tree)
        found = list(group)
        group.visititems(lambda name, value: found.append(name) if isinstance(value, h5py.Dataset) else None)
    return sorted(set(found))


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
    """Columns of showers with the cells flattened and the energy of the particle, MeV; other columns as they are.

    Cells that are read out in depth keep their axes.
    """
    if KEYS["energy"] not in columns or columns[KEYS["energy"]].ndim > 3:
        return columns
    energy, momentum = columns[KEYS["energy"]], columns[KEYS["momentum"]]
    incident = 1000 * np.linalg.norm(momentum, axis=1, keepdims=True)
    others = {column: value for column, value in columns.items() if column != KEYS["energy"]}
    return {SHOWERS: energy.reshape(len(energy), -1), INCIDENT: incident} | others


def _data_sets(path, file, columns, tree):
    """{column: data set} for those that the group has."""
    group = _group(path, file, tree)
    found = {column: _data_set(path, group, column) for column in columns}
    return {column: data for column, data in found.items() if data is not None}


def _group(path, file, tree):
    """The group of a name, "/" being the whole file."""
    group = file if tree == TREE else _resolved(path, file, tree)
    if not isinstance(group, h5py.Group):
        held = shown(", ".join(name for name in file if file.get(name, getclass=True, getlink=True) is h5py.HardLink
                               and file.get(name, getclass=True) is h5py.Group), 300) or "no group"
        raise BadShowers(f"{path}: no group {shown(tree)}, the file holds {held}; name its group, with "
                         "--config.data.tree of a run or tree=... of load_showers, or leave it out")
    return group


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
