"""Where the fields of `Showers` lie in a file of showers, and how its columns become these fields.

A few kinds of public files are known by the names of their columns (PUBLIC). Any other name is told. In place of a
momentum a file may hold the energy of the incident particle. The particle then flies along its `direction`, or along z
without one. It enters at the centre, unless the file holds its point.
"""
import dataclasses
import itertools
import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ecalgen.data.files.clouds import binned, check_cloud
from ecalgen.data.grid import GRIDS, LAYERED, SHASHLIK, Grid
from ecalgen.data.showers import KEYS, BadShowers, Header, check_columns, check_numbers, event_shapes
from ecalgen.errors import ConfigError

COMPONENTS = {"energy": 1, "momentum": 3, "incident_energy": 1, "direction": 3, "point": 2, "pdg": 1}
"""Field that may be told -> number of its components, which one column holds together, or one column each."""
USUAL = {field: (column,) for field, column in KEYS.items()} | {"incident_energy": ("incident_energy",)}
"""Field -> its columns in a file whose names are not told."""
ECAL = ("ECAL",)
PUBLIC = (
    {},
    {"energy": ("showers",), "incident_energy": ("incident_energies",)},
    {"energy": ECAL, "incident_energy": ("energy",)},
    {"energy": ("showers",), "count": ("num_points",), "incident_energy": ("energies",), "direction": ("directions",),
     "pdg": ("pdg",)})
"""What differs from USUAL in public files: ours, the calorimeter challenge's, the 25 x 25 x 25 data, ShowerData."""
SCALES = {"ECAL": 1000.0, "incident_energies": 1e-3}
"""Column of public files -> what its unit is in units of `Showers`; columns without an entry have these units."""
SHOWN = 20
"""Largest number of names of columns in a message."""


@dataclasses.dataclass(frozen=True)
class Layout:
    """What is told of a file of showers; its fields are arguments of `formats.load_showers`.

    Args:
      grid: of the cells, for a file that does not say it.
      columns: field of COMPONENTS -> the name of its column, or the names of the columns of its components. Fields that
        are left out have the usual names.
      tree: of a ROOT file, or group of an HDF5 file, that holds the columns; the usual one when None.

    Raises:
      ConfigError: an unknown field, names that cannot be, or fields that exclude each other.
    """

    grid: Grid | None = None
    columns: Mapping[str, str | Iterable[str]] | tuple = ()
    tree: str | None = None

    def __post_init__(self):
        names = {field: _names(field, name) for field, name in dict(self.columns or {}).items()}
        if {"momentum", "incident_energy"} <= names.keys():
            raise ConfigError("columns names a momentum and an incident_energy; give one of them")
        if "direction" in names and "incident_energy" not in names:
            raise ConfigError("columns names a direction without an incident_energy; give both, or a momentum")
        object.__setattr__(self, "columns", tuple(sorted(names.items())))


class Found(NamedTuple):
    """Where the showers of a file lie.

    Args:
      fields: field -> names of its columns, of the fields that are read.
      grid: of the cells.
      named: whether the file or its reader names that grid.
      tree: that of the `Layout`.
    """

    fields: dict[str, tuple[str, ...]]
    grid: Grid
    named: bool = True
    tree: str | None = None


def find_columns(layout, held, cells=True):
    """The {field: names} that are read from a file, which may lack some of them.

    Args:
      layout: of the file.
      held: names of its columns. Those that the layout tells are looked for only when they are read.
      cells: whether the file holds showers, and not only their particles.
    """
    told = dict(layout.columns)
    held = {*held, *(name for names in told.values() for name in names)}
    known = [USUAL | public for public in PUBLIC]
    options = [names | told for names in known if told.get("energy", names["energy"]) == names["energy"]]
    options = options or [USUAL | told]
    options = [names for names in options if set(names["energy"]) <= held] or (options[:1] if cells else options)
    fields = [_fields(names, told, held, cells) for names in options]
    return next((read for read in fields if held.issuperset(itertools.chain(*read.values()))), fields[0])


def shapes(fields, grid):
    """{column: shape of an event}, for formats that do not say it."""
    usual = {field: shape for field, (shape, *_) in event_shapes(grid).items()} | {"direction": (3,)}
    return {name: usual.get(field, ()) if len(names) == 1 else () for field, names in fields.items() for name in names}


def usual_grid(fields, headers):
    """The grid of a file that says none, where none is told; None for points, which have no cells."""
    if "count" in fields:
        return None
    if fields.get("energy") == ECAL and headers[ECAL[0]].shape[1:] == LAYERED.shape:
        return LAYERED
    return SHASHLIK


def check_headers(headers, found):
    """Check types and shapes before any value is read: {column: `Header`}.

    Raises:
      BadShowers: a column holds no numbers, or has a wrong shape.
    """
    fields, checked = found.fields, {}
    if "energy" in fields:
        checked["energy"] = _cells(headers, found)
    for field in ("momentum", "point", "pdg"):
        if field in fields:
            checked[field] = _joined(fields[field], headers)
    if "incident_energy" in fields:
        checked["momentum"] = _along(fields, headers)
    check_columns(checked, found.grid)


def fields_of(rows, found):
    """{field of `Showers`: its values} from the {column: rows} of a file.

    Raises:
      BadShowers: values whose shape is not that of the headers.
    """
    check_headers({name: Header(values.shape, values.dtype) for name, values in rows.items()}, found)
    fields = found.fields
    made = {field: _stacked(fields[field], rows) for field in ("momentum", "point", "pdg") if field in fields}
    if "incident_energy" in fields:
        made["momentum"] = _flying(fields, rows)
        made.setdefault("point", np.zeros((len(made["momentum"]), 2), np.float32))
    if "count" in fields:
        made["energy"] = binned(rows[fields["energy"][0]], rows[fields["count"][0]], found.grid)
    elif "energy" in fields:
        made["energy"] = ordered(_stacked(fields["energy"], rows), found.grid)
    return made


def ordered(energy, grid):
    """Cells of a file as those of a grid, `[N, *grid.shape]`.

    The cells of an event may be one row. Those of rings are then in the order of the calorimeter challenge: layer by
    layer, in a layer sector by sector, and in a sector from the innermost ring. Those of other grids are in the order
    of `[ix, iy]` or `[ix, iy, iz]`.
    """
    if grid.radii is not None and grid.deep and energy.ndim == 2:
        sectors, rings, layers = grid.shape
        return energy.reshape(-1, layers, sectors, rings).transpose(0, 2, 3, 1)
    return energy.reshape(-1, *grid.shape)


def wrong_grid(has, grid, named=True, fitting=()):
    """The `BadShowers` of a file of other cells than expected.

    Args:
      has: what the file has.
      grid: that is expected.
      named: whether anything names it.
      fitting: names of calorimeters with such cells as the file has.
    """
    taken = "" if named else ", which are taken where no calorimeter is named"
    fit = f" ({' or '.join(fitting)} has such cells)" if fitting else ""
    return BadShowers(
        f"{has}, and {grid} ({grid.name}) are expected{taken}; name the calorimeter of the file, one of "
        f"{', '.join(GRIDS)}{fit}, or describe its cells: with --config.data.calorimeter, --config.data.grid or "
        "--config.data.binning of a run, with load_showers(path, grid=...) in Python, from which save_showers writes a "
        "file for all other commands; or give a file of the expected cells")


def shown_names(fields):
    """Usual column -> how messages name what the file holds in its place."""
    shown = {}
    for field, column in KEYS.items():
        names = fields.get(field, (column,))
        shown[column] = names[0] if len(names) == 1 else f"{column} ({', '.join(names)})"
    if "incident_energy" in fields:
        shown[KEYS["momentum"]] = f"the momentum of {fields['incident_energy'][0]}"
    return shown


def _names(field, names):
    """The names of the columns of a field, as a tuple."""
    if field not in COMPONENTS:
        raise ConfigError(f"columns names the field {field!r}; the fields are {', '.join(COMPONENTS)}")
    names = (names,) if isinstance(names, str) or not isinstance(names, Iterable) else tuple(names)
    if len(names) not in (1, COMPONENTS[field]) or not all(
            isinstance(name, str) and name and name.isprintable() for name in names):
        several = f", or of {COMPONENTS[field]} columns, one for each component" if COMPONENTS[field] > 1 else ""
        raise ConfigError(f"columns gives {names!r} for {field}; give the name of one column{several}")
    return names


def _fields(names, told, held, cells):
    """Of the {field: names} that a file may have, those that are read."""
    given = told.keys() & {"momentum", "incident_energy"}
    has = lambda field: set(names[field]) <= held
    flying = "incident_energy" in given or not given and not has("momentum") and (
        has("incident_energy") or names["incident_energy"] != USUAL["incident_energy"])
    wanted = {"energy", "count"} if cells else set()
    wanted |= {"incident_energy", "direction"} if flying else {"momentum", "point"}
    wanted |= {field for field in ("point", "pdg")[:1 + cells] if field in told or has(field)}
    return {field: names[field] for field in names if field in wanted}


def _joined(names, headers):
    """The header of a column, or of several that hold one component each."""
    if len(names) == 1:
        return headers[names[0]]
    rows = headers[names[0]].shape[:1]
    for name in names:
        check_numbers(name, headers[name])
        if headers[name].shape != rows or not rows:
            raise BadShowers(f"{name} has shape {list(headers[name].shape)}, not {list(rows) or '[N]'}; give one "
                             "number for each event")
    return Header((*rows, len(names)), headers[names[0]].dtype)


def _cells(headers, found):
    """The header of the cells; those of an event may be one row, and points are binned into them.

    Raises:
      BadShowers: they are cells of another grid.
    """
    grid, (name,) = found.grid, found.fields["energy"]
    header, cells = headers[name], headers[name].shape[1:]
    if "count" in found.fields:
        check_cloud(name, header, headers[found.fields["count"][0]])
        return Header((*header.shape, *grid.shape), np.dtype(np.float32))
    check_numbers(name, header)
    if cells == (math.prod(grid.shape),):
        return Header((header.shape[0], *grid.shape), header.dtype)
    if cells and cells not in event_shapes(grid)["energy"]:
        fitting = [known.name for known in GRIDS.values() if cells in (known.shape, (math.prod(known.shape),))]
        raise wrong_grid(f"{name} has shape {list(header.shape)}, cells of another calorimeter", grid, found.named,
                         fitting)
    return header


def _along(fields, headers):
    """The header of the momentum that an incident energy gives."""
    (name,) = fields["incident_energy"]
    check_numbers(name, headers[name])
    shape = headers[name].shape
    if shape[1:] not in ((), (1,)) or not shape:
        raise BadShowers(f"{name} has shape {list(shape)}, not [N] or [N, 1]; write one energy for each event")
    if "direction" in fields:
        header = _joined(fields["direction"], headers)
        check_numbers(fields["direction"][0], header)
        if header.shape != (shape[0], 3):
            raise BadShowers(f"{fields['direction'][0]} has shape {list(header.shape)}, not [{shape[0]}, 3]; write x, "
                             "y and z of each direction")
    return Header((shape[0], 3), headers[name].dtype)


def _stacked(names, rows):
    """The values of a field, in units of `Showers`: `[N, ...]`."""
    values = [_scaled(name, rows[name]) for name in names]
    return values[0] if len(values) == 1 else np.stack(values, axis=1)


def _scaled(name, values):
    """The values of a column in units of `Showers`; float16 would end at 65,504 MeV."""
    return values.astype(np.result_type(values, np.float32)) * SCALES[name] if name in SCALES else values


def _flying(fields, rows):
    """The momentum (px, py, pz) of particles of known energy and direction, GeV: float64 `[N, 3]`."""
    energy = _stacked(fields["incident_energy"], rows).astype(np.float64).reshape(-1, 1)
    if "direction" not in fields:
        return energy * [[0.0, 0.0, 1.0]]
    direction = _stacked(fields["direction"], rows).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):  # what is not finite is refused later
        return energy * direction / np.linalg.norm(direction, axis=1, keepdims=True)
