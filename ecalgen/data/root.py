"""ROOT files: a tree `ecalNT` with a branch for each column, read and written block by block through uproot.

The energies of an event may be a 30 x 30 or a flat array, or a vector of 900; float16 is stored as float32, since ROOT
has no such type.
"""
import contextlib
import functools
import pathlib
from collections.abc import Callable, Iterator

import awkward as ak
import numpy as np
import uproot

from ecalgen.data.showers import CELLS, KEYS, BadShowers

TREE = "ecalNT"
PROVENANCE = "Provenance"
BASKET = 1000
"""Events that are compressed together, and so read together."""


def count(path: pathlib.Path, column: str) -> int | None:
    """The rows of a branch, None when there is no such."""
    with _tree(path) as tree:
        return tree.num_entries if column in tree else None


def blocks(path: pathlib.Path, columns: tuple[str, ...], size: int | None = None) -> Iterator[dict[str, np.ndarray]]:
    """{column: rows} for those of the columns that the tree holds, `size` rows at a time, or all at once."""
    with _tree(path) as tree:
        present, events = [column for column in columns if column in tree], max(tree.num_entries, 1)
        for start in range(0, events, size or events):
            rows = tree.arrays(present, entry_start=start, entry_stop=start + (size or events), array_cache=None)
            yield {column: _plain(path, column, rows[column]) for column in present}


def provenance(path: pathlib.Path) -> str | None:
    """The text that `writing` was given."""
    with uproot.open(path) as file:
        return str(file[PROVENANCE]) if PROVENANCE in file else None


@contextlib.contextmanager
def writing(path: pathlib.Path, provenance: str | None) -> Iterator[Callable]:
    """Gives a function that appends {column: rows}."""
    with uproot.recreate(path) as file:
        if provenance is not None:
            file[PROVENANCE] = provenance
        yield functools.partial(_append, file)


def _append(file, columns):
    rows = {column: value.astype(np.float32) if value.dtype == np.float16 else value
            for column, value in columns.items()}
    if TREE not in file:
        file.mktree(TREE, {column: np.dtype((value.dtype, value.shape[1:])) for column, value in rows.items()})
    for start in range(0, len(next(iter(rows.values()))), BASKET):
        file[TREE].extend({column: value[start:start + BASKET] for column, value in rows.items()})


@contextlib.contextmanager
def _tree(path):
    with uproot.open(path) as file:
        if TREE not in file:
            trees = ", ".join(sorted(file.keys(cycle=False))) or "nothing"
            raise BadShowers(f"{path}: no tree {TREE}, the file holds {trees}; write the showers into a tree {TREE}")
        yield file[TREE]


def _plain(path, column, rows):
    """Rows of a branch as a plain array; flat or ragged cells are made square."""
    try:
        rows = ak.to_numpy(ak.to_regular(rows, axis=None))
    except ValueError as error:
        raise BadShowers(f"{path}: {column} differs in length from event to event; write as many numbers for each "
                         f"event, {CELLS**2} for {KEYS['energy']}") from error
    flat = column == KEYS["energy"] and rows.shape[1:] == (CELLS**2,)
    return rows.reshape(-1, CELLS, CELLS) if flat else rows
