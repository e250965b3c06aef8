"""Files that are written come back, with all that goes along; and they are written whole or not at all."""
import contextlib
import json
import os

import numpy as np
import pytest
from columns import EVERY_FORMAT, assert_same, columns, peak_below, stored

from ecalgen.data.files.formats import count_showers, iter_showers, load_provenance, load_showers
from ecalgen.data.files.writer import ShowerWriter, save_showers
from ecalgen.data.showers import KEYS, BadShowers, Showers
from ecalgen.errors import UserError


def test_folders_are_made(tmp_path):
    save_showers(tmp_path / "new" / "deep" / "out.npz", Showers(*columns().values()))
    assert len(load_showers(tmp_path / "new" / "deep" / "out.npz")) == 3


def test_other_suffixes_are_not_written(tmp_path):
    with pytest.raises(BadShowers, match=r"out.csv: unknown suffix '.csv'; the formats are \.npz, \.root, \.h5"):
        save_showers(tmp_path / "new" / "out.csv", Showers(*columns().values()))
    assert not list(tmp_path.iterdir())


@EVERY_FORMAT
@pytest.mark.parametrize("fault", [OSError("No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("existing", [True, False])
def test_a_failed_write_changes_nothing(tmp_path, suffix, fault, existing):
    path = tmp_path / f"out{suffix}"
    if existing:
        save_showers(path, Showers(*columns(2).values()))
    with pytest.raises(type(fault)):
        with ShowerWriter(path) as writer:
            writer.append(Showers(*columns().values()))
            raise fault
    assert list(tmp_path.iterdir()) == [path] * existing
    if existing:
        assert_same(load_showers(path), Showers(*columns(2).values()))


def test_a_fault_while_closing_changes_nothing(tmp_path, monkeypatch):
    def breaks(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", breaks)
    with pytest.raises(OSError, match="No space left"):
        save_showers(tmp_path / "out.npz", Showers(*columns().values()))
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_way_is_kept(tmp_path):
    (tmp_path / "out.npz").mkdir()
    with pytest.raises(OSError):
        save_showers(tmp_path / "out.npz", Showers(*columns().values()))
    assert list(tmp_path.iterdir()) == [tmp_path / "out.npz"]


@EVERY_FORMAT
def test_files_have_the_usual_permissions(tmp_path, suffix):
    (tmp_path / "usual").touch()
    save_showers(tmp_path / f"out{suffix}", Showers(*columns().values()))
    assert os.stat(tmp_path / f"out{suffix}").st_mode == os.stat(tmp_path / "usual").st_mode


def test_equal_showers_give_equal_npz_files(tmp_path):
    for name in ("a.npz", "b.npz"):
        save_showers(tmp_path / name, Showers(*columns().values()), provenance={"seed": 1})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@EVERY_FORMAT
@pytest.mark.parametrize("size, lengths", [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7])])
def test_blocks_are_the_file_in_order(tmp_path, suffix, size, lengths):
    expected = Showers(*columns(7).values())
    with ShowerWriter(tmp_path / f"a{suffix}") as writer:
        for part in (slice(0, 2), slice(2, 3), slice(3, 7)):
            writer.append(expected[part])
    assert writer.count == count_showers(tmp_path / f"a{suffix}") == 7
    assert_same(load_showers(tmp_path / f"a{suffix}"), expected)
    blocks = list(iter_showers(tmp_path / f"a{suffix}", size))
    assert [len(block) for block in blocks] == lengths
    assert_same(Showers(*(np.concatenate([getattr(block, field) for block in blocks]) for field in KEYS)), expected)


@EVERY_FORMAT
def test_memory_holds_one_block(tmp_path, suffix):
    """40,000 showers are 144 MB as float32; 1,000 of them are 3.6 MB, and the first 2,000 are examined."""
    one = columns(1000, EnergyDeposit=np.zeros((1000, 30, 30), np.float32))
    one["EnergyDeposit"][:, 14:16, 14:16] = 50
    path = tmp_path / f"big{suffix}"
    with peak_below(40e6):
        with ShowerWriter(path) as writer:
            for _ in range(40):
                writer.append(Showers(*one.values()))
    with peak_below(40e6):
        assert sum(len(block) for block in iter_showers(path, 1000, conventions="as_is")) == 40_000


@EVERY_FORMAT
@pytest.mark.parametrize("provenance", [{"seed": 1, "command": "µ -> e\n", "versions": {"geant4": "11.4.1"}}, {}])
def test_provenance_comes_back(tmp_path, suffix, provenance):
    save_showers(tmp_path / f"a{suffix}", Showers(*columns().values()), provenance=provenance)
    assert load_provenance(tmp_path / f"a{suffix}") == provenance
    assert_same(load_showers(tmp_path / f"a{suffix}"), Showers(*columns().values()))


@EVERY_FORMAT
def test_provenance_may_be_absent(tmp_path, suffix):
    save_showers(tmp_path / f"a{suffix}", Showers(*columns().values()))
    assert load_provenance(tmp_path / f"a{suffix}") is None


def test_provenance_of_an_npz_is_a_plain_text(tmp_path):
    save_showers(tmp_path / "a.npz", Showers(*columns().values()), provenance={"seed": 1})
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert archive["Provenance"].shape == () and json.loads(str(archive["Provenance"])) == {"seed": 1}


@EVERY_FORMAT
def test_event_indices_are_written(tmp_path, suffix):
    with ShowerWriter(tmp_path / f"a{suffix}") as writer:
        writer.append(Showers(*columns().values()), event_index=[5, 6, 9])
        writer.append(Showers(*columns(2).values()), event_index=np.array([2**40, 11]))
    np.testing.assert_array_equal(stored(tmp_path / f"a{suffix}", "EventIndex"), [5, 6, 9, 2**40, 11])
    assert len(load_showers(tmp_path / f"a{suffix}")) == 5


@pytest.mark.parametrize("first, second, message", [
    (None, [1, 2, 3], "for some showers only"), ([1, 2, 3], None, "for some showers only"),
    ([1, 2], None, r"EventIndex has shape \[2\]"), ([0.0, 1.0, 2.0], None, "float64, not")])
def test_bad_event_indices(tmp_path, first, second, message):
    with pytest.raises(BadShowers, match=message):
        with ShowerWriter(tmp_path / "a.npz") as writer:
            writer.append(Showers(*columns().values()), first)
            writer.append(Showers(*columns().values()), second)
    assert not list(tmp_path.iterdir())


def test_a_file_without_showers_is_not_written(tmp_path):
    with pytest.raises(BadShowers, match="a.npz: no showers were written; append at least one"):
        with ShowerWriter(tmp_path / "a.npz"):
            pass
    assert not list(tmp_path.iterdir())


@EVERY_FORMAT
def test_float16_energies(tmp_path, suffix):
    """1000.3 lies between 1000 and 1000.5, its neighbours in float16; ROOT keeps the rounded number as float32."""
    energy = np.full((3, 30, 30), 1000.3)
    with ShowerWriter(tmp_path / f"a{suffix}", energy_dtype="float16") as writer:
        writer.append(Showers(*columns(EnergyDeposit=energy).values()))
    dtype = stored(tmp_path / f"a{suffix}", "showers" if suffix[1] == "h" else "EnergyDeposit").dtype
    assert dtype == ("float32" if suffix == ".root" else "float16")
    loaded = load_showers(tmp_path / f"a{suffix}", conventions="as_is")
    np.testing.assert_array_equal(loaded.energy, np.full((3, 30, 30), 1000.5))


@pytest.mark.parametrize("value, fits", [(65503.0, True), (65504.0, False), (7e4, False)])
def test_float16_has_an_end(tmp_path, value, fits):
    energy = np.zeros((3, 30, 30))
    energy[1, 2, 3] = value
    refused = pytest.raises(BadShowers, match="EnergyDeposit reaches .*energy_dtype='float32'")
    with contextlib.nullcontext() if fits else refused:
        with ShowerWriter(tmp_path / "a.npz", energy_dtype="float16") as writer:
            writer.append(Showers(*columns(EnergyDeposit=energy).values()))
    assert (tmp_path / "a.npz").exists() == fits


def test_other_types_of_energies(tmp_path):
    with pytest.raises(UserError, match="energy_dtype is 'int8'; it is one of float32, float16"):
        ShowerWriter(tmp_path / "a.npz", energy_dtype="int8")


def test_only_showers_are_appended(tmp_path):
    with pytest.raises(BadShowers, match="ndarray cannot be appended; make ecalgen.Showers"):
        with ShowerWriter(tmp_path / "a.npz") as writer:
            writer.append(np.ones((2, 30, 30)))
    assert not list(tmp_path.iterdir())
