"""The shipped sample, its splits, and TFDS giving the same arrays as the plain file."""
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from ecalgen.data import sources
from ecalgen.data.ecal_shashlik import EcalShashlik, count_split, load_repeated, load_split, open_stream
from ecalgen.data.files.formats import iter_showers, load_provenance, load_showers
from ecalgen.data.files.layout import Layout
from ecalgen.data.files.writer import save_showers
from ecalgen.data.grid import Grid
from ecalgen.data.showers import KEYS, BadShowers, Showers, incident_energy
from ecalgen.data.sources import sample_path
from ecalgen.data.splits import drawn_splits, ordered_splits


def some_showers(count):
    rng = np.random.default_rng(0)
    momentum = np.column_stack([rng.normal(size=(count, 2)), np.arange(1, count + 1)])
    return Showers(rng.exponential(0.5, (count, 30, 30)), momentum, rng.normal(size=(count, 2)))


def assert_same(first, second):
    for field in KEYS:
        assert getattr(first, field).dtype == getattr(second, field).dtype
        np.testing.assert_array_equal(getattr(first, field), getattr(second, field))


@pytest.fixture(scope="module")
def shipped():
    return load_showers(sample_path())


@pytest.fixture
def small_sample(tmp_path, monkeypatch):
    """A folder of samples whose `electron_5d` has 50 showers."""
    monkeypatch.setattr(sources, "SAMPLES", tmp_path / "samples")
    save_showers(tmp_path / "samples" / "electron_5d.npz", some_showers(50))
    return tmp_path / "samples" / "electron_5d.npz"


# The sample


@pytest.mark.parametrize("name, count, seed, pdg", [
    ("electron_5d", 60_000, 20180709, 11), ("electron_1d", 5_000, 20180710, 11), ("photon_5d", 5_000, 20180711, 22),
    ("electron_5d_test", 20_000, 20261124, 11), ("electron_5d_repeated", 2_000, 20261124, 11)])
def test_shipped_files_are_as_their_data_card_says(name, count, seed, pdg):
    with np.load(sample_path(name)) as archive:
        assert {name: (archive[name].dtype.name, archive[name].shape) for name in archive.files
                if name != "Provenance"} == {
            "EnergyDeposit": ("float16", (count, 30, 30)), "ParticleMomentum": ("float32", (count, 3)),
            "ParticlePoint": ("float32", (count, 2)), "ParticlePDG": ("int32", (count,)),
            "EventIndex": ("int64", (count,))}
        np.testing.assert_array_equal(archive["EventIndex"], np.arange(count))
        assert (archive["ParticlePDG"] == pdg).all()
    kept = load_provenance(sample_path(name))
    assert (kept["seed"], kept["made_by"]["physics"], kept["events"]) == (seed, "standard", count)


def test_shipped_files_are_small_enough():
    assert sum(path.stat().st_size for path in sources.SAMPLES.glob("*.npz")) < 43e6
    assert {path.stem for path in sources.SAMPLES.glob("*.npz")} == {
        *sources.SHIPPED, "electron_layered", "electron_5d_test", "electron_5d_repeated"}


def test_the_one_dimensional_showers_stand_straight_in_the_middle():
    showers = load_split("ecal_shashlik/electron_1d", "train")
    assert not showers.momentum[:, :2].any() and not showers.point.any()
    mean = showers.energy.mean(0)
    for mirrored in (mean[::-1], mean[:, ::-1], mean.T):
        np.testing.assert_allclose(mirrored[12:18, 12:18], mean[12:18, 12:18], rtol=0.1)


def test_shipped_showers_are_those_of_the_paper_s_calorimeter(shipped):
    """Energies 1 to 100 GeV with log E uniform; 0.173 of the energy visible, in about 16 % of the cells."""
    energy = np.asarray(incident_energy(shipped.momentum))
    assert 0.9999 < energy.min() and energy.max() < 100.001
    np.testing.assert_allclose(np.log(energy).mean(), np.log(100) / 2, rtol=0.02)
    np.testing.assert_allclose((shipped.energy.sum((1, 2)) / (1000 * energy)).mean(), 0.173, atol=0.001)
    np.testing.assert_allclose((shipped.energy > 0).mean(), 0.16, atol=0.005)
    assert (shipped.pdg == 11).all()


# The splits


def test_the_test_split_is_a_production_of_its_own(tmp_path):
    """Its particles follow from another seed, and none of them is among those that a choice has seen."""
    kept = load_provenance(sample_path("electron_5d_test"))
    assert kept["seed"] != load_provenance(sample_path())["seed"]
    test = load_split(sample_path(), "test", limit=20)
    np.testing.assert_array_equal(test.energy, load_showers(sample_path("electron_5d_test"))[:20].energy)


def test_a_sample_without_a_test_file_has_no_selection_split():
    with pytest.raises(ValueError, match="ecal_shashlik/photon_5d has no split 'selection'; it has train, validation"):
        load_split("ecal_shashlik/photon_5d", "selection")


def test_the_repeated_showers_belong_to_the_first_test_particles():
    repeated, test = load_repeated("ecal_shashlik"), load_split(sample_path(), "test", limit=2_000)
    np.testing.assert_array_equal(repeated.momentum, test.momentum)
    np.testing.assert_array_equal(repeated.point, test.point)
    same = (repeated.energy == test.energy).all((1, 2))
    assert not same.any()
    assert load_repeated("ecal_shashlik/photon_5d") is None


def test_a_users_file_has_no_repeated_showers(tmp_path):
    save_showers(tmp_path / "mine.npz", some_showers(20))
    save_showers(tmp_path / "mine_repeated.npz", some_showers(20))
    save_showers(tmp_path / "mine_test.npz", some_showers(20))
    assert load_repeated(tmp_path / "mine.npz") is None
    assert len(load_split(tmp_path / "mine.npz", "test")) == 4


# Loading a file


@pytest.mark.parametrize("split", ["test", "validation", "train"])
def test_a_file_is_split_by_the_drawn_rows(tmp_path, split):
    save_showers(tmp_path / "mine.npz", some_showers(20))
    expected = some_showers(20)[drawn_splits(20)[split]]
    assert_same(load_split(tmp_path / "mine.npz", split), expected)
    assert_same(load_split(str(tmp_path / "mine.npz"), split), expected)
    assert_same(load_split(tmp_path / "mine.npz", split, limit=1), expected[:1])


def test_a_sorted_file_gives_every_split_all_energies(tmp_path):
    """The incident energy of `some_showers` rises from row to row."""
    save_showers(tmp_path / "sorted.npz", some_showers(1000))
    for split, limit in (("test", None), ("validation", None), ("train", None), ("test", 40), ("train", 40)):
        energy = load_split(tmp_path / "sorted.npz", split, limit=limit, conventions="as_is").momentum[:, 2]
        assert energy.min() < 100 and energy.max() > 900 and 400 < energy.mean() < 600


def test_faults_of_a_file_name_it(tmp_path):
    with pytest.raises(BadShowers, match="none.npz: there is no such file"):
        load_split(tmp_path / "none.npz", "train")
    save_showers(tmp_path / "few.npz", some_showers(5))
    with pytest.raises(BadShowers, match="few.npz: 5 showers are too few"):
        load_split(tmp_path / "few.npz", "train")


@pytest.mark.parametrize("source, split, message", [
    ("ecal_shashlik", "val", "unknown split 'val'; there are train, validation, selection, test"),
    ("ecal_shashlik/electron_layered", "train", "no shipped sample is called 'electron_layered'; there are electron_"),
    ("ecal_shashlik/muon", "train", "no shipped sample is called 'muon'"),
    ("ecal_shaslik/electron_5d", "train", "unknown data 'ecal_shaslik/electron_5d'; give ecal_shashlik/electron_5d or"),
    ("", "train", "unknown data ''")])
def test_wrong_names(source, split, message):
    with pytest.raises(ValueError, match=message):
        load_split(source, split)


def test_a_file_of_another_layout(tmp_path):
    """Names, and a grid, that only the layout tells."""
    showers = some_showers(20)
    np.savez(tmp_path / "mine.npz", cells=showers.energy[:, :24, :20], p=showers.momentum, r=showers.point)
    layout = Layout(Grid((24, 20), (2.02, 2.02), 15.0), {"energy": "cells", "momentum": "p", "point": "r"})
    test = load_split(tmp_path / "mine.npz", "test", conventions="as_is", layout=layout)
    np.testing.assert_array_equal(test.energy, showers.energy[drawn_splits(20)["test"], :24, :20])
    assert count_split(tmp_path / "mine.npz", "train", layout=layout) == 15 and test.grid == layout.grid
    stream = open_stream(tmp_path / "mine.npz", tmp_path / "tfds", on_device=10, conventions="as_is", layout=layout)
    assert len(stream) == 15 and stream.block(0).energy.shape == (5, 24, 20)
    other = Layout(layout.grid, {"energy": "cells", "momentum": "p", "point": "x"})
    np.savez(tmp_path / "mine.npz", cells=showers.energy[:, :24, :20], p=showers.momentum, r=showers.point,
             x=np.ones((20, 2)))
    for told, ones in ((layout, False), (other, True)):
        stream = open_stream(tmp_path / "mine.npz", tmp_path / "tfds", on_device=10, conventions="as_is", layout=told)
        assert (stream.block(0).point == 1).all() == ones


# Loading through TFDS


def test_tfds_gives_the_same_arrays_as_the_shipped_file(tmp_path):
    photons = load_showers(sample_path("photon_5d"))
    for split, rows in ordered_splits(len(photons)).items():
        assert_same(load_split("ecal_shashlik/photon_5d", split, tmp_path), photons[rows])
    assert "tensorflow" not in sys.modules


def test_prepared_data_are_reused_and_nothing_is_said_of_a_download(tmp_path, small_sample, capsys):
    first = load_split("ecal_shashlik", "train", tmp_path / "tfds")
    said = capsys.readouterr().out
    assert "ownload" not in said and said.startswith("preparing the showers of ecal_shashlik for TFDS, once")
    small_sample.write_bytes(b"no longer read")
    assert_same(load_split("ecal_shashlik/electron_5d", "train", tmp_path / "tfds"), first)


def test_a_data_set_prepared_by_another_process_meanwhile_is_used(tmp_path, small_sample, monkeypatch):
    """The other one starts later and ends first: it runs while this one is reading the sample."""
    calls = []

    def read_while_another_prepares(path, **options):
        calls.append(path)
        if len(calls) == 1:
            load_split("ecal_shashlik", "test", tmp_path / "tfds")
        return iter_showers(path, **options)

    monkeypatch.setattr(sources, "iter_showers", read_while_another_prepares)
    assert_same(load_split("ecal_shashlik", "train", tmp_path / "tfds"), some_showers(50)[14:])
    assert len(calls) == 6  # three splits, by each of the two
    assert [path.name for path in (tmp_path / "tfds" / "ecal_shashlik" / "electron_5d").iterdir()] == ["3.0.0"]


def test_a_failed_preparation_is_raised_and_leaves_nothing(tmp_path, small_sample, monkeypatch):
    def breaks(path, **options):
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(sources, "iter_showers", breaks)
        with pytest.raises(OSError, match="No space left"):
            load_split("ecal_shashlik", "train", tmp_path / "tfds")
    assert len(load_split("ecal_shashlik", "train", tmp_path / "tfds")) == 36


def test_the_builder_is_registered_with_tfds(tmp_path, small_sample):
    builder = tfds.builder("ecal_shashlik/electron_5d", data_dir=tmp_path / "tfds", file_format="array_record")
    assert type(builder) is EcalShashlik and str(builder.version) == "3.0.0"
    builder.download_and_prepare()
    assert {split: info.num_examples for split, info in builder.info.splits.items()} == {
        "train": 36, "validation": 4, "test": 10}
    record = builder.as_data_source(split="test")[3]
    assert {field: np.shape(value) for field, value in record.items()} == {
        "energy": (30, 30), "momentum": (3,), "point": (2,), "pdg": ()}
    np.testing.assert_allclose(record["momentum"][2], 4.0)


# Streaming


def test_few_enough_showers_do_not_stream(tmp_path, small_sample):
    save_showers(tmp_path / "mine.npz", some_showers(50))
    assert open_stream(tmp_path / "mine.npz", tmp_path / "tfds", on_device=36) is None
    assert not (tmp_path / "tfds").exists()
    assert open_stream("ecal_shashlik", tmp_path / "tfds", on_device=36) is None


@pytest.mark.parametrize("name", ["mine.npz", "mine.h5", "mine.root"])
def test_a_file_that_outgrows_the_device_streams_its_training_split(tmp_path, name):
    save_showers(tmp_path / name, some_showers(50))
    stream = open_stream(tmp_path / name, tmp_path / "tfds", on_device=24, seed=1)
    assert (len(stream), stream.size) == (36, 12)
    blocks = [stream.block(index) for index in range(3)]
    order = np.argsort(np.concatenate([block.momentum[:, 2] for block in blocks]))
    for field in KEYS:
        streamed = np.concatenate([getattr(block, field) for block in blocks])[order]
        expected = getattr(some_showers(50), field)[np.sort(drawn_splits(50)["train"])]
        np.testing.assert_array_equal(streamed, expected)


def test_a_file_that_has_changed_is_prepared_anew(tmp_path):
    for count, training in ((50, 36), (60, 44)):
        save_showers(tmp_path / "mine.npz", some_showers(count))
        assert len(open_stream(tmp_path / "mine.npz", tmp_path / "tfds", on_device=10)) == training
