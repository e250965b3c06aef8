"""Files of showers, in and out. Whatever is wrong with one, a `BadShowers` names the file, the column and the remedy.

The columns are those of the public files: EnergyDeposit (N, 30, 30) or (N, 30, 30, 1) in MeV, ParticleMomentum (N, 3)
in GeV, ParticlePoint (N, 2) or (N, 3) in cm and, where there is one, ParticlePDG (N,). Other columns are ignored.
"""
import io
import os
import pathlib
import uuid
import zipfile

import numpy as np

from ecalgen.data.showers import KEYS, BadShowers, Showers, check_incident

OPTIONAL = (KEYS["pdg"],)


def load_showers(path: str | os.PathLike) -> Showers:
    """Reads the showers in a file.

    Raises:
      BadShowers: when there is no such file, its suffix is not one of `READERS`, it is damaged, a column is missing, or
        its values break the contract of `Showers`.
    """
    columns = _read(path, tuple(KEYS.values()))
    try:
        return Showers(**{field: columns.get(column) for field, column in KEYS.items()})
    except BadShowers as error:
        raise BadShowers(f"{path}: {error}") from error


def load_conditions(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Reads only the incident particles, momentum `[N, 3]` in GeV and point `[N, 2]` in cm; no EnergyDeposit needed.

    Raises:
      BadShowers: as for `load_showers`.
    """
    columns = _read(path, (KEYS["momentum"], KEYS["point"]))
    try:
        momentum, point = check_incident(columns[KEYS["momentum"]], columns[KEYS["point"]])
    except BadShowers as error:
        raise BadShowers(f"{path}: {error}") from error
    if len(momentum) == 0:
        raise BadShowers(f"{path}: {KEYS['momentum']} holds no particles; write at least one event into it")
    return momentum, point


def save_showers(path: str | os.PathLike, showers: Showers) -> None:
    """Writes showers to a compressed npz that `load_showers` reads back bit for bit.

    The file appears whole or not at all, and one that was there stays untouched until then. Folders are made as needed.

    Raises:
      BadShowers: when the suffix is not `.npz`.
      OSError: when the file cannot be written.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() != ".npz":
        raise BadShowers(f"{path}: showers are written as .npz only; give a name that ends so")
    path.parent.mkdir(parents=True, exist_ok=True)
    # A plain open, since files made by tempfile would be unreadable for the user's colleagues.
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with open(partial, "xb") as file:
            np.savez_compressed(file, **{column: getattr(showers, field) for field, column in KEYS.items()})
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read_npz(path: pathlib.Path, columns: tuple[str, ...]) -> dict[str, np.ndarray]:
    """{column: array} for those of the columns that the npz holds."""
    with zipfile.ZipFile(path) as archive:
        present = [column for column in columns if f"{column}.npy" in archive.namelist()]
        return {column: _read_array(archive, column) for column in present}


READERS = {".npz": read_npz}
"""Suffix -> function of a path and column names, giving {column: array} for those held; it may raise anything."""


def _read(path, columns):
    """{column: array} from a file of any known suffix; optional ones may be absent."""
    path = pathlib.Path(path)
    if os.path.isdir(path):
        raise BadShowers(f"{path} is a folder; give the path of a file in it")
    if not os.path.exists(path):
        raise BadShowers(f"{path}: there is no such file in {path.absolute().parent}; check the path")
    if path.suffix.lower() not in READERS:
        raise BadShowers(f"{path}: unknown suffix {path.suffix!r}; convert the file to {' or '.join(READERS)}")
    try:
        found = READERS[path.suffix.lower()](path, columns)
    except BadShowers:
        raise
    except Exception as error:  # a damaged file can make a reader raise nearly anything, even MemoryError
        raise BadShowers(f"{path} cannot be read as {path.suffix} ({error}); check that you may read it and that it is "
                         "whole, and copy or make it again otherwise") from error
    missing = [column for column in columns if column not in found and column not in OPTIONAL]
    if missing:
        raise BadShowers(f"{path}: no column {' and no '.join(missing)}; write what is missing under exactly that name")
    return found


def _read_array(archive, column):
    """One member, read to its end so that zipfile verifies the checksum, which reading only the array may skip."""
    try:
        return np.lib.format.read_array(io.BytesIO(archive.read(f"{column}.npy")), allow_pickle=False)
    except Exception as error:
        raise BadShowers(f"{archive.filename}: {column} cannot be read ({error}); write it as a plain float array, or "
                         "copy the file again if it was damaged on the way") from error
