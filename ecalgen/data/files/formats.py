"""Reading files of showers, in each format. For a faulty file a `BadShowers` names file, column and remedy.

The columns are those of the public files: EnergyDeposit (N, nx, ny), (N, nx, ny, 1), (N, nx, ny, nz) or (N, cells) in
MeV, ParticleMomentum (N, 3) in GeV, ParticlePoint (N, 2) or (N, 3) in cm and, optionally, ParticlePDG (N,). Columns of
other names are told; `layout.py` describes them, and other public files. Other columns are ignored. The suffix tells
the format: `.npz` (npz.py), `.root` (root.py), `.h5` or `.hdf5` (hdf5.py). A text `Grid` says the grid of the cells. A
file without it holds cells of the grid that the caller names, or else of the grid of the shipped showers.
"""
import contextlib
import importlib
import json
import math
import os
import pathlib
import re
import warnings
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ecalgen.data.files.layout import (
    SHOWN,
    Found,
    Layout,
    check_headers,
    fields_of,
    find_columns,
    shapes,
    shown_names,
    usual_grid,
    wrong_grid,
)
from ecalgen.data.files.orientation import check_entry, check_possible, detect, standardise
from ecalgen.data.grid import GRID_RECORD, SHASHLIK, Grid, read_grid
from ecalgen.data.showers import KEYS, BadShowers, Showers, check_incident
from ecalgen.errors import UserError
from ecalgen.machine.records import RecordError, parse_record, shown

FORMATS = {".npz": "npz", ".root": "root", ".h5": "hdf5", ".hdf5": "hdf5"}
"""Suffix -> the module in `ecalgen.data.files` that reads and writes it, and the extra of the package that it needs."""
EVENT_INDEX = "EventIndex"
PROVENANCE, GRID = "Provenance", "Grid"
"""Names of the texts that lie beside the columns."""
CONVENTIONS = ("detect", "as_is")
EXAMINED = 2000
"""Number of first showers from which units and axes of a file are detected."""
BLOCK, BLOCK_CELLS = 10_000, 50_000_000
"""Largest number of showers, and of cells, of a block that `iter_showers` reads, where no other number is given."""


class ConvertedUnits(UserWarning):
    """Showers were converted into the units and axes of `Showers`; the text names the file and what was done."""


class UncheckedShowers(UserWarning):
    """Showers are too few to tell whether they follow their particles; the text names the file."""


def load_showers(path: str | os.PathLike, conventions: str = "detect", grid: Grid | None = None,
                 columns: Mapping | None = None, tree: str | None = None) -> Showers:
    """Reads the showers in a file.

    Args:
      path: of a suffix in FORMATS.
      conventions: `detect` finds the units and axes from the first EXAMINED showers (orientation.py). It converts what
        differs with a `ConvertedUnits` warning; where it cannot know, it issues an `UncheckedShowers` warning. `as_is`
        reads the file unchanged.
      grid: of the cells, for a file that does not say it.
      columns: names of columns, where they differ from the usual ones: {"energy": "cells", "momentum": ("px", "py",
        "pz")}; the fields are those of `layout.COMPONENTS`.
      tree: of a ROOT file, or group of an HDF5 file, that holds the columns.

    Raises:
      BadShowers: when there is no such file, its suffix is not one of FORMATS, it is damaged, a column is missing, its
        values break the contract of `Showers`, it belongs to another grid, or its showers contradict their particles:
        in all units and axes, by more energy than the particle has, or by a point beside the cells.
      ConfigError: `columns` cannot be.
    """
    _check_conventions(conventions)
    found = _find(path, Layout(grid, columns, tree))
    return next(_showers(path, found, known=_told(path, conventions, found)))


def iter_showers(path: str | os.PathLike, size: int | None = None, conventions: str = "detect",
                 grid: Grid | None = None, columns: Mapping | None = None,
                 tree: str | None = None) -> Iterator[Showers]:
    """Reads the showers in a file in order, in blocks of at most `size`, so that memory holds only one block.

    Args:
      path: of a suffix in FORMATS.
      size: showers in a block; the last one may be smaller. BLOCK, or fewer of many cells, when None.
      conventions: that of `load_showers`, with the same result.
      grid: that of `load_showers`.
      columns: those of `load_showers`.
      tree: that of `load_showers`.

    Raises:
      BadShowers: the errors of `load_showers`; for values, when the faulty block is reached.
    """
    _check_conventions(conventions)
    if size is not None and size < 1:
        raise UserError(f"size is {size}; read at least 1 shower at a time")
    found = _find(path, Layout(grid, columns, tree))
    size = size or min(BLOCK, max(1, BLOCK_CELLS // math.prod(found.grid.shape)))
    return _showers(path, found, size, _told(path, conventions, found))


def find_grid(path: str | os.PathLike, grid: Grid | None = None, columns: Mapping | None = None,
              tree: str | None = None) -> Grid:
    """The grid of the cells in a file.

    This is the one that the file says, else the given one, else the usual one of its kind (`layout.usual_grid`).
    Arguments and errors are those of `load_showers`.
    """
    return _find(path, Layout(grid, columns, tree)).grid


def count_showers(path: str | os.PathLike, grid: Grid | None = None, columns: Mapping | None = None,
                  tree: str | None = None) -> int:
    """Number of showers in a file, without reading them.

    Arguments and errors are those of `load_showers`, except the errors of values.
    """
    found = _find(path, Layout(grid, columns, tree))
    with _readable(path) as module:
        headers = module.headers(pathlib.Path(path), shapes(found.fields, found.grid), *_inside(path, module, tree))
        with _naming(path), _renaming(found):
            check_headers(headers, found)
    return headers[found.fields["energy"][0]].shape[0]


def load_conditions(path: str | os.PathLike, grid: Grid | None = None, columns: Mapping | None = None,
                    tree: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Reads only the incident particles, momentum `[N, 3]` in GeV and point `[N, 2]` in cm; no cells are needed.

    Units must be those of the contract, since other units can be detected only from cells. Arguments are those of
    `load_showers`.

    Raises:
      BadShowers: the errors of `load_showers`.
    """
    found = _find(path, Layout(grid, columns, tree), cells=False)
    rows = next(_blocks(path, found))
    with _naming(path), _renaming(found):
        made = fields_of(rows, found)
        momentum, point = check_incident(made["momentum"], made["point"])
        check_entry(point, found.grid)
        if len(momentum) == 0:
            raise BadShowers(f"{KEYS['momentum']} holds no particles; write at least one event into it")
    return momentum, point


def load_provenance(path: str | os.PathLike) -> dict | None:
    """The provenance that `save_showers` wrote into a file; None if there is none.

    Raises:
      BadShowers: when the file cannot be read.
    """
    with _readable(path) as module:
        text = module.text(pathlib.Path(path), PROVENANCE)
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadShowers(f"{path}: Provenance is no JSON text ({_line(error)}); write the file again") from error
    if not isinstance(found, dict):
        raise BadShowers(f"{path}: Provenance is a {type(found).__name__}, not a JSON object; write the file again")
    return found


def read_blocks(path: str | os.PathLike, columns: dict[str, tuple[int, ...]], check: Callable,
                size: int | None = None, tree: str | None = None) -> Iterator[dict]:
    """{column: rows} of a file of any known suffix, in blocks of `size` rows or whole.

    Args:
      path: of a suffix in FORMATS.
      columns: to be read, each with the shape of an event, for formats that do not say it.
      check: takes {column: `Header`} before any value is read, and raises a `BadShowers` for faulty ones.
      size: rows in a block.
      tree: of a ROOT file, or group of an HDF5 file; the usual one when None.

    Raises:
      BadShowers: when there is no such file, it is damaged, or a column is missing; values are not checked.
    """
    with _readable(path) as module:
        inside = _inside(path, module, tree)
        headers = module.headers(pathlib.Path(path), columns, *inside)
        if missing := [column for column in columns if column not in headers]:
            raise _missing(path, missing, module.names(pathlib.Path(path), *inside))
        with _naming(path):
            check(headers)
        yield from module.blocks(pathlib.Path(path), columns, size, *inside)


@contextlib.contextmanager
def _readable(path):
    """The module that reads a file; any error of it becomes a `BadShowers`."""
    path = pathlib.Path(path)
    if os.path.isdir(path):
        raise BadShowers(f"{path} is a folder; give the path of a file in it")
    if not os.path.exists(path):
        raise BadShowers(f"{path}: there is no such file in {path.absolute().parent}; check the path")
    module = format_module(path)
    if not os.path.isfile(path):
        raise BadShowers(f"{path} is a device or a pipe, not a file; give the path of a regular file")
    try:
        yield module
    except BadShowers:
        raise
    except Exception as error:  # a damaged file can make a reader raise nearly anything, even MemoryError
        fault = _line(error).replace(str(path), path.name)
        raise BadShowers(f"{path} cannot be read as {path.suffix} ({fault}); check that you may read it and that it is "
                         "whole, and copy or make it again otherwise") from error


def _line(error):
    """The message of an error in one line of at most 200 characters."""
    return shown(error, 200) or type(error).__name__


def _missing(path, missing, held, field="energy"):
    """The `BadShowers` of columns that a file lacks, the first of them of this field; it lists those it holds."""
    names = ", ".join(sorted(held)[:SHOWN]) + ", ..." * (len(held) > SHOWN)
    return BadShowers(
        f"{path}: no column {' and no '.join(missing)}; the file holds {shown(names, 500) or 'no columns'}: name its "
        f"own, with --config.data.columns.{field}=... of a run or load_showers(path, columns={{'{field}': ...}}), from "
        "which save_showers writes a file for all other commands; or write what is missing under exactly that name")


def format_module(path: pathlib.Path):
    """The module that reads and writes files of this suffix; only it imports the library of the format.

    Raises:
      BadShowers: for an unknown suffix, or a library that is not installed.
    """
    if path.suffix.lower() not in FORMATS:
        raise BadShowers(f"{path}: unknown suffix {path.suffix!r}; the formats are {', '.join(FORMATS)}")
    name = FORMATS[path.suffix.lower()]
    try:
        return importlib.import_module(f"ecalgen.data.files.{name}")
    except ImportError as error:
        raise BadShowers(f"{path}: {path.suffix} files need a library that is missing ({error}); "
                         f"pip install 'ecalgen[{name}]'") from error


def _inside(path, module, tree):
    """The argument of a module that says where the columns lie in a file; none for the usual place."""
    if tree is None:
        return ()
    if not hasattr(module, "TREE"):
        raise BadShowers(f"{path}: {pathlib.Path(path).suffix} files hold no trees or groups, and {shown(tree)!r} is "
                         "told; leave out --config.data.tree, or tree=... of load_showers")
    return (tree,)


def _find(path, layout, cells=True):
    """The `Found` of a file of showers, or of particles alone without `cells`; no value is read."""
    path = pathlib.Path(path)
    with _readable(path) as module:
        inside, grid = _inside(path, module, layout.tree), _said_grid(path, module)
        held = module.names(path, *inside)
        fields = find_columns(layout, held, cells)
        wanted = shapes(fields, grid or layout.grid or SHASHLIK)
        headers = module.headers(path, wanted, *inside)
        if missing := [name for name in wanted if name not in headers]:
            field = next(field for field, names in fields.items() if missing[0] in names)
            raise _missing(path, missing, held, field)
    if None not in (grid, layout.grid) and grid != layout.grid:
        raise wrong_grid(f"{path} holds showers of {grid} ({grid.name})", layout.grid)
    found = grid or layout.grid or usual_grid(fields, headers)
    if found is None:
        raise BadShowers(f"{path} holds points, which say no cells; name a calorimeter or describe its cells, with "
                         "--config.data.calorimeter or --config.data.grid of a run, or load_showers(path, grid=...)")
    return Found(fields, found, bool(grid or layout.grid), layout.tree)


def _said_grid(path, module):
    """The grid that the text `Grid` of a file says, or None."""
    text = module.text(path, GRID)
    if text is None:
        return None
    try:
        return read_grid(parse_record(text, GRID_RECORD))
    except RecordError as error:
        raise BadShowers(f"{path}: {GRID} is no grid ({error}); write the file again") from error


def _blocks(path, found, size=None):
    """The {column: rows} of a file whose columns are found."""
    def check(headers):
        with _renaming(found):
            check_headers(headers, found)

    return read_blocks(path, shapes(found.fields, found.grid), check, size, found.tree)


def _showers(path, found, size=None, known=None):
    """The blocks of a file, converted and checked where their conventions are known, or unchanged."""
    start = 0
    for rows in _blocks(path, found, size):
        with _naming(f"{path}, from event {start} on" if start else path), _renaming(found):
            showers = Showers(**fields_of(rows, found), grid=found.grid)
            if known is not None:
                showers = standardise(showers, known)[0]
                check_possible(showers, known.most)
        yield showers
        start += len(showers)


def _told(path, conventions, found):
    """The conventions of a file, or None for `as_is`; warns of conversions and of failed checks."""
    if conventions == "as_is":
        return None
    showers = next(_showers(path, found, EXAMINED))
    with _naming(path), _renaming(found):
        known = detect(showers.energy, showers.momentum, showers.point, showers.grid)
    for note in known.notes():
        warnings.warn(f"{path}: {_named(note, found)}", ConvertedUnits, stacklevel=3)
    if not known.checked:
        warnings.warn(_named(
            f"{path}: not checked: {len(showers)} showers are too few, or vary too little, to tell whether "
            "EnergyDeposit follows ParticlePoint and ParticleMomentum; make sure that all columns hold the same events "
            "in the same order, in MeV, GeV and cm", found), UncheckedShowers, stacklevel=3)
    return known


@contextlib.contextmanager
def _naming(path):
    """Errors name the file."""
    try:
        yield
    except BadShowers as error:
        raise BadShowers(f"{path}: {error}") from error


@contextlib.contextmanager
def _renaming(found):
    """Errors name the columns as the file does."""
    try:
        yield
    except BadShowers as error:
        raise BadShowers(_named(str(error), found)) from error


def _named(text, found):
    """A message about the usual columns, with the names of the file's own."""
    names = shown_names(found.fields)
    return re.sub("|".join(names), lambda match: names[match[0]], text)


def _check_conventions(conventions):
    if conventions not in CONVENTIONS:
        raise UserError(f"conventions is {conventions!r}; it is one of {', '.join(CONVENTIONS)}")
