"""Files: what is written comes back, and whatever is wrong with a file gives one clear `BadShowers`."""
import functools
import io
import os
import pickle
import zipfile

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest

from ecalgen.data import formats
from ecalgen.data.formats import load_conditions, load_showers, save_showers
from ecalgen.data.showers import KEYS, BadShowers, Showers

REQUIRED = ["EnergyDeposit", "ParticleMomentum", "ParticlePoint"]


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


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("formats") / "scratch.npz"


# What works


@st.composite
def any_showers(draw):
    count = draw(st.integers(1, 3))
    floats = functools.partial(st.floats, width=32)
    momentum = draw(hnp.arrays(np.float32, (count, 3), elements=floats(-100, 100)))
    momentum[:, 2] = draw(hnp.arrays(np.float32, count, elements=floats(0.125, 500)))
    return Showers(
        energy=draw(hnp.arrays(np.float32, (count, 30, 30), elements=floats(0, 1e5), fill=st.just(np.float32(0)))),
        momentum=momentum,
        point=draw(hnp.arrays(np.float32, (count, 2), elements=floats(-30, 30))),
        pdg=draw(hnp.arrays(np.int32, count, elements=st.sampled_from([11, -11, 22]))),
    )


@hypothesis.given(showers=any_showers())
@hypothesis.settings(deadline=None, max_examples=50)
def test_round_trip_is_exact(scratch, showers):
    save_showers(scratch, showers)
    assert_same(load_showers(scratch), showers)
    momentum, point = load_conditions(scratch)
    np.testing.assert_array_equal(momentum, showers.momentum)
    np.testing.assert_array_equal(point, showers.point)


def test_files_are_the_public_layout_and_compressed(tmp_path):
    save_showers(tmp_path / "out.npz", Showers(*columns().values()))
    with np.load(tmp_path / "out.npz") as archive:
        assert {name: archive[name].shape for name in archive.files} == {
            "EnergyDeposit": (3, 30, 30), "ParticleMomentum": (3, 3), "ParticlePoint": (3, 2), "ParticlePDG": (3,)}
    with zipfile.ZipFile(tmp_path / "out.npz") as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_DEFLATED}


def test_public_variants_are_read(tmp_path):
    given = columns()
    path = write(
        tmp_path / "public.NPZ", EnergyDeposit=given["EnergyDeposit"][..., None].astype(np.float16),
        ParticleMomentum=given["ParticleMomentum"].astype(np.float64),
        ParticlePoint=np.column_stack([given["ParticlePoint"], np.full(3, -19.8)]),
        TotalEnergySci=np.ones(3), Unreadable=np.array([{}], dtype=object))
    showers = load_showers(str(path))
    np.testing.assert_array_equal(showers.energy, given["EnergyDeposit"].astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(showers.momentum, given["ParticleMomentum"])
    np.testing.assert_array_equal(showers.point, given["ParticlePoint"])
    np.testing.assert_array_equal(showers.pdg, [11, 11, 11])


def test_uncompressed_files_are_read(tmp_path):
    np.savez(tmp_path / "plain.npz", **columns())
    assert_same(load_showers(tmp_path / "plain.npz"), Showers(*columns().values()))


def test_conditions_need_no_energies(tmp_path):
    given = {name: columns()[name] for name in ("ParticleMomentum", "ParticlePoint")}
    path = write(tmp_path / "beam.npz", **given)
    momentum, point = load_conditions(path)
    np.testing.assert_array_equal(momentum, given["ParticleMomentum"])
    np.testing.assert_array_equal(point, given["ParticlePoint"])


def test_a_reader_is_added_by_suffix(tmp_path, monkeypatch):
    monkeypatch.setitem(formats.READERS, ".root", lambda path, names: {name: columns()[name] for name in names})
    (tmp_path / "some.root").touch()
    assert_same(load_showers(tmp_path / "some.root"), Showers(*columns().values()))


# What does not


def refuses(path, *words, load=load_showers, cause=True):
    """One `BadShowers` that names the file and the words, with the fault that led to it."""
    with pytest.raises(BadShowers) as caught:
        load(path)
    message = str(caught.value)
    for word in (str(path), *words):
        assert word in message
    assert (caught.value.__cause__ is not None) == cause
    assert message.count(str(path)) == 1 and "\n" not in message
    assert ";" in message  # what is wrong; what to do


LOADERS = pytest.mark.parametrize("load", [load_showers, load_conditions])


@LOADERS
def test_missing_file(tmp_path, load):
    refuses(tmp_path / "none.npz", "no such file", "check the path", load=load, cause=False)


@LOADERS
def test_folder(tmp_path, load):
    refuses(tmp_path, "is a folder", load=load, cause=False)


@LOADERS
@pytest.mark.parametrize("name", ["showers.csv", "showers.npy", "showers", ".npz"])
def test_unknown_suffix(tmp_path, load, name):
    (tmp_path / name).write_bytes(b"1,2,3")
    refuses(tmp_path / name, "unknown suffix", ".npz", load=load, cause=False)


class Payload:
    """Pickles to a call that makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@LOADERS
@pytest.mark.parametrize("content", [b"", b"PK", b"\x00" * 100, b"hello, world" * 50, b"\x93NUMPY\x01\x00"])
def test_not_an_npz(tmp_path, load, content):
    (tmp_path / "a.npz").write_bytes(content)
    refuses(tmp_path / "a.npz", "cannot be read as .npz", "whole", load=load)


def test_a_single_array_named_npz(tmp_path):
    with open(tmp_path / "a.npz", "wb") as file:
        np.save(file, columns()["EnergyDeposit"])
    refuses(tmp_path / "a.npz", "cannot be read as .npz")


def test_pickles_are_never_run(tmp_path):
    marker = tmp_path / "marker"
    (tmp_path / "a.npz").write_bytes(pickle.dumps(Payload(marker)))
    refuses(tmp_path / "a.npz", "cannot be read as .npz")
    for name in (*REQUIRED, "ParticlePDG"):
        path = write(tmp_path / "b.npz", **columns(**{name: np.array([Payload(marker)], dtype=object)}))
        refuses(path, name, "plain float array")
    assert not marker.exists()


@LOADERS
@pytest.mark.parametrize("name", REQUIRED)
def test_missing_column(tmp_path, load, name):
    given = columns()
    del given[name]
    path = write(tmp_path / "a.npz", **given)
    if load is load_conditions and name == "EnergyDeposit":
        load(path)
    else:
        refuses(path, f"no column {name};", load=load, cause=False)


def test_all_missing_columns_are_named_at_once(tmp_path):
    refuses(write(tmp_path / "a.npz", other=np.ones(3)), *REQUIRED, cause=False)


@LOADERS
@pytest.mark.parametrize("name", REQUIRED[1:])
@pytest.mark.parametrize("bad", [
    np.ones((3, 5)), np.ones(3), np.ones(()), np.full((3, 3), np.nan), np.full((3, 3), "x")],
    ids=["shape", "rank", "scalar", "nan", "text"])
def test_bad_incident_column(tmp_path, load, name, bad):
    refuses(write(tmp_path / "a.npz", **columns(**{name: bad})), "Particle", load=load)


@pytest.mark.parametrize("name, bad, blamed", [
    ("EnergyDeposit", np.ones((3, 25, 25)), "EnergyDeposit has shape [3, 25, 25]"),
    ("EnergyDeposit", np.ones((2, 30, 30)), "ParticleMomentum has shape [3, 3], not [2, 3]"),
    ("EnergyDeposit", np.ones(()), "EnergyDeposit has shape []"),
    ("EnergyDeposit", np.ones((3, 30, 30), bool), "EnergyDeposit holds bool"),
    ("EnergyDeposit", np.ones((3, 30, 30), complex), "EnergyDeposit holds complex128"),
    ("ParticlePDG", np.ones(5), "ParticlePDG has shape [5]"),
    ("ParticlePDG", np.array(["e-"] * 3), "ParticlePDG holds <U2"),
    ("ParticleMomentum", -np.ones((3, 3)), "ParticleMomentum has pz <= 0")])
def test_bad_column(tmp_path, name, bad, blamed):
    refuses(write(tmp_path / "a.npz", **columns(**{name: bad})), blamed)


@LOADERS
def test_no_events(tmp_path, load):
    path = write(tmp_path / "a.npz", **{name: value[:0] for name, value in columns().items()})
    with pytest.raises(BadShowers, match="a.npz: .* holds no .*at least one event"):
        load(path)


@hypothesis.given(name=st.sampled_from(REQUIRED), position=st.integers(0, 2699),
                  value=st.sampled_from([np.nan, np.inf, -np.inf, -1e-3, -1e4]))
@hypothesis.settings(deadline=None, max_examples=40)
def test_one_bad_value_anywhere(scratch, name, position, value):
    spoiled = columns()[name].copy()
    spoiled.flat[position % spoiled.size] = value
    hypothesis.assume(name == "EnergyDeposit" or not np.isfinite(value))
    refuses(write(scratch, **columns(**{name: spoiled})), name)


@hypothesis.given(name=st.sampled_from(REQUIRED), bad=hnp.arrays(
    st.one_of(hnp.floating_dtypes(), hnp.integer_dtypes(), hnp.boolean_dtypes(), hnp.byte_string_dtypes(max_len=4),
              hnp.unicode_string_dtypes(max_len=4), hnp.complex_number_dtypes(), hnp.datetime64_dtypes()),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)))
@hypothesis.settings(deadline=None, max_examples=60)
def test_any_array_of_the_wrong_shape_or_type(scratch, name, bad):
    hypothesis.assume(name == "EnergyDeposit" or bad.shape not in [(3, 2), (3, 3)])
    refuses(write(scratch, **columns(**{name: bad})))


VALID = npz_bytes(**columns())


@hypothesis.given(length=st.integers(0, len(VALID) - 1))
@hypothesis.settings(deadline=None)
def test_cut_short_at_any_byte(scratch, length):
    scratch.write_bytes(VALID[:length])
    refuses(scratch, "whole")


@hypothesis.given(position=st.integers(0, len(VALID) - 1), flips=st.integers(1, 255))
@hypothesis.settings(deadline=None, max_examples=200)
def test_one_damaged_byte_is_refused_or_harmless(scratch, position, flips):
    damaged = bytearray(VALID)
    damaged[position] ^= flips
    scratch.write_bytes(damaged)
    try:
        loaded = load_showers(scratch)
    except BadShowers as error:
        assert str(scratch) in str(error)
    else:  # a date in the zip, say
        assert_same(loaded, Showers(*columns().values()))


@hypothesis.given(start=st.integers(0, len(VALID)), junk=st.binary(max_size=200))
@hypothesis.settings(deadline=None)
def test_overwritten_bytes_are_refused_or_harmless(scratch, start, junk):
    scratch.write_bytes(VALID[:start] + junk + VALID[start + len(junk):])
    try:
        loaded = load_showers(scratch)
    except BadShowers as error:
        assert str(scratch) in str(error)
    else:
        assert_same(loaded, Showers(*columns().values()))


# Writing


def test_folders_are_made(tmp_path):
    save_showers(tmp_path / "new" / "deep" / "out.npz", Showers(*columns().values()))
    assert len(load_showers(tmp_path / "new" / "deep" / "out.npz")) == 3


def test_only_npz_is_written(tmp_path):
    with pytest.raises(BadShowers, match=r"out.h5: .*\.npz only"):
        save_showers(tmp_path / "out.h5", Showers(*columns().values()))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fault", [OSError("No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("existing", [True, False])
def test_a_failed_write_changes_nothing(tmp_path, monkeypatch, fault, existing):
    path = tmp_path / "out.npz"
    if existing:
        save_showers(path, Showers(*columns(2).values()))

    def breaks(file, **arrays):
        file.write(b"half a file")
        raise fault

    monkeypatch.setattr(np, "savez_compressed", breaks)
    with pytest.raises(type(fault)):
        save_showers(path, Showers(*columns().values()))
    assert list(tmp_path.iterdir()) == [path] * existing
    if existing:
        assert_same(load_showers(path), Showers(*columns(2).values()))


def test_a_folder_in_the_way_is_kept(tmp_path):
    (tmp_path / "out.npz").mkdir()
    with pytest.raises(OSError):
        save_showers(tmp_path / "out.npz", Showers(*columns().values()))
    assert list(tmp_path.iterdir()) == [tmp_path / "out.npz"]


def test_files_have_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    save_showers(tmp_path / "out.npz", Showers(*columns().values()))
    assert os.stat(tmp_path / "out.npz").st_mode == os.stat(tmp_path / "usual").st_mode
