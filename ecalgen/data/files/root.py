"""ROOT files: a tree with a branch for each column, read and written block by block through uproot.

The tree is `ecalNT`, unless another one is told.

The energies of an event may be a 30 x 30 or a flat array, or a vector of 900; float16 is stored as float32, since ROOT
has no such type.
"""
import contextlib
import functools
import hashlib
import itertools
import json
import math
import pathlib
from collections.abc import Callable, Iterator

import awkward as ak
import numpy as np
import uproot

from ecalgen.data.showers import BadShowers, Header
from ecalgen.machine.chunks import slices
from ecalgen.machine.records import shown

TREE = "ecalNT"
CHECKSUMS = "Checksums"
TEXTS = ("Provenance", "Grid")
"""Texts that may lie beside the tree."""
COPY = "copy or make the file again"
BASKET, BASKET_BYTES = 1000, 2**27
"""Most events, and most bytes of a column, that are compressed together, and so read together."""


def headers(path: pathlib.Path, columns: dict[str, tuple[int, ...]], tree: str = TREE) -> dict[str, Header]:
    """{column: header} for those of the columns that the tree holds.

    `columns` gives the shape of an event in each column. The header of a vector does not say how long it is, so a
    vector is taken for as long as it should be.
    """
    with _tree(path, tree) as (found, _):
        return {column: _header(path, column, found[column], shape) for column, shape in columns.items()
                if column in found}


def blocks(path: pathlib.Path, columns: dict[str, tuple[int, ...]], size: int | None = None,
           tree: str = TREE) -> Iterator[dict[str, np.ndarray]]:
    """{column: rows} for those of the columns that the tree holds, in blocks of `size` rows, or whole.

    Checksums that `writing` has left are compared before the last rows are given.
    """
    with _tree(path, tree) as (found, expected):
        present, events = [column for column in columns if column in found], max(found.num_entries, 1)
        for column in present:
            _check_baskets(path, column, found[column], columns[column])
        sums = {column: hashlib.sha256() for column in present}
        for part in slices(events, size or events):
            rows = {column: found[column].array(entry_start=part.start, entry_stop=part.stop, array_cache=None)
                    for column in present}
            rows = {column: _plain(path, column, rows[column], columns[column]) for column in present}
            for column in present:
                sums[column].update(_bytes(rows[column]))
            if part.stop == events:
                _check_sums(path, expected, sums)
            yield rows


def names(path: pathlib.Path, tree: str = TREE) -> list[str]:
    """The branches of the tree."""
    with _tree(path, tree) as (found, _):
        return found.keys(full_paths=False)


def text(path: pathlib.Path, name: str) -> str | None:
    """A text that `writing` got; None if there is none of that name."""
    with _opened(path) as file:
        if name not in file:
            return None
        found = str(file[name])
        _check_sums(path, _expected(path, file), {name: hashlib.sha256(found.encode())})
        return found


@contextlib.contextmanager
def writing(path: pathlib.Path, texts: dict[str, str]) -> Iterator[Callable]:
    """Yields a function that appends {column: rows}; SHA-256 checksums of columns and `texts` follow them."""
    sums = {}
    with uproot.recreate(path) as file:
        yield functools.partial(_append, file, sums)
        for name, content in texts.items():
            file[name] = content
            sums[name] = hashlib.sha256(content.encode())
        file[CHECKSUMS] = json.dumps({column: total.hexdigest() for column, total in sums.items()})


def _append(file, sums, columns):
    rows = {column: value.astype(np.float32) if value.dtype == np.float16 else value
            for column, value in columns.items()}
    if TREE not in file:
        file.mktree(TREE, {column: np.dtype((value.dtype, value.shape[1:])) for column, value in rows.items()})
    widest = max(value.itemsize * math.prod(value.shape[1:]) for value in rows.values())
    for basket in slices(len(next(iter(rows.values()))), min(BASKET, max(1, BASKET_BYTES // widest))):
        file[TREE].extend({column: value[basket] for column, value in rows.items()})
    for column, value in rows.items():
        sums.setdefault(column, hashlib.sha256()).update(_bytes(value))


def _bytes(rows):
    """Rows as bytes that do not depend on the machine."""
    return np.ascontiguousarray(rows, rows.dtype.newbyteorder("<")).tobytes()


@contextlib.contextmanager
def _opened(path):
    with uproot.open(path) as file:
        if path.stat().st_size < file.file.fEND:
            raise BadShowers(f"{path} is not whole: it ends after {path.stat().st_size:,} of {file.file.fEND:,} bytes; "
                             f"{COPY}")
        yield file


@contextlib.contextmanager
def _tree(path, name):
    """The tree of that name, and {column: checksum} of one that ecalgen has written, or nothing."""
    with _opened(path) as file:
        if not isinstance(file.get(name), uproot.TTree):
            if name in file:
                raise BadShowers(f"{path}: {shown(name)} is a {file.classname_of(name)}, not a tree; write it as a "
                                 "TTree, in uproot with mktree")
            trees = shown(", ".join(sorted(file.keys(cycle=False))[:10]), 300) or "nothing"
            raise BadShowers(f"{path}: no tree {shown(name)}, the file holds {trees}; name its tree, with "
                             "--config.data.tree of a run or tree=... of load_showers")
        tree, expected = file[name], _expected(path, file) if name == TREE else {}
        missing = [column for column in expected if column not in (*tree.keys(recursive=False), *TEXTS)]
        if missing:
            raise BadShowers(f"{path}: {missing[0]} was written and is gone; {COPY}")
        yield tree, expected


def _expected(path, file):
    """{column: checksum} as written, empty for files of other programs."""
    if CHECKSUMS not in file:
        return {}
    try:
        return dict(json.loads(str(file[CHECKSUMS])))
    except (ValueError, TypeError) as error:
        raise BadShowers(f"{path}: {CHECKSUMS} cannot be read ({error}); {COPY}") from error


def _check_sums(path, expected, sums):
    for column, total in sums.items():
        if column in expected and expected[column] != total.hexdigest():
            raise BadShowers(f"{path}: {column} is not what was written, by its checksum; {COPY}")


def _header(path, column, branch, usual):
    """Rows, shape and type of a branch, as its interpretation says."""
    rows, kind = branch.num_entries, branch.interpretation
    if rows < 0 or branch.entry_offsets[-1] != rows:
        raise BadShowers(f"{path}: {column} says {rows} rows and stores {branch.entry_offsets[-1]}; {COPY}")
    if isinstance(kind, uproot.AsJagged):
        return Header((rows, *usual), getattr(kind.content, "to_dtype", np.dtype(object)))
    if not isinstance(kind, uproot.AsDtype):
        return Header((rows,), np.dtype(object))
    dtype = np.dtype(kind.to_dtype)
    return Header((rows, *dtype.shape), dtype.base)


def _check_baskets(path, column, branch, usual):
    """Raise a `BadShowers` for a basket that unpacks to more bytes than its rows can be."""
    (rows, *shape), dtype = _header(path, column, branch, usual)
    for basket, (start, stop) in enumerate(itertools.pairwise(branch.entry_offsets)):
        most = 4096 + (stop - start) * (64 + 2 * math.prod(shape) * dtype.itemsize)
        if branch.basket_uncompressed_bytes(basket) > most:
            raise BadShowers(f"{path}: {column} unpacks to more bytes than its {rows} rows need; write numbers of "
                             f"shape {shape} for each event")


def _plain(path, column, rows, usual):
    """Rows of a branch as a plain array; vectors of equal length are its rows."""
    try:
        rows = ak.to_numpy(ak.to_regular(rows, axis=None))
    except ValueError as error:
        raise BadShowers(f"{path}: {column} differs in length from event to event; write as many numbers for each "
                         f"event, {math.prod(usual)} for {column}") from error
    return rows
