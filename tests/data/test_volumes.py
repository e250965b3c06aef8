"""Volumes: their contract, their files, and what is told about those that hold something else."""
import h5py
import numpy as np
import pytest

from ecalgen.data.files.formats import save_showers
from ecalgen.data.showers import BadShowers, Header
from ecalgen.data.volumes import Volumes, check_volumes, load_volumes, save_volumes, volume_columns

EVERY_FORMAT = pytest.mark.parametrize("suffix", [".npz", ".h5", ".hdf5"])


def some_volumes(count=3, shape=(25, 25, 25)):
    rng = np.random.default_rng(count)
    return Volumes(rng.exponential(5.0, (count, *shape)), rng.uniform(2, 500, count))


def write(path, **arrays):
    if path.suffix == ".npz":
        np.savez(path, **arrays)
        return path
    with h5py.File(path, "w") as file:
        file.update(arrays)
    return path


# The contract


def test_volumes_are_float32_with_one_energy_each():
    volumes = Volumes(np.ones((2, 3, 4, 5), int), [[10], [20]])
    assert volumes.energy.dtype == volumes.incident_energy.dtype == np.float32
    assert volumes.energy.shape == (2, 3, 4, 5) and len(volumes) == 2
    np.testing.assert_array_equal(volumes.incident_energy, [10, 20])
    np.testing.assert_array_equal(volumes[1:].incident_energy, [20])


@pytest.mark.parametrize("energy, incident, message", [
    (np.ones((2, 30, 30)), np.ones(2), r"ECAL has shape \[2, 30, 30\], not \[N, X, Y, Z\]"),
    (np.ones((0, 2, 2, 2)), np.ones(0), r"ECAL has shape \[0, 2, 2, 2\]"),
    (np.ones((2, 2, 2, 2)), np.ones(3), r"energy has shape \[3\], not \[2\]"),
    (np.ones((2, 2, 2, 2)), np.ones((2, 3)), r"energy has shape \[2, 3\], not \[2\]"),
    (-np.ones((2, 2, 2, 2)), np.ones(2), "ECAL is negative"),
    (np.ones((2, 2, 2, 2)), np.zeros(2), "energy is negative, or zero for a particle"),
    (np.full((2, 2, 2, 2), np.nan), np.ones(2), "ECAL is NaN or infinite"),
    (np.ones((2, 2, 2, 2)), [1, 1e300], "energy is NaN or infinite"),
    (np.full((2, 2, 2, 2), "x"), np.ones(2), "ECAL holds <U1, not numbers")])
def test_what_volumes_refuse(energy, incident, message):
    with pytest.raises(BadShowers, match=f"{message}.*; "):
        Volumes(energy, incident)


# Files


@EVERY_FORMAT
def test_round_trip(tmp_path, suffix):
    save_volumes(tmp_path / "new" / f"a{suffix}", some_volumes())
    loaded = load_volumes(tmp_path / "new" / f"a{suffix}")
    np.testing.assert_allclose(loaded.energy, some_volumes().energy, rtol=2e-7)  # two roundings of float32
    np.testing.assert_array_equal(loaded.incident_energy, some_volumes().incident_energy)


@EVERY_FORMAT
@pytest.mark.parametrize("incident", [np.array([10.0, 50.0]), np.array([[10.0], [50.0]])])
def test_public_files_are_in_gev(tmp_path, suffix, incident):
    cells = np.zeros((2, 25, 25, 25))
    cells[1, 12, 13, 5] = 0.25
    volumes = load_volumes(write(tmp_path / f"a{suffix}", ECAL=cells, energy=incident))
    assert volumes.energy[1, 12, 13, 5] == 250 and volumes.energy.sum() == 250
    np.testing.assert_array_equal(volumes.incident_energy, [10, 50])


def test_columns_of_a_file_are_in_gev():
    columns = volume_columns(Volumes(np.full((2, 1, 1, 1), 500.0), [1, 2]))
    np.testing.assert_array_equal(columns["ECAL"], np.full((2, 1, 1, 1), 0.5))
    np.testing.assert_array_equal(columns["energy"], [[1], [2]])


@EVERY_FORMAT
def test_showers_are_pointed_elsewhere(tmp_path, suffix, showers):
    save_showers(tmp_path / f"a{suffix}", showers[:3])
    with pytest.raises(BadShowers, match=rf"a{suffix} holds showers in one layer.*; read it with .*load_showers"):
        load_volumes(tmp_path / f"a{suffix}")


def test_a_missing_column(tmp_path):
    with pytest.raises(BadShowers, match="a.npz: no column energy; "):
        load_volumes(write(tmp_path / "a.npz", ECAL=np.ones((2, 25, 25, 25))))
    with pytest.raises(BadShowers, match="a.npz: no column ECAL; "):
        load_volumes(write(tmp_path / "a.npz", energy=np.ones(2)))
    with pytest.raises(BadShowers, match="b.h5: no column ECAL and no energy; "):
        load_volumes(write(tmp_path / "b.h5", other=np.ones(2)))


def test_a_fault_names_the_file(tmp_path):
    with pytest.raises(BadShowers, match="a.npz: ECAL is negative"):
        load_volumes(write(tmp_path / "a.npz", ECAL=-np.ones((2, 25, 25, 25)), energy=np.ones(2)))


@pytest.mark.parametrize("name", ["a.root", "a.csv"])
def test_other_suffixes(tmp_path, name):
    for call in (lambda: save_volumes(tmp_path / name, some_volumes()), lambda: load_volumes(tmp_path / name)):
        with pytest.raises(BadShowers, match=f"{name}: volumes are kept in .npz, .h5, .hdf5; give"):
            call()
    assert not list(tmp_path.iterdir())


@EVERY_FORMAT
def test_columns_of_different_lengths(tmp_path, suffix):
    with pytest.raises(BadShowers, match=rf"a\{suffix}: energy has shape \[3\], not \[2\]; "):
        load_volumes(write(tmp_path / f"a{suffix}", ECAL=np.ones((2, 5, 5, 5)), energy=np.ones(3)))


def test_headers_are_checked_before_the_cells_are_read(tmp_path):
    """4 GB of zeros would unpack from a few MB."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("ECAL", (2, 1000, 1000, 500), "f4", chunks=(1, 100, 100, 100), compression="gzip")
        file["energy"] = np.ones(2)
    with pytest.raises(BadShowers, match="a.h5: ECAL says shape .*, but not all of it was written; "):
        load_volumes(tmp_path / "a.h5")
    with pytest.raises(BadShowers, match="ECAL has shape .*, and at most 1,000,000 cells"):
        check_volumes({"ECAL": Header((2, 1000, 1000, 500), np.dtype("f4")), "energy": Header((2,), np.dtype("f4"))})


def test_energies_of_no_particle(tmp_path):
    with pytest.raises(BadShowers, match="a.npz: ECAL reaches 1e.35, .*; drop such events"):
        load_volumes(write(tmp_path / "a.npz", ECAL=np.full((2, 5, 5, 5), 1e35), energy=np.ones(2)))
