"""Where showers lie, and which rows of a file belong to which split: of the shipped samples or a user's own file.

The electrons that ship have four splits. `train` and `validation` are for training. `selection` is for every choice
between recipes or models. `test` is a production of its own, which no choice has seen. Other files have no `selection`.
"""
import os
import pathlib
from collections.abc import Iterator

import numpy as np

from ecalgen.data.files.formats import FORMATS, count_showers, iter_showers
from ecalgen.data.files.layout import Layout
from ecalgen.data.showers import BadShowers, Showers
from ecalgen.data.splits import drawn_splits, ordered_splits
from ecalgen.errors import ConfigError

NAME = "ecal_shashlik"
SPLITS = ("train", "validation", "selection", "test")
SAMPLES = pathlib.Path(__file__).parent / "samples"
SHIPPED = {
    "electron_5d": "Electrons of 1 to 100 GeV; energy, direction and entry point vary.",
    "electron_1d": "Electrons of 1 to 100 GeV at normal incidence in the centre; only the energy varies.",
    "photon_5d": "Photons of 1 to 100 GeV; energy, direction and entry point vary.",
}
"""Shipped sample -> what it holds."""
DEFAULT = "electron_5d"
FILES = ("electron_layered",)
"""Shipped samples that are read as files are, without TFDS."""
USUAL = Layout()
"""The layout of files of which nothing is told."""


def sample_path(name: str = "electron_5d") -> pathlib.Path:
    """The npz of a shipped sample.

    Raises:
      ConfigError: for an unknown name; the message lists those there are.
    """
    names = sorted(path.stem for path in SAMPLES.glob("*.npz"))
    if name not in names:
        raise ConfigError(f"no shipped sample is called {name!r}; there are {', '.join(names)}")
    return SAMPLES / f"{name}.npz"


def split_rows(path: pathlib.Path, layout: Layout = USUAL) -> dict[str, tuple[pathlib.Path, np.ndarray]]:
    """Split -> the file that holds it and its rows there, in the order of the split.

    A user's file is split at random (`splits.drawn_splits`), a shipped sample in its order. Where a shipped sample has
    a test file of its own, the split in the place of `test` is called `selection`. `layout` is that of a
    user's file.

    Raises:
      BadShowers: for a faulty file, or one of fewer than 10 showers.
    """
    shipped = is_shipped(path)
    divide = ordered_splits if shipped else drawn_splits
    try:
        parts = {split: (path, rows) for split, rows in divide(count_showers(path, **vars(layout))).items()}
    except BadShowers as error:
        raise BadShowers(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    test = path.with_name(f"{path.stem}_test.npz")
    if shipped and test.exists():
        parts |= {"selection": parts["test"], "test": (test, np.arange(count_showers(test)))}
    return {split: parts[split] for split in SPLITS if split in parts}


def own_file(source: str | os.PathLike) -> pathlib.Path | None:
    """The path of a user's file or of one of FILES, or None for another shipped sample.

    Raises:
      ConfigError: the source is neither.
    """
    path = pathlib.Path(source)
    name, _, sample = os.fspath(source).partition("/")
    if path.suffix:
        return path
    if name in FILES and not sample:
        return sample_path(name)
    if name != NAME:
        raise ConfigError(f"unknown data {os.fspath(source)!r}; give {NAME}/electron_5d or the path of a file of "
                          f"showers ({', '.join(FORMATS)})")
    if (sample or DEFAULT) not in SHIPPED:
        raise ConfigError(f"no shipped sample is called {sample!r}; there are {', '.join(SHIPPED)}")
    return None


def sample_name(source: str | os.PathLike) -> str:
    """`ecal_shashlik/electron_5d` -> `electron_5d`, which is also the default."""
    return os.fspath(source).partition("/")[2] or DEFAULT


def row_blocks(path: pathlib.Path, rows: np.ndarray, conventions: str, layout: Layout = USUAL) -> Iterator[Showers]:
    """The showers of a file of a layout in these ascending rows, in blocks; `conventions` as for `load_showers`."""
    first = 0
    for block in iter_showers(path, conventions=conventions, **vars(layout)):
        inside = rows[np.searchsorted(rows, first):np.searchsorted(rows, first + len(block))] - first
        first += len(block)
        if len(inside):
            yield block[inside]
        if first > rows[-1]:
            return


def is_shipped(path: pathlib.Path) -> bool:
    """Whether a file lies among the shipped samples."""
    return path.parent.resolve() == SAMPLES.resolve()
