"""Hostile files of showers: each is refused with one line, or gives showers that keep their contract."""
import functools
import io
import os
import pathlib
import tempfile
import warnings
import zipfile

import awkward
import h5py
import numpy as np
import uproot
from fuzzing.harness import Trial

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.files.formats import count_showers, iter_showers, load_conditions, load_provenance, load_showers
from ecalgen.data.files.writer import save_showers
from ecalgen.data.showers import KEYS, Showers

REQUIRED = ("EnergyDeposit", "ParticleMomentum", "ParticlePoint")
COLUMNS = (*REQUIRED, "ParticlePDG")
SUFFIXES = (".npz", ".h5", ".root")


def draw(rng, folder):
    """One hostile file, of a kind and a format drawn from the generator, given to one of the functions that read."""
    kind = KINDS[rng.integers(len(KINDS))]
    path = kind(rng, folder)
    name, read = READERS[rng.integers(len(READERS))]
    return Trial(f"{kind.__name__} {path.suffix}", lambda: read(path), SOUND[name])


# Reading


def _all_blocks(path):
    blocks = list(iter_showers(path, 2))
    return Showers(*(np.concatenate([getattr(block, field) for block in blocks])
                     for field in KEYS))


def _sound_showers(showers):
    count = len(showers.energy)
    assert count > 0 and showers.energy.shape == (count, 30, 30) and showers.momentum.shape == (count, 3)
    assert showers.point.shape == (count, 2) and showers.pdg.shape == (count,)
    assert (showers.energy >= 0).all() and np.isfinite(showers.energy.sum((1, 2))).all()
    _sound_conditions((showers.momentum, showers.point))


def _sound_conditions(conditions):
    momentum, point = conditions
    assert momentum.dtype == point.dtype == np.float32
    assert len(momentum) == len(point) > 0
    assert np.isfinite(np.linalg.norm(momentum, axis=1)).all() and np.isfinite(momentum / momentum[:, 2:]).all()
    assert (momentum[:, 2] > 0).all() and np.isfinite(point).all()


def _sound_count(count):
    assert isinstance(count, int) and 0 <= count < 1000


def _sound_provenance(provenance):
    assert provenance is None or isinstance(provenance, dict)


READERS = [("showers", load_showers), ("showers", lambda path: load_showers(path, conventions="as_is")),
           ("showers", _all_blocks), ("conditions", load_conditions), ("count", count_showers),
           ("provenance", load_provenance)]
SOUND = {"showers": _sound_showers, "conditions": _sound_conditions, "count": _sound_count,
         "provenance": _sound_provenance}


# Writing


def _real(rng, count=None):
    """The columns of a few shipped showers."""
    count = count or int(rng.integers(1, 6))
    first = int(rng.integers(len(SHIPPED) - count))
    showers = SHIPPED[first:first + count]
    return dict(EnergyDeposit=showers.energy, ParticleMomentum=showers.momentum, ParticlePoint=showers.point,
                ParticlePDG=showers.pdg)


def _write(path, columns):
    """Columns as they are, without checks, in the format of the suffix or, if that has no such type, in npz."""
    try:
        {".npz": np.savez, ".h5": _write_hdf5, ".root": _write_root}[path.suffix](path, **columns)
    except (TypeError, ValueError):
        path = path.with_suffix(".npz")
        np.savez(path, **columns)
    return path


def _write_hdf5(path, **columns):
    with h5py.File(path, "w") as file:
        for name, value in columns.items():
            file[name] = value


def _write_root(path, **columns):
    with uproot.recreate(path) as file:
        file.mktree("ecalNT", _branches(columns))
        file["ecalNT"].extend(columns)


def _branches(columns):
    return {name: np.dtype((value.dtype, value.shape[1:])) for name, value in columns.items()}


def _new(rng, folder, *suffixes):
    return folder / f"a{rng.choice(suffixes or SUFFIXES)}"


def _column(rng):
    return str(rng.choice(COLUMNS))


def _saved(suffix):
    """The bytes of a file of three showers that ecalgen has written."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"a{suffix}"
        save_showers(path, SHIPPED[:3], provenance={"seed": 1, "command": "geant4"})
        return path.read_bytes()


# Kinds of files


def cut(rng, folder):
    """A file that ends early."""
    path = _new(rng, folder)
    path.write_bytes(SAVED[path.suffix][:rng.integers(len(SAVED[path.suffix]))])
    return path


def flipped(rng, folder):
    """One to three bytes that were damaged."""
    path = _new(rng, folder)
    content = bytearray(SAVED[path.suffix])
    for place in rng.integers(len(content), size=rng.integers(1, 4)):
        content[place] ^= int(rng.integers(1, 256))
    path.write_bytes(content)
    return path


def overwritten(rng, folder):
    """A piece of the file that is random, or repeats another piece."""
    path = _new(rng, folder)
    content = SAVED[path.suffix]
    start, length, other = (int(value) for value in rng.integers([len(content), 200, len(content)]))
    junk = rng.bytes(length) if rng.random() < 0.5 else content[other:other + length]
    path.write_bytes(content[:start] + junk + content[start + len(junk):])
    return path


def junk(rng, folder):
    """Bytes of no format, with or without the first bytes of one."""
    path = _new(rng, folder)
    magic = [b"", b"PK\3\4", b"\x89HDF\r\n\x1a\n", b"root\0\0\xf3\x14\0\0\0d", b"\x93NUMPY\1\0", b"\x80\4"]
    path.write_bytes(magic[rng.integers(len(magic))] + rng.bytes(int(rng.integers(300))))
    return path


def swapped(rng, folder):
    """Two columns under each other's names."""
    columns = _real(rng)
    first, second = rng.choice(COLUMNS, 2, replace=False)
    return _write(_new(rng, folder), columns | {first: columns[second], second: columns[first]})


def wrong_type(rng, folder):
    """Integers, wide or complex numbers, truths or texts."""
    columns, name = _real(rng), _column(rng)
    types = ["i1", "u2", "i8", "f2", "f8", "?", "c8", "c16", "S3", "U3", "M8[s]", "f4,i4", "V7", "O"]
    kind, path = np.dtype(types[rng.integers(len(types))]), _new(rng, folder)
    value = np.zeros(columns[name].shape, kind) if kind.kind in "MOVSU" else columns[name].astype(kind)
    return _write(path, columns | {name: value})


def wrong_shape(rng, folder):
    """Axes that are missing, too many, too long, or empty."""
    columns, name = _real(rng), _column(rng)
    count = len(columns[name])
    shapes = [(count,), (count, 1), (count, 0), (count, 2), (count, 4), (count, 900), (count, 30, 29),
              (count, 30, 30, 2), (0, 30, 30), (count, *[1] * 30), (count, 1000)]
    return _write(_new(rng, folder), columns | {name: np.ones(shapes[rng.integers(len(shapes))], np.float32)})


def mismatched_rows(rng, folder):
    """A column of other rows than the others, or of none."""
    columns, name = _real(rng), _column(rng)
    rows = rng.integers(0, 9)
    value = np.resize(columns[name], (rows, *columns[name].shape[1:]))
    return _write(_new(rng, folder, ".npz", ".h5"), columns | {name: value})


def bad_value(rng, folder):
    """A number that is NaN, infinite, negative, huge or tiny, somewhere."""
    columns, name = _real(rng), str(rng.choice(REQUIRED))
    columns[name] = columns[name].astype("f8" if rng.random() < 0.5 else "f4")
    values = [np.nan, np.inf, -np.inf, -1.0, 0.0, 1e38, 3e38, -1e38, 1e12, 1e11, 1e-38, 1e-45, 1e5, -1e5, 500.0]
    value = values[rng.integers(len(values))]
    if rng.random() < 0.5:
        columns[name].flat[rng.integers(columns[name].size)] = value
    else:
        columns[name][...] = value
    return _write(_new(rng, folder), columns)


def many_bad(rng, folder):
    """Enough showers for axes and units to be looked for, of which a column makes no sense."""
    columns = _real(rng, 110)
    name = str(rng.choice(REQUIRED))
    columns[name] = [
        lambda value: value * 0 + 1, lambda value: value[rng.permutation(len(value))], lambda value: value * 1e6,
        lambda value: value * 1e-5, lambda value: np.repeat(value[:1], len(value), 0),
        lambda value: np.abs(rng.standard_cauchy(value.shape)), lambda value: value.astype("f4") ** 5,
        lambda value: np.repeat(value[..., :1], value.shape[-1], -1)][rng.integers(8)](columns[name])
    return _write(_new(rng, folder, ".npz"), columns)


def missing(rng, folder):
    """Columns that are not there, or under another name."""
    columns, name = _real(rng), _column(rng)
    value = columns.pop(name)
    if rng.random() < 0.5:
        columns[str(rng.choice([name.lower(), f"{name}_", "ECAL", "energy", "showers"]))] = value
    return _write(_new(rng, folder), columns)


def npy_header(rng, folder):
    """An array whose header does not fit its bytes."""
    columns, name, path = _real(rng), _column(rng), folder / "a.npz"
    shapes = ["(-1, 30, 30)", "(1000000000, 30, 30)", "(3, -900)", "(True, 3)", "(0, 10**20)", "()", "(2, 3", "{}",
              "(3,)", "(99999999999999999999, 3)", "(3, 'a')", f"({'1, ' * 40})", "(0, 30, 30)", "(2.0, 3)"]
    types = ["'<f4'", "'<f8'", "'|O'", "'V1000000000'", "'<U900000000'", "[('a', '<f4')]", "'huh'", "''"]
    shape, descr = shapes[rng.integers(len(shapes))], types[rng.integers(len(types))]
    header = f"{{'descr': {descr}, 'fortran_order': {rng.random() < 0.3}, 'shape': {shape}, }}"
    text = header.encode().ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        for column, value in columns.items():
            content = io.BytesIO()
            np.save(content, value)
            stored = b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text + value.tobytes()
            archive.writestr(f"{column}.npy", stored if column == name else content.getvalue())
    return path


def zip_tricks(rng, folder):
    """Members that are twice there, encrypted, of another compression, deep in folders, or no arrays."""
    path, content, kind = folder / "a.npz", io.BytesIO(SAVED[".npz"]), rng.integers(4)
    compression = [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA][rng.integers(3)]
    with zipfile.ZipFile(content, "a", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the second member of one name
        names = [f"{_column(rng)}.npy", f"../../{_column(rng)}.npy", "Provenance.npy/", "other"]
        archive.writestr(names[kind], b"" if kind == 2 else rng.bytes(100))
    raw = bytearray(content.getvalue())
    if kind == 3:  # the flag of encryption, or a compression, in the list of members
        place = raw.rfind(b"PK\1\2")
        raw[place + int(rng.choice([8, 10]))] ^= int(rng.integers(1, 256))
    path.write_bytes(raw)
    return path


def hdf5_tricks(rng, folder):
    """Data sets that were never written, lie elsewhere, or are none."""
    columns, name, path = _real(rng), _column(rng), folder / "a.h5"
    shape, dtype, kind = columns[name].shape, columns[name].dtype, rng.integers(12)
    (folder / "raw").write_bytes(rng.bytes(10_000))
    _write(path, {column: value for column, value in columns.items() if column != name})
    with h5py.File(path, "a") as file:
        if kind == 0:
            file.create_dataset(name, (10**9, *shape[1:]), dtype)
        elif kind == 1:
            file.create_dataset(name, (10**9, *shape[1:]), dtype, chunks=(100, *shape[1:]))
        elif kind == 2:
            file.create_dataset(name, shape, dtype, external=[("raw", 0, h5py.h5f.UNLIMITED)])
        elif kind == 3:
            layout = h5py.VirtualLayout(shape, dtype)
            layout[...] = h5py.VirtualSource("raw", "x", shape)
            file.create_virtual_dataset(name, layout)
        elif kind == 4:
            file[name] = h5py.ExternalLink("raw", f"/{name}")
        elif kind == 5:
            file[name] = h5py.SoftLink(str(rng.choice([f"/{name}", "/nowhere", "/ParticlePoint", "/", "."])))
        elif kind == 6:
            file.create_group(name).create_group(name)
        elif kind == 7:
            file[name] = h5py.Empty(dtype)
        elif kind == 8:
            file[name] = dtype
        elif kind == 9:
            file.create_dataset(name, shape[:1], h5py.vlen_dtype(dtype))
        elif kind == 10:
            file.create_dataset(name, shape, dtype, chunks=True)
        else:
            del file[next(iter(file))]
            file["showers"], file["incident_energies"] = np.ones((3, 900)), np.ones(shape)
    return path


def root_tricks(rng, folder):
    """Trees of ragged branches or none, and something else under its name."""
    columns, name, path, kind = _real(rng), _column(rng), folder / "a.root", rng.integers(4)
    with uproot.recreate(path) as file:
        if kind == 0:
            file["ecalNT"] = "a text"
        elif kind == 1:
            file.mktree("ecalNT", _branches(columns))
        else:
            ragged = awkward.Array([list(range(int(rng.integers(5)))) for _ in columns[name]])
            if kind == 3:
                ragged = awkward.Array([[1.0, 2.0, 3.0]] * len(columns[name]))
            vector = {name: awkward.types.from_datashape("var * float32", highlevel=False)}
            file.mktree("ecalNT", _branches(columns) | vector)
            file["ecalNT"].extend(columns | {name: awkward.values_astype(ragged, np.float32)})
    return path


def no_file(rng, folder):
    """A folder, a pipe, a device, or a link to one of these or to nothing."""
    path = _new(rng, folder)
    make = [path.mkdir, lambda: os.mkfifo(path), path.touch, lambda: None, *(
        functools.partial(path.symlink_to, target) for target in ("/dev/zero", "/dev/null", folder, path))]
    make[rng.integers(len(make))]()
    return path


def another_format(rng, folder):
    """A sound file under the suffix of another format."""
    path = _new(rng, folder)
    path.write_bytes(SAVED[str(rng.choice(SUFFIXES))])
    return path


def provenance(rng, folder):
    """A provenance that is no text, no JSON, or no object."""
    columns, path = _real(rng), _new(rng, folder, ".npz", ".h5")
    value = [np.array("{"), np.array("[1]"), np.arange(3), np.array("[" * 20_000), np.array(1.5), np.array("NaN"),
             np.array(["{}", "{}"])][rng.integers(7)]
    if path.suffix == ".npz":
        return _write(path, columns | {"Provenance": value})
    _write(path, columns)
    with h5py.File(path, "a") as file:
        file.attrs["Provenance"] = value if value.dtype.kind != "U" else value.astype("S")
    return path


KINDS = [cut, flipped, flipped, overwritten, junk, swapped, wrong_type, wrong_shape, mismatched_rows, bad_value,
         many_bad, missing, npy_header, zip_tricks, hdf5_tricks, root_tricks, no_file, another_format, provenance]
SHIPPED = load_showers(sample_path("photon_5d"))[:300]
SAVED = {suffix: _saved(suffix) for suffix in SUFFIXES}
