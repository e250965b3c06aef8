"""Files are read as they were written, and whatever is wrong with a file gives one clear `BadShowers`."""
import dataclasses
import functools
import io
import os
import pickle
import sys
import warnings
import zipfile

import h5py
import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import uproot
from columns import (
    EVERY_FORMAT,
    REQUIRED,
    assert_same,
    columns,
    npz_bytes,
    peak_below,
    write,
    write_any,
    write_h5,
    write_root,
)

import ecalgen.data.files
from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.files import formats, root
from ecalgen.data.files.formats import (
    ConvertedUnits,
    UncheckedShowers,
    count_showers,
    iter_showers,
    load_conditions,
    load_provenance,
    load_showers,
)
from ecalgen.data.files.writer import save_showers
from ecalgen.data.grid import GRIDS, LAYERED, Grid
from ecalgen.data.showers import KEYS, BadShowers, Showers
from ecalgen.data.sources import sample_path, split_rows
from ecalgen.errors import UserError


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
    assert_same(load_showers(scratch, conventions="as_is"), showers)
    momentum, point = load_conditions(scratch)
    np.testing.assert_array_equal(momentum, showers.momentum)
    np.testing.assert_array_equal(point, showers.point)


@EVERY_FORMAT
@hypothesis.given(showers=any_showers())
@hypothesis.settings(deadline=None, max_examples=10)
def test_round_trip_is_exact_in_every_format(scratch, suffix, showers):
    path = scratch.with_suffix(suffix)
    save_showers(path, showers)
    assert_same(load_showers(path, conventions="as_is"), showers)
    momentum, point = load_conditions(path)
    np.testing.assert_array_equal(momentum, showers.momentum)
    np.testing.assert_array_equal(point, showers.point)


def test_files_are_the_public_layout_and_compressed(tmp_path):
    save_showers(tmp_path / "out.npz", Showers(*columns().values()))
    with np.load(tmp_path / "out.npz") as archive:
        assert {name: archive[name].shape for name in archive.files} == {
            "EnergyDeposit": (3, 30, 30), "ParticleMomentum": (3, 3), "ParticlePoint": (3, 2), "ParticlePDG": (3,),
            "Grid": ()}
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


def test_arrays_in_the_order_of_fortran_are_read(tmp_path):
    path = write(tmp_path / "a.npz", **{name: np.asfortranarray(value) for name, value in columns().items()})
    assert_same(load_showers(path), Showers(*columns().values()))
    assert_same(list(iter_showers(path, 2))[1], Showers(*columns().values())[2:])


@pytest.mark.parametrize("energy", [
    lambda energy: energy, lambda energy: energy.reshape(3, 900), lambda energy: energy.reshape(3, 900).tolist(),
    lambda energy: energy.astype(np.float64)], ids=["square", "flat", "vector", "double"])
def test_variants_of_the_root_tree(tmp_path, energy):
    given = columns(ParticlePoint=np.column_stack([columns()["ParticlePoint"], np.full(3, -19.8, np.float32)]))
    path = write_root(tmp_path / "a.root", **given | {"EnergyDeposit": energy(given["EnergyDeposit"])},
                      TotalEnergySci=np.ones(3))
    assert_same(load_showers(path), Showers(*given.values()))


def test_root_files_are_the_public_tree(tmp_path):
    save_showers(tmp_path / "out.root", Showers(*columns().values()))
    with uproot.open(tmp_path / "out.root") as file:
        tree = file["ecalNT"]
        assert {name: branch.typename for name, branch in tree.items()} == {
            "EnergyDeposit": "float[30][30]", "ParticleMomentum": "float[3]", "ParticlePoint": "float[2]",
            "ParticlePDG": "int32_t"}
        np.testing.assert_array_equal(tree["EnergyDeposit"].array(library="np"), columns()["EnergyDeposit"])


def test_hdf5_files_are_the_challenge_s_layout_and_ours(tmp_path):
    momentum = np.array([[3.0, 0, 4.0], [0, 0, 1.0], [2.0, 3.0, 6.0]])
    save_showers(tmp_path / "out.h5", Showers(*columns(ParticleMomentum=momentum).values()))
    with h5py.File(tmp_path / "out.h5") as file:
        assert {name: (data.shape, data.dtype.name) for name, data in file.items()} == {
            "showers": ((3, 900), "float32"), "incident_energies": ((3, 1), "float32"),
            "ParticleMomentum": ((3, 3), "float32"), "ParticlePoint": ((3, 2), "float32"),
            "ParticlePDG": ((3,), "int32")}
        np.testing.assert_array_equal(file["incident_energies"], [[5000], [1000], [7000]])
        np.testing.assert_array_equal(file["showers"][1, 31:61], columns()["EnergyDeposit"][1].flat[31:61])


def test_our_columns_in_hdf5(tmp_path):
    assert_same(load_showers(write_h5(tmp_path / "a.h5", **columns())), Showers(*columns().values()))


@pytest.mark.parametrize("incident", [[[1000.0], [2500.0], [50000.0]], [1000.0, 2500.0, 50000.0]])
def test_the_challenge_s_particles_fly_along_z_into_the_centre(tmp_path, incident):
    path = write_h5(tmp_path / "a.hdf5", showers=columns()["EnergyDeposit"].reshape(3, 900), incident_energies=incident)
    showers = load_showers(path)
    np.testing.assert_array_equal(showers.energy, columns()["EnergyDeposit"])
    np.testing.assert_array_equal(showers.momentum, [[0, 0, 1], [0, 0, 2.5], [0, 0, 50]])
    np.testing.assert_array_equal(showers.point, np.zeros((3, 2)))
    np.testing.assert_array_equal(load_conditions(path)[0], showers.momentum)


# Names of one's own, and other public files


def own_columns():
    """The columns of a valid file under names of its own, with a column for each component."""
    given = columns()
    return dict(cells=given["EnergyDeposit"], px=given["ParticleMomentum"][:, 0], py=given["ParticleMomentum"][:, 1],
                pz=given["ParticleMomentum"][:, 2], x=given["ParticlePoint"][:, 0], y=given["ParticlePoint"][:, 1],
                code=given["ParticlePDG"])


OWN_NAMES = {"energy": "cells", "momentum": ("px", "py", "pz"), "point": ("x", "y"), "pdg": "code"}


@EVERY_FORMAT
def test_columns_of_other_names(tmp_path, suffix):
    path = write_any(tmp_path / f"a{suffix}", **own_columns())
    assert_same(load_showers(path, columns=OWN_NAMES), Showers(*columns().values()))
    assert len(list(iter_showers(path, 2, columns=OWN_NAMES))) == 2 and count_showers(path, columns=OWN_NAMES) == 3
    momentum, _ = load_conditions(path, columns=OWN_NAMES)
    np.testing.assert_array_equal(momentum, columns()["ParticleMomentum"])


@EVERY_FORMAT
def test_missing_names_are_one_error_with_the_names_that_are_there(tmp_path, suffix):
    path = write_any(tmp_path / f"a{suffix}", **own_columns())
    refuses(path, "no column energy and no pt; the file holds cells, code, px, py, pz, x, y: name its own",
            "columns={'energy': ...}", "--config.data.columns.energy",
            load=lambda path: load_showers(path, columns=OWN_NAMES | {"energy": "energy", "point": ("pt", "y")}),
            cause=False)
    refuses(path, "no column pt;", "--config.data.columns.point", cause=False,
            load=lambda path: count_showers(path, columns=OWN_NAMES | {"point": "pt"}))


@EVERY_FORMAT
@pytest.mark.parametrize("changes, message", [
    ({"cells": -np.ones((3, 30, 30))}, "cells is negative in event 0"),
    ({"cells": np.ones((3, 15, 15))}, "cells has shape [3, 15, 15], cells of another calorimeter"),
    ({"pz": -np.ones(3)}, "ParticleMomentum (px, py, pz) has pz <= 0 in event 0"),
    ({"y": np.full(3, 500.0)}, "ParticlePoint (x, y) lies 500 cm from the centre")])
def test_faults_name_the_columns_of_the_file(tmp_path, suffix, changes, message):
    path = write_any(tmp_path / f"a{suffix}", **own_columns() | changes)
    refuses(path, message, load=lambda path: load_showers(path, columns=OWN_NAMES))


@EVERY_FORMAT
@pytest.mark.parametrize("wide", [False, True])
def test_an_incident_energy_in_place_of_a_momentum(tmp_path, suffix, wide):
    incident = np.array([1.0, 2.5, 50.0]).reshape((3, 1) if wide else 3)
    given = {"EnergyDeposit": columns()["EnergyDeposit"], "incident_energy": incident}
    showers = load_showers(write_any(tmp_path / f"a{suffix}", **given))
    np.testing.assert_array_equal(showers.momentum, [[0, 0, 1], [0, 0, 2.5], [0, 0, 50]])
    np.testing.assert_array_equal(showers.point, np.zeros((3, 2)))
    path = write_any(tmp_path / f"b{suffix}", **columns() | {"incident_energy": incident})
    assert_same(load_showers(path), Showers(*columns().values()))  # a momentum is given
    told = load_showers(path, columns={"incident_energy": "incident_energy", "direction": "ParticleMomentum"})
    np.testing.assert_allclose(np.linalg.norm(told.momentum, axis=1), [1, 2.5, 50], rtol=1e-6)
    np.testing.assert_array_equal(told.point, columns()["ParticlePoint"])


def test_a_tree_of_another_name(tmp_path):
    path = write_root(tmp_path / "a.root", tree="events", **columns())
    assert_same(load_showers(path, tree="events"), Showers(*columns().values()))
    assert count_showers(path, tree="events") == len(load_conditions(path, tree="events")[0]) == 3
    refuses(path, "no tree hits, the file holds events; name its tree, with --config.data.tree", cause=False,
            load=lambda path: load_showers(path, tree="hits"))
    with uproot.recreate(tmp_path / "b.root") as file:
        file["run/text"] = "no tree"
        file.mktree("run/events", {"cell-E": np.dtype(("f4", (30, 30))), "run.p": np.dtype(("f4", 3))})
        file["run/events"].extend({"cell-E": columns()["EnergyDeposit"], "run.p": columns()["ParticleMomentum"]})
    names = {"energy": "cell-E", "momentum": "run.p", "point": "run.p"}  # names that are no Python
    assert len(load_showers(tmp_path / "b.root", columns=names, tree="run/events", conventions="as_is")) == 3
    refuses(tmp_path / "b.root", "run/text is a TObjString, not a tree", cause=False,
            load=lambda path: load_showers(path, tree="run/text"))


def test_another_tree_beside_one_that_ecalgen_wrote(tmp_path):
    """The checksums in the file are not those of its columns."""
    path = tmp_path / "a.root"
    save_showers(path, Showers(*columns().values()))
    other = own_columns() | {"EnergyDeposit": columns()["EnergyDeposit"] + 1}
    with uproot.update(path) as file:
        file.mktree("events", {name: np.dtype((value.dtype, value.shape[1:])) for name, value in other.items()})
        file["events"].extend(other)
    names = {field: name for field, name in OWN_NAMES.items() if field != "energy"}
    np.testing.assert_array_equal(load_showers(path, tree="events", columns=names).energy, other["EnergyDeposit"])


def test_baskets_of_many_cells_hold_fewer_events(tmp_path, monkeypatch):
    monkeypatch.setattr(root, "BASKET_BYTES", 8000)
    save_showers(tmp_path / "a.root", Showers(*columns(5).values()))
    with uproot.open(tmp_path / "a.root") as file:
        assert file["ecalNT"]["EnergyDeposit"].num_baskets == 3  # of 3,600 bytes an event


def test_a_group_of_an_hdf5_file(tmp_path):
    path = write_h5(tmp_path / "a.h5", **{f"run/{name}": value for name, value in columns().items()})
    assert_same(load_showers(path, tree="run"), Showers(*columns().values()))
    names = {"energy": "run/EnergyDeposit", "momentum": "run/ParticleMomentum", "point": "run/ParticlePoint"}
    assert_same(load_showers(path, columns=names), Showers(*columns().values()))
    refuses(path, "no group walk, the file holds run; name its group", cause=False,
            load=lambda path: load_showers(path, tree="walk"))
    refuses(path, "no column EnergyDeposit and", "the file holds run, run/EnergyDeposit, run/ParticleM", cause=False)
    with h5py.File(path, "a") as file:
        file["out"] = h5py.ExternalLink(str(path), "/run")
    refuses(path, "out is a link out of the file", load=lambda path: load_showers(path, tree="out"), cause=False)


def test_an_npz_has_no_trees(tmp_path):
    path = write(tmp_path / "a.npz", **columns())
    refuses(path, ".npz files hold no trees or groups, and 'events' is told; leave out", cause=False,
            load=lambda path: load_showers(path, tree="events"))


def test_groups_and_links_of_unused_names_are_let_be(tmp_path):
    """Only what is read is looked into."""
    path = write_h5(tmp_path / "a.h5", **without("ParticlePDG"))
    with h5py.File(path, "a") as file:
        file.create_group("energy").create_group("ECAL")
        file["showers"] = h5py.ExternalLink("elsewhere.h5", "/showers")
    assert len(load_showers(path)) == 3


BOX = Grid((4, 3, 5), (1.0, 1.0, 0.5), 1.0, name="box")


def some_blocks(grid, count=4):
    rng = np.random.default_rng(count)
    return Showers(rng.exponential(5.0, (count, *grid.shape)), rng.normal(0, 1, (count, 3)) + [0, 0, 50],
                   rng.normal(0, 0.5, (count, 2)), grid=grid)


@EVERY_FORMAT
@pytest.mark.parametrize("grid", [BOX, dataclasses.replace(GRIDS["challenge2"], shape=(16, 9, 4))])
def test_showers_in_depth_come_back(tmp_path, suffix, grid):
    save_showers(tmp_path / f"a{suffix}", some_blocks(grid))
    loaded = load_showers(tmp_path / f"a{suffix}")
    assert_same(loaded, some_blocks(grid))
    assert loaded.grid == grid
    assert_same(next(iter_showers(tmp_path / f"a{suffix}", 3)), some_blocks(grid)[:3])


def test_files_in_depth_have_the_usual_columns(tmp_path):
    save_showers(tmp_path / "a.h5", some_blocks(BOX))
    with h5py.File(tmp_path / "a.h5") as file:
        assert {name: data.shape for name, data in file.items()} == {
            "EnergyDeposit": (4, 4, 3, 5), "ParticleMomentum": (4, 3), "ParticlePoint": (4, 2), "ParticlePDG": (4,)}
    save_showers(tmp_path / "a.root", some_blocks(BOX))
    with uproot.open(tmp_path / "a.root") as file:
        assert file["ecalNT"]["EnergyDeposit"].typename == "float[4][3][5]"


@EVERY_FORMAT
@pytest.mark.parametrize("wide", [False, True])
def test_public_blocks_are_in_gev(tmp_path, suffix, wide):
    cells = np.zeros((2, 25, 25, 25), np.float32)
    cells[1, 12, 13, 5] = 0.25
    incident = np.array([10.0, 50.0]).reshape((2, 1) if wide else 2)
    showers = load_showers(write_any(tmp_path / f"a{suffix}", ECAL=cells, energy=incident))
    assert showers.grid == LAYERED and showers.grid.name == "layered"
    assert showers.energy[1, 12, 13, 5] == 250 and showers.energy.sum() == 250
    np.testing.assert_array_equal(showers.momentum, [[0, 0, 10], [0, 0, 50]])
    assert not showers.point.any() and showers.pdg.tolist() == [11, 11]


def test_public_blocks_of_other_cells(tmp_path):
    path = write(tmp_path / "a.npz", ECAL=np.full((2, 4, 3, 5), 1e-3), energy=np.array([10.0, 50.0]))
    assert (load_showers(path, grid=BOX).energy == 1).all()
    refuses(path, "ECAL has shape [2, 4, 3, 5], cells of another calorimeter", "no calorimeter is named")
    refuses(path, "25 x 25 x 25 cells of", load=lambda path: load_showers(path, grid=LAYERED))


def test_the_shipped_showers_in_depth_and_their_rows():
    """The layered calorimeter shows 0.027 of the energy."""
    path = sample_path("electron_layered")
    block = next(iter_showers(path, 50, conventions="as_is"))
    with np.load(path) as file:
        np.testing.assert_array_equal(block.energy, file["EnergyDeposit"][:50].astype("f4"))
        np.testing.assert_array_equal(file["EventIndex"], np.arange(8000))
    assert not block.momentum[:, :2].any() and not block.point.any()
    assert block.energy.sum() / block.momentum.sum() == pytest.approx(27, rel=0.03)
    assert block.grid == LAYERED and count_showers(path) == 8000 == len(load_conditions(path)[0])
    assert sum(len(rows) for _, rows in split_rows(path).values()) == 8000


def test_a_file_of_energies_alone_gives_conditions(tmp_path):
    momentum, point = load_conditions(write(tmp_path / "a.npz", energy=np.array([5.0, 20.0])), grid=LAYERED)
    assert momentum.tolist() == [[0, 0, 5], [0, 0, 20]] and not point.any()


@pytest.mark.parametrize("name", ["challenge2", "challenge3"])
def test_data_sets_of_the_challenge(tmp_path, name):
    """Calibrated cells, whose sums fluctuate about the energy of the particle and beyond it."""
    rng, (sectors, rings, layers) = np.random.default_rng(1), GRIDS[name].shape
    incident, share = np.exp(rng.uniform(0, np.log(1000), 40)) * 1000, rng.normal(1, 0.15, 40)
    rows = rng.exponential(1.0, (40, sectors * rings * layers))
    rows *= (incident * share / rows.sum(1))[:, None]
    path = write_h5(tmp_path / "a.hdf5", showers=rows, incident_energies=incident[:, None])
    showers = load_showers(path, grid=GRIDS[name])
    assert showers.energy.shape == (40, sectors, rings, layers) and share.max() > 1.15
    expected = rows.reshape(40, layers, sectors, rings).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(showers.energy, expected, rtol=1e-6)
    np.testing.assert_allclose(showers.momentum[:, 2], incident / 1000, rtol=1e-6)
    refuses(path, f"({name} has such cells)")
    rows[7] *= 3 / share[7]
    refuses(write_h5(tmp_path / "b.h5", showers=rows * 1.01, incident_energies=incident), "showers adds up to",
            "in event 7, where the momentum of incident_energies says",
            load=lambda path: load_showers(path, grid=GRIDS[name]))


def test_blocks_of_many_cells_are_shorter(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "BLOCK_CELLS", 130)
    save_showers(tmp_path / "a.npz", some_blocks(BOX, 5))
    assert [len(block) for block in iter_showers(tmp_path / "a.npz")] == [2, 2, 1]


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


@pytest.mark.parametrize("load", [load_showers, load_conditions, count_showers, load_provenance])
def test_missing_file(tmp_path, load):
    refuses(tmp_path / "none.npz", "no such file", "check the path", load=load, cause=False)


@pytest.mark.parametrize("load", [load_showers, load_conditions, count_showers, load_provenance])
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
@pytest.mark.parametrize("suffix", [".root", ".h5"])
@pytest.mark.parametrize("content", [b"", b"root", b"\x89HDF\r\n\x1a\n", b"hello, world" * 50])
def test_not_what_the_suffix_says(tmp_path, load, suffix, content):
    (tmp_path / f"a{suffix}").write_bytes(content)
    refuses(tmp_path / f"a{suffix}", f"cannot be read as {suffix}", "whole", load=load)


@pytest.mark.parametrize("suffix", [".root", ".h5"])
@hypothesis.given(share=st.floats(0, 0.999))
@hypothesis.settings(deadline=None, max_examples=20)
def test_root_and_hdf5_cut_short(scratch, suffix, share):
    save_showers(scratch.with_suffix(suffix), Showers(*columns().values()))
    whole = scratch.with_suffix(suffix).read_bytes()
    scratch.with_suffix(suffix).write_bytes(whole[:int(share * len(whole))])
    with pytest.raises(BadShowers, match=rf"scratch\{suffix}.*whole"):
        load_showers(scratch.with_suffix(suffix))


def test_the_tree_is_missing(tmp_path):
    refuses(write_root(tmp_path / "a.root", tree="events", **columns()), "no tree ecalNT", "events", cause=False)
    with uproot.recreate(tmp_path / "b.root"):
        pass
    refuses(tmp_path / "b.root", "no tree ecalNT", "holds nothing", cause=False)
    with uproot.recreate(tmp_path / "c.root") as file:
        file.mkrntuple("ecalNT", columns())
    refuses(tmp_path / "c.root", "ecalNT is a ROOT::RNTuple, not a tree; write it as a TTree", cause=False)


def test_events_of_different_lengths(tmp_path):
    ragged = [[1.0] * 900, [1.0] * 899, [1.0] * 900]
    refuses(write_root(tmp_path / "a.root", **columns() | {"EnergyDeposit": ragged}), "EnergyDeposit differs in length")


def test_another_calorimeter_of_the_challenge(tmp_path):
    path = write_h5(tmp_path / "a.h5", showers=np.ones((3, 368)), incident_energies=np.ones((3, 1)))
    refuses(path, "shape [3, 368], cells of another calorimeter")


@pytest.mark.parametrize("suffix, library, extra", [(".root", "uproot", "root"), (".h5", "h5py", "hdf5")])
def test_a_missing_library_is_named_with_its_extra(tmp_path, monkeypatch, suffix, library, extra):
    save_showers(tmp_path / f"a{suffix}", Showers(*columns().values()))
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"ecalgen.data.files.{extra}")
    monkeypatch.delattr(ecalgen.data.files, extra)
    refuses(tmp_path / f"a{suffix}", library, f"pip install 'ecalgen[{extra}]'")
    with pytest.raises(BadShowers, match=rf"b{suffix}: .*pip install 'ecalgen\[{extra}\]'"):
        save_showers(tmp_path / f"b{suffix}", Showers(*columns().values()))
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


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
@EVERY_FORMAT
@pytest.mark.parametrize("name", REQUIRED)
def test_missing_column(tmp_path, load, suffix, name):
    given = columns()
    del given[name]
    path = write_any(tmp_path / f"a{suffix}", **given)
    if load is load_conditions and name == "EnergyDeposit":
        load(path)
    else:
        refuses(path, f"no column {name};", load=load, cause=False)
    if name == "EnergyDeposit":
        refuses(path, f"no column {name};", load=count_showers, cause=False)


@EVERY_FORMAT
def test_all_missing_columns_are_named_at_once(tmp_path, suffix):
    refuses(write_any(tmp_path / f"a{suffix}", other=np.ones(3)), *REQUIRED, cause=False)


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
    if np.asarray(bad).dtype.kind != "U":
        refuses(write_h5(tmp_path / "a.h5", **columns(**{name: bad})), blamed)


@LOADERS
@EVERY_FORMAT
def test_no_events(tmp_path, load, suffix):
    path = write_any(tmp_path / f"a{suffix}", **{name: value[:0] for name, value in columns().items()})
    with pytest.raises(BadShowers, match="a.*: .* holds no .*at least one event"):
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


# Hostile files


def sparse_member(path, name, shape):
    """Adds an array of zeros of any size to an npz, without holding it in memory."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(f"{name}.npy", "w") as member:
            member.write(header.getvalue())
            for _ in range(4 * int(np.prod(shape)) // 2**20):
                member.write(bytes(2**20))


def without(name, count=3):
    return {column: value for column, value in columns(count).items() if column != name}


@pytest.mark.parametrize("shape", [(2**16, 32, 32), (3, 2**16, 2**9)])
def test_a_column_that_unpacks_to_too_much_is_not_read(tmp_path, shape):
    """256 MB or more of zeros, from a file of about 1 MB."""
    path = write(tmp_path / "a.npz", **without("EnergyDeposit"))
    sparse_member(path, "EnergyDeposit", shape)
    for load in (load_showers, iter_showers, count_showers):
        with peak_below(20e6):
            refuses(path, "has shape", load=load)


@pytest.mark.parametrize("chunks", [None, (100, 30, 30)])
def test_rows_of_hdf5_that_were_never_written(tmp_path, chunks):
    path = write_h5(tmp_path / "a.h5", **without("EnergyDeposit"))
    with h5py.File(path, "a") as file:
        file.create_dataset("EnergyDeposit", (10**9, 30, 30), "f4", chunks=chunks)
    with peak_below(20e6):
        refuses(path, "EnergyDeposit says shape [1000000000, 30, 30], but not all of it was written", cause=False)


def test_a_chunk_that_unpacks_to_too_much(tmp_path):
    path = write_h5(tmp_path / "a.h5", **without("EnergyDeposit"))
    with h5py.File(path, "a") as file:
        file.create_dataset("EnergyDeposit", (3, 30, 30), "f4", chunks=(10**6, 30, 30), maxshape=(None, 30, 30))
    refuses(path, "EnergyDeposit is stored in chunks of shape [1000000, 30, 30]", cause=False)


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/null"])
@EVERY_FORMAT
def test_devices_are_not_read(tmp_path, suffix, target):
    (tmp_path / f"a{suffix}").symlink_to(target)
    for load in (load_showers, load_conditions, count_showers, load_provenance, iter_showers):
        refuses(tmp_path / f"a{suffix}", "is a device or a pipe", load=load, cause=False)


def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.npz")
    refuses(tmp_path / "a.npz", "is a device or a pipe", cause=False)


@pytest.mark.parametrize("name", REQUIRED)
def test_rows_of_hdf5_in_other_files(tmp_path, name):
    """What lies in the other file would come as numbers, and a link would open any file."""
    value, secret = columns()[name], tmp_path / "secret"
    secret.write_bytes(bytes(range(256)) * 100)
    layout = h5py.VirtualLayout(value.shape, "f4")
    layout[...] = h5py.VirtualSource(write_h5(tmp_path / "b.h5", x=value), "x", value.shape)
    for number, (put, words) in enumerate([
            (lambda file: file.create_dataset(name, value.shape, "f4", external=[(str(secret), 0, value.nbytes)]),
             "lie in other files"),
            (lambda file: file.create_virtual_dataset(name, layout), "lie in other files"),
            (lambda file: file.update({name: h5py.ExternalLink(str(tmp_path / "b.h5"), "x")}), "link out of the file"),
            (lambda file: file.update({"g": h5py.ExternalLink(str(tmp_path / "b.h5"), "/"),
                                       name: h5py.SoftLink("/g/x")}), "link out of the file"),
            (lambda file: file.update({name: h5py.SoftLink(f"/{name}")}), "link out of the file"),
            (lambda file: file.create_group(name), "is a group, not a data set")]):
        path = write_h5(tmp_path / f"a{number}.h5", **without(name))
        with h5py.File(path, "a") as file:
            put(file)
        refuses(path, words, cause=False)


def test_links_within_an_hdf5_file_are_followed(tmp_path):
    path = write_h5(tmp_path / "a.h5", **without("ParticlePoint") | {"deep/er": columns()["ParticlePoint"]})
    with h5py.File(path, "a") as file:
        file["ParticlePoint"], file["way"] = h5py.SoftLink("way/er"), h5py.SoftLink("/deep")
    assert_same(load_showers(path), Showers(*columns().values()))


@pytest.mark.parametrize("shape", ["(-1, 30, 30)", "(3, -30, -30)", "(4, 30, 30)", "(2, 30, 30)", "(10**9, 30, 30)",
                                   "(1000000000, 30, 30)", "(True, 30, 30)"])
def test_headers_that_lie(tmp_path, shape):
    path = write(tmp_path / "a.npz", **without("EnergyDeposit"))
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    content = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + bytes(10800)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("EnergyDeposit.npy", content)
    with peak_below(20e6):
        refuses(path, "EnergyDeposit cannot be read (")


def test_a_member_of_an_npz_that_is_there_twice(tmp_path):
    path = write(tmp_path / "a.npz", **columns())
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("ParticlePDG.npy", archive.read("ParticlePDG.npy"))
    refuses(path, "ParticlePDG is in the file 2 times", cause=False)


def test_a_name_that_was_damaged_in_the_list_of_an_npz(tmp_path):
    """The column would be gone, and photons become electrons."""
    path = write(tmp_path / "a.npz", **columns(ParticlePDG=np.full(3, 22)))
    content = path.read_bytes()
    place = content.rfind(b"ParticlePDG")
    path.write_bytes(content[:place] + b"Q" + content[place + 1:])
    refuses(path, "cannot be read as .npz")


def test_a_member_that_is_hidden_in_the_comment_of_another(tmp_path):
    path = write(tmp_path / "a.npz", **columns(ParticlePDG=np.full(3, 22)))
    content = bytearray(path.read_bytes())
    entry = content.rfind(b"PK\1\2", 0, content.rfind(b"PK\1\2"))  # the last but one
    content[entry + 32] = len(content) - 22 - content.rfind(b"PK\1\2")  # length of the comment
    path.write_bytes(content)
    refuses(path, "cannot be read as .npz (4 members are announced and 3 listed)")


@EVERY_FORMAT
def test_a_flipped_byte_of_a_written_file(tmp_path, suffix):
    path, expected = tmp_path / f"a{suffix}", Showers(*columns(ParticlePDG=np.full(3, 22)).values())
    save_showers(path, expected, provenance={"seed": 12345})
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for place in rng.integers(len(whole), size=150):
        damaged = bytearray(whole)
        damaged[place] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            assert_same(load_showers(path), expected)
            assert load_provenance(path) in (None, {"seed": 12345})
        except BadShowers as error:
            assert str(path) in str(error) and "\n" not in str(error)
            refused += 1
    assert refused > 10


def test_a_root_file_whose_numbers_have_changed(tmp_path, monkeypatch):
    """As a damage does that its compression cannot see."""
    path = tmp_path / "a.root"
    save_showers(path, Showers(*columns().values()))
    with uproot.open(path) as file:
        sums = str(file["Checksums"])
    changed = columns()
    changed["EnergyDeposit"][1, 2, 3] += 1
    with uproot.recreate(path) as file:
        file.mktree("ecalNT", {name: np.dtype((value.dtype, value.shape[1:])) for name, value in changed.items()})
        file["ecalNT"].extend(changed)
        file["Checksums"] = sums
    refuses(path, "EnergyDeposit is not what was written, by its checksum", cause=False)
    blocks = iter_showers(path, 2, conventions="as_is")
    assert len(next(blocks)) == 2
    with pytest.raises(BadShowers, match="EnergyDeposit is not what was written"):
        next(blocks)
    assert len(load_showers(write_root(path, **changed))) == 3  # of another program, which writes none


def test_hdf5_rows_carry_checksums(tmp_path):
    save_showers(tmp_path / "a.h5", Showers(*columns().values()))
    with h5py.File(tmp_path / "a.h5") as file:
        assert all(data.fletcher32 for data in file.values())


@EVERY_FORMAT
def test_energies_and_points_that_cannot_be(tmp_path, suffix):
    for name, row, words in [("EnergyDeposit", np.full((30, 30), 1e6), "EnergyDeposit adds up to 9e+08 MeV in event 1"),
                             ("ParticlePoint", [0.0, 500.0], "ParticlePoint lies 500 cm from the centre in event 1"),
                             ("EnergyDeposit", np.full((30, 30), 1e38), "EnergyDeposit reaches 1e+38 in event 1")]:
        spoiled = columns()
        spoiled[name][1] = row
        path = write_any(tmp_path / f"a{suffix}", **spoiled)
        refuses(path, words)
        with pytest.raises(BadShowers, match="in event 1"):
            list(iter_showers(path, 2))
        if np.max(row) < 1e12:
            assert len(load_showers(path, conventions="as_is")) == 3


def test_what_was_not_checked_is_told_once(tmp_path, showers):
    """Rolled by one row among showers of one energy, which no sum of a row can tell."""
    rows = np.argsort(np.linalg.norm(showers.momentum, axis=1))[100:160]
    save_showers(tmp_path / "a.npz", Showers(np.roll(showers.energy[rows], 1, axis=0), showers.momentum[rows],
                                             showers.point[rows]))
    for load in (load_showers, lambda path: [*iter_showers(path, 20)]):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            load(tmp_path / "a.npz")
        assert [warning.category for warning in caught] == [UncheckedShowers]
        assert str(caught[0].message).startswith(f"{tmp_path / 'a.npz'}: not checked: 60 showers are too few")


@pytest.mark.parametrize("text", ["[1]", "1", '"text"', "[" * 100_000])
def test_provenance_is_an_object(tmp_path, text):
    path = write(tmp_path / "a.npz", **columns(), Provenance=np.array(text))
    with pytest.raises(BadShowers, match="a.npz: Provenance is .*; write the file again"):
        load_provenance(path)


def test_provenance_that_is_not_json(tmp_path):
    path = write(tmp_path / "a.npz", **columns(), Provenance=np.array("by hand"))
    refuses(path, "Provenance is no JSON", load=load_provenance)
    refuses(tmp_path / "none.npz", "no such file", load=load_provenance, cause=False)


# Block by block


def test_a_fault_in_a_later_block_names_its_place(tmp_path):
    energy = columns(7)["EnergyDeposit"]
    energy[5, 3, 3] = -1
    blocks = iter_showers(write(tmp_path / "a.npz", **columns(7, EnergyDeposit=energy)), 3, conventions="as_is")
    assert len(next(blocks)) == 3
    with pytest.raises(BadShowers, match="a.npz, from event 3 on: EnergyDeposit is negative in event 2;"):
        next(blocks)


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_columns_of_different_lengths(tmp_path, suffix):
    path = write_any(tmp_path / f"a{suffix}", **columns(7) | {"ParticlePoint": columns(6)["ParticlePoint"]})
    for load in (load_showers, load_conditions, count_showers, functools.partial(iter_showers, size=3)):
        refuses(path, "ParticlePoint has shape [6, 2], not [7, 2]", load=load)


def test_a_block_holds_at_least_one(tmp_path):
    with pytest.raises(UserError, match="size is 0; read at least 1"):
        iter_showers(tmp_path / "a.npz", 0)


# Units and axes


def in_other_units(showers):
    return dict(EnergyDeposit=showers.energy.swapaxes(1, 2)[:, ::-1], ParticleMomentum=1000 * showers.momentum,
                ParticlePoint=10 * showers.point, ParticlePDG=showers.pdg)


@EVERY_FORMAT
def test_units_and_axes_are_found_and_told_once(tmp_path, showers, suffix):
    path = write_any(tmp_path / f"mine{suffix}", **in_other_units(showers))
    notes = ["EnergyDeposit turned from axes (-y, x) to (x, y)", "ParticleMomentum converted from MeV to GeV",
             "ParticlePoint converted from mm to cm"]
    for load in (load_showers, lambda path: [*iter_showers(path, 150)], lambda path: load_split(path, "train")):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            load(path)
        assert [(warning.category, str(warning.message)) for warning in caught] == [
            (ConvertedUnits, f"{path}: {note}") for note in notes]
    with pytest.warns(ConvertedUnits):
        loaded, blocks = load_showers(path), [*iter_showers(path, 150)]
    np.testing.assert_array_equal(loaded.energy, showers.energy)
    np.testing.assert_allclose(loaded.momentum, showers.momentum, rtol=1e-6)
    np.testing.assert_allclose(loaded.point, showers.point, rtol=1e-6)
    assert_same(Showers(*(np.concatenate([getattr(block, field) for block in blocks]) for field in KEYS)), loaded)


def test_a_file_is_believed_as_it_is_when_asked(tmp_path, showers):
    path = write(tmp_path / "mine.npz", **in_other_units(showers))
    np.testing.assert_array_equal(load_showers(path, conventions="as_is").point, 10 * showers.point)
    np.testing.assert_array_equal(next(iter_showers(path, 5, conventions="as_is")).point, 10 * showers.point[:5])


def test_showers_that_contradict_their_particles(tmp_path, showers):
    save_showers(tmp_path / "a.npz", Showers(showers.energy[::-1], showers.momentum, showers.point))
    refuses(tmp_path / "a.npz", "EnergyDeposit does not follow ParticlePoint", "conventions='as_is'")
    with pytest.raises(BadShowers, match="a.npz: EnergyDeposit does not follow"):
        iter_showers(tmp_path / "a.npz")
    assert len(load_showers(tmp_path / "a.npz", conventions="as_is")) == 400


@pytest.mark.parametrize("load", [load_showers, iter_showers])
def test_unknown_conventions(tmp_path, load):
    with pytest.raises(UserError, match="conventions is 'guess'; it is one of detect, as_is"):
        load(tmp_path / "a.npz", conventions="guess")
