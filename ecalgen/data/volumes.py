"""Showers in a calorimeter that is also read out in depth: their data contract and their files.

Files are those of the public 25 x 25 x 25 data: `ECAL` (N, X, Y, Z) and `energy` (N,) or (N, 1), both in GeV, as
`.npz`, `.h5` or `.hdf5`.
"""
import dataclasses
import math
import os
import pathlib

import numpy as np

from ecalgen.data import showers
from ecalgen.data.files.formats import FORMATS, VOLUMES, read_blocks, writing
from ecalgen.data.showers import BadShowers, check_numbers, first_event

INCIDENT = "energy"
LARGEST = {VOLUMES: showers.LARGEST["energy"], INCIDENT: showers.LARGEST["momentum"]}
MOST_CELLS = 10**6
SUFFIXES = tuple(suffix for suffix, module in FORMATS.items() if module != "root")


@dataclasses.dataclass(frozen=True)
class Volumes:
    """Showers in a block of cells with the energy of the particle that made each of them, checked when made.

    Args:
      energy: `[N, X, Y, Z]`, energy deposited in each cell, MeV, not negative.
      incident_energy: `[N]` (or `[N, 1]`), energy of the incident particle, GeV, positive.

    Raises:
      BadShowers: for a wrong shape, an empty set, or an energy that is not finite, negative, or zero for a particle.
    """

    energy: np.ndarray
    incident_energy: np.ndarray

    def __post_init__(self):
        energy, incident = np.asarray(self.energy), np.asarray(self.incident_energy)
        check_volumes({VOLUMES: energy, INCIDENT: incident})
        energy, incident = _finite_float32(VOLUMES, energy), _finite_float32(INCIDENT, incident)
        if (energy < 0).any() or (incident <= 0).any():
            raise BadShowers(f"{VOLUMES if (energy < 0).any() else INCIDENT} is negative, or zero for a particle; undo "
                             "any normalisation or noise subtraction first")
        object.__setattr__(self, "energy", energy)
        object.__setattr__(self, "incident_energy", incident.reshape(-1))

    def __len__(self):
        return len(self.energy)

    def __getitem__(self, index):
        """A subset, for a slice, a mask or an array of indices."""
        return Volumes(self.energy[index], self.incident_energy[index])


def check_volumes(columns) -> None:
    """Check types and shapes of {column: array or `Header`}, before any value of a file is read.

    Raises:
      BadShowers: for a column that holds no numbers, or has a wrong shape.
    """
    for name, column in columns.items():
        check_numbers(name, column)
    shape, incident = columns[VOLUMES].shape, columns[INCIDENT].shape
    if len(shape) != 4 or 0 in shape:
        raise BadShowers(f"{VOLUMES} has shape {list(shape)}, not [N, X, Y, Z] with at least one of each; "
                         "the first axis counts events, and the others the cells")
    if incident not in [(shape[0],), (shape[0], 1)]:
        raise BadShowers(f"{INCIDENT} has shape {list(incident)}, not [{shape[0]}]; give one number for each event of "
                         f"{VOLUMES}")
    if math.prod(shape[1:]) > MOST_CELLS:
        raise BadShowers(f"{VOLUMES} has shape {list(shape)}, and at most {MOST_CELLS:,} cells an event can be read; "
                         "sum neighbouring cells")


def load_volumes(path: str | os.PathLike) -> Volumes:
    """Reads the volumes in a file.

    Raises:
      BadShowers: when there is no such file, its suffix is not one of SUFFIXES, it is damaged, it holds showers in one
        layer, a column is missing, or its values break the contract of `Volumes`.
    """
    _check_suffix(path)
    columns = next(read_blocks(path, {VOLUMES: (), INCIDENT: ()}, check_volumes))
    try:
        return Volumes(np.float32(1000) * _finite_float32(VOLUMES, columns[VOLUMES]), columns[INCIDENT])
    except BadShowers as error:
        raise BadShowers(f"{path}: {error}") from error


def save_volumes(path: str | os.PathLike, volumes: Volumes) -> None:
    """Writes volumes to a file that `load_volumes` reads back, up to the rounding of MeV to GeV in float32.

    The file appears whole or not at all, and one that was there stays untouched until then. Folders are made as needed.

    Raises:
      BadShowers: when the suffix is not one of SUFFIXES.
      OSError: when the file cannot be written.
    """
    _check_suffix(path)
    with writing(path) as write:
        write(volume_columns(volumes))


def volume_columns(volumes: Volumes) -> dict[str, np.ndarray]:
    """{column: array} as they are in a file, in GeV: `ECAL` `[N, X, Y, Z]` and `energy` `[N, 1]`."""
    return {VOLUMES: volumes.energy / 1000, INCIDENT: volumes.incident_energy[:, None]}


def _check_suffix(path):
    if pathlib.Path(path).suffix.lower() not in SUFFIXES:
        raise BadShowers(f"{path}: volumes are kept in {', '.join(SUFFIXES)}; give a name that ends so")


def _finite_float32(column, value):
    with np.errstate(over="ignore"):
        value = value.astype(np.float32)
    if not np.isfinite(value).all():
        raise BadShowers(f"{column} is NaN or infinite in event {first_event(~np.isfinite(value))}; drop such events "
                         "before loading")
    if value.max(initial=0) > LARGEST[column]:
        raise BadShowers(f"{column} reaches {value.max():.3g}, and above {LARGEST[column]:g} it belongs to no particle "
                         "and no calorimeter; drop such events, or correct their unit")
    return value
