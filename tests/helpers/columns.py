"""Columns of small valid files of showers, and files that other libraries write from them."""
import contextlib
import io
import tracemalloc

import awkward
import h5py
import numpy as np
import pytest
import uproot

from ecalgen.data.showers import KEYS

REQUIRED = ["EnergyDeposit", "ParticleMomentum", "ParticlePoint"]
SUFFIXES = [".npz", ".root", ".h5", ".hdf5"]
EVERY_FORMAT = pytest.mark.parametrize("suffix", SUFFIXES)


def columns(count=3, **changes):
    """The columns of a valid public file."""
    rng = np.random.default_rng(count)
    made = dict(
        EnergyDeposit=rng.exponential(5.0, (count, 30, 30)).astype(np.float32) * (rng.random((count, 30, 30)) < 0.1),
        ParticleMomentum=np.column_stack([rng.normal(size=(count, 2)), rng.uniform(1, 100, count)]).astype(np.float32),
        ParticlePoint=rng.normal(size=(count, 2)).astype(np.float32),
        ParticlePDG=np.full(count, 11, np.int32),
    )
    return made | changes


def npz_bytes(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def write(path, **arrays):
    path.write_bytes(npz_bytes(**arrays))  # given a path, NumPy would append .npz to .NPZ
    return path


def assert_same(first, second):
    for field in KEYS:
        assert getattr(first, field).dtype == getattr(second, field).dtype
        np.testing.assert_array_equal(getattr(first, field), getattr(second, field))


def write_root(path, tree="ecalNT", **branches):
    """A ROOT file made with uproot alone; lists of lists become vectors."""
    arrays = {name: awkward.Array(value) if isinstance(value, list) else value for name, value in branches.items()}
    types = {name: awkward.types.from_datashape("var * float32", highlevel=False) if isinstance(value, awkward.Array)
             else np.dtype((value.dtype, value.shape[1:])) for name, value in arrays.items()}
    with uproot.recreate(path) as file:
        file.mktree(tree, types)
        file[tree].extend(arrays)
    return path


def write_h5(path, **datasets):
    with h5py.File(path, "w") as file:
        for name, value in datasets.items():
            file[name] = value
    return path


def write_any(path, **arrays):
    """The columns as they are, in the format of the suffix."""
    return {".npz": write, ".root": write_root}.get(path.suffix, write_h5)(path, **arrays)


def stored(path, name):
    """A column of a written file, read without ecalgen."""
    if path.suffix == ".npz":
        with np.load(path) as archive:
            return archive[name]
    if path.suffix == ".root":
        with uproot.open(path) as file:
            return file["ecalNT"][name].array(library="np")
    with h5py.File(path) as file:
        return file[name][:]


@contextlib.contextmanager
def peak_below(limit):
    """Check that a block takes at most so many bytes more."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()
