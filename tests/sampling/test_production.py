"""Productions: any way of cutting, killing and resuming gives the same file; what cannot be made is said at once."""
import concurrent.futures
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from dask_cluster import workers
from real_geant4 import DATA, needs_geant4, simulate

from ecalgen.data.files.formats import load_provenance, load_showers
from ecalgen.data.grid import LAYERED
from ecalgen.data.showers import BadShowers
from ecalgen.errors import UserError
from ecalgen.sampling.production import Production, ProductionError, bookkeeping, generate, parametrise, produce
from ecalgen.sampling.sampler import load_sampler
from ecalgen.simulation import __main__ as command
from ecalgen.simulation.beam import BEAMS, Beam, kinematics
from ecalgen.simulation.calorimeter import CALORIMETERS
from ecalgen.simulation.geant4 import Setup
from ecalgen.simulation.gflash import SHASHLIK_TUNING, Gflash

SOFT = dataclasses.replace(BEAMS["5d"], energy=(1, 3))
"""A beam of low energy, which is quick to simulate."""


@needs_geant4
def test_cut_in_any_way_the_showers_are_those_of_one_run(tmp_path):
    production = Production(Setup(beam=SOFT, seed=9), events=9, first=4, chunk=4)
    showers = load_showers(produce(production, tmp_path / "two.npz", workers=2, data=DATA))
    energy, _ = simulate(production.setup, 4, 9)
    np.testing.assert_array_equal(showers.energy, energy)
    with np.load(tmp_path / "two.npz") as archive:
        np.testing.assert_array_equal(archive["EventIndex"], np.arange(4, 13))
    other = produce(dataclasses.replace(production, chunk=7), tmp_path / "one.npz", workers=1, data=DATA)
    assert other.read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.npz", "two.npz"]


@needs_geant4
def test_a_repetition_has_the_same_particles_and_other_showers(tmp_path):
    first, again = (load_showers(produce(Production(Setup(beam=SOFT, seed=9, repeat=repeat), events=3),
                                         tmp_path / f"{repeat}.npz", data=DATA)) for repeat in (0, 1))
    np.testing.assert_array_equal(first.momentum, again.momentum)
    np.testing.assert_array_equal(first.point, again.point)
    assert not (first.energy == again.energy).all((1, 2)).any()
    assert load_provenance(tmp_path / "1.npz")["repeat"] == 1


@needs_geant4
def test_the_file_says_how_it_was_made(tmp_path):
    production = Production(Setup(beam=SOFT, seed=9), events=1)
    kept = load_provenance(produce(production, tmp_path / "x.npz", data=DATA))
    assert kept == json.loads(json.dumps(bookkeeping(production, kept["made_by"])))
    assert kept["seed"] == 9 and kept["calorimeter"]["absorber"]["name"] == "Lead" and kept["beam"]["energy"] == [1, 3]
    made_by = kept["made_by"]
    assert (made_by["name"], made_by["physics"], made_by["cut"]) == ("geant4", "standard", 0.7) and made_by["tables"]
    assert set(kept["versions"]) == {"python", "ecalgen", "numpy"}


@needs_geant4
@pytest.mark.slow
def test_killed_and_gone_on_with(tmp_path):
    words = ["geant4", "--events=24", "--seed=3", "--energy=1,3", "--chunk=3", "--workers=2"] + (
        [f"--data={DATA}"] if DATA else [])
    begin = lambda out: subprocess.Popen([sys.executable, "-m", "ecalgen.simulation", *words, f"--out={out}"],
                                         stderr=subprocess.DEVNULL, start_new_session=True)
    run, parts = begin(tmp_path / "killed.npz"), tmp_path / "killed.npz.parts"
    wait_for(lambda: len(list(parts.glob("0*.npz"))) >= 2)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    wait_for(lambda: not alive(run.pid))
    kept = {path: path.stat().st_mtime_ns for path in parts.glob("0*.npz")}
    assert 2 <= len(kept) < 8 and not (tmp_path / "killed.npz").exists()
    produced = begin(tmp_path / "killed.npz")
    wait_for(lambda: len(list(parts.glob("0*.npz"))) > len(kept))
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    assert produced.wait() == 0
    assert begin(tmp_path / "whole.npz").wait() == 0
    assert (tmp_path / "killed.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()


@needs_geant4
@pytest.mark.slow
def test_sigterm_ends_with_one_line_and_keeps_what_is_done(tmp_path):
    words = ["geant4", "--events=400", "--seed=3", "--energy=1,2", "--chunk=2", "--workers=1",
             f"--out={tmp_path}/x.npz"]
    run = subprocess.Popen([sys.executable, "-m", "ecalgen.simulation", *words, *([f"--data={DATA}"] if DATA else [])],
                           stderr=subprocess.PIPE, text=True)
    wait_for(lambda: list((tmp_path / "x.npz.parts").glob("0*.npz")))
    run.send_signal(signal.SIGTERM)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == 1 and "Traceback" not in stderr
    assert stderr.strip().endswith("interrupted; the same command goes on after the chunks that are finished")


@needs_geant4
def test_a_killed_worker_of_a_cluster_loses_and_repeats_nothing(tmp_path):
    production = Production(Setup(beam=SOFT, seed=9), events=24, chunk=3)
    parts = tmp_path / "cluster.npz.parts"

    def interfere(kill_one):
        wait_for(lambda: len(list(parts.glob("0*.npz"))) >= 2)
        kept = {path.name: path.stat().st_mtime_ns for path in parts.glob("0*.npz")}
        kill_one()
        wait_for(lambda: len(list(parts.glob("0*.npz"))) > len(kept) + 1)
        return all((parts / name).stat().st_mtime_ns == before for name, before in kept.items())

    with workers(2) as (address, kill_one), concurrent.futures.ThreadPoolExecutor(1) as thread:
        untouched = thread.submit(interfere, kill_one)
        produce(production, tmp_path / "cluster.npz", data=DATA, scheduler=address)
        assert untouched.result()
    local = produce(production, tmp_path / "local.npz", workers=2, data=DATA)
    assert local.read_bytes() == (tmp_path / "cluster.npz").read_bytes()


@needs_geant4
def test_cells_in_depth(tmp_path):
    setup = Setup(CALORIMETERS["layered"], dataclasses.replace(BEAMS["layered"], energy=(2, 4)), seed=1)
    showers = load_showers(produce(Production(setup, 3, chunk=2), tmp_path / "x.h5", data=DATA))
    energy, _ = simulate(setup, 0, 3)
    np.testing.assert_allclose(showers.energy, energy, rtol=1e-6)
    assert showers.grid == LAYERED and ((2 <= showers.momentum[:, 2]) & (showers.momentum[:, 2] <= 4)).all()
    with h5py.File(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(file["EventIndex"], [0, 1, 2])


@needs_geant4
def test_coarse_cells_go_into_a_plain_npz(tmp_path):
    setup = Setup(CALORIMETERS["shashlik60"], dataclasses.replace(SOFT, particle="gamma"), seed=1)
    with np.load(produce(Production(setup, 2), tmp_path / "x.npz", data=DATA)) as archive:
        assert archive["EnergyDeposit"].shape == (2, 10, 10) and archive["EnergyDeposit"].sum() > 0
        assert archive["ParticlePDG"].tolist() == [22, 22] and archive["ParticleMomentum"].dtype == np.float32
        assert json.loads(str(archive["Provenance"]))["calorimeter"]["cells_per_module"] == 2


@needs_geant4
def test_parts_of_another_production_are_refused(tmp_path):
    (tmp_path / "x.npz.parts").mkdir()
    (tmp_path / "x.npz.parts" / "production.json").write_text("{}")
    with pytest.raises(ProductionError, match="parts of another production"):
        produce(Production(Setup(), 2), tmp_path / "x.npz", data=DATA)


@pytest.mark.parametrize("name, words", [
    ("there.npz", "exists already; remove it"), ("x.csv", "unknown suffix '.csv'; the formats are .npz, .root, .h5")])
def test_files_that_cannot_be_written_are_refused_before_any_work(tmp_path, name, words):
    (tmp_path / "there.npz").write_bytes(b"something")
    with pytest.raises(UserError, match=words):
        produce(Production(Setup(), 2), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["there.npz"]


def test_a_missing_library_is_noticed_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "uproot", None)
    monkeypatch.delitem(sys.modules, "ecalgen.data.files.root", raising=False)
    with pytest.raises(BadShowers, match=r"pip install 'ecalgen\[root\]'"):
        produce(Production(Setup(), 2), tmp_path / "x.root", data=DATA)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("events, chunk, sizes", [
    (5, None, {1}), (120, None, {3}), (9000, None, {100}), (9, 4, {4, 1})])
def test_chunks_are_a_fiftieth_of_all_or_a_hundred(events, chunk, sizes):
    chunks = Production(Setup(), events, 7, chunk).chunks
    assert {count for _, count in chunks} == sizes and sum(count for _, count in chunks) == events
    assert [first for first, _ in chunks] == list(7 + np.cumsum([0, *(count for _, count in chunks)])[:-1])


@pytest.mark.parametrize("fields", [dict(events=0), dict(events=3, chunk=0), dict(events=3, first=-1)])
def test_numbers_that_cannot_be(fields):
    with pytest.raises(ProductionError, match="give a whole number from"):
        Production(Setup(), **fields)


def test_a_generator_in_any_chunks(tmp_path):
    production = Production(Setup(beam=SOFT, seed=9), events=9, first=4, chunk=4)
    showers = load_showers(generate(production, "anchored", tmp_path / "x.h5"))
    momentum, point = kinematics(SOFT, 9, 4, 9)
    np.testing.assert_array_equal(showers.momentum, momentum.astype("f4"))
    whole = load_sampler("anchored")(momentum, point / 10, seed=9, first=4)
    np.testing.assert_allclose(showers.energy, whole, rtol=1e-4, atol=1e-4)
    made_by = load_provenance(tmp_path / "x.h5")["made_by"]
    assert made_by["name"] == made_by["system"] == "anchored" and set(made_by["trained"]) == {"commit", "seed", "date"}


def test_a_generator_knows_one_calorimeter(tmp_path):
    with pytest.raises(ProductionError, match="30 x 30 cells .*not of the calorimeter layered; give --calorimeter="):
        generate(Production(Setup(CALORIMETERS["layered"], BEAMS["layered"]), 2), "anchored", tmp_path / "x.h5")


@pytest.mark.parametrize("make", [parametrise, lambda *args: generate(args[0], "anchored", args[1])])
def test_particles_that_miss_are_told_before_any_work(tmp_path, make):
    """Of a beam that enters 3 mm inside of the wall, those that lean inwards, whose tracks come from outside."""
    beam = Beam(energy=(1.0, 2.0), track=(300.0, 0.0), track_spread=0.0, slope_spread=0.1)
    _, point = kinematics(beam, 1, 5, 40)
    missing = 5 + np.nonzero(np.abs(point[:, 0]) > 303)[0]
    with pytest.raises(ProductionError, match=rf"{len(missing)} of 40 particles \(events {missing[0]}, {missing[1]}, .*"
                                              "miss the front face of the shashlik calorimeter, 60.6 cm wide; lower"):
        make(Production(Setup(beam=beam, seed=1), 40, first=5, chunk=7), tmp_path / "x.npz")
    assert not list(tmp_path.iterdir())


def test_the_last_event_has_a_number_of_63_bits(tmp_path):
    with pytest.raises(ProductionError, match="the last event is beyond 2.63 - 1, as first is 9223372036854775807"):
        Production(Setup(), 2, first=2**63 - 1)
    path = parametrise(Production(Setup(beam=SOFT), 2, first=2**63 - 2), tmp_path / "x.npz")
    assert len(load_showers(path)) == 2


def test_gflash_in_any_chunks(tmp_path):
    production = Production(Setup(beam=SOFT, seed=9), events=9, first=4, chunk=4)
    showers = load_showers(parametrise(production, tmp_path / "x.npz"))
    momentum, point = kinematics(SOFT, 9, 4, 9)
    np.testing.assert_allclose(showers.energy, Gflash()(momentum, point / 10, 9, 4), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(showers.momentum, momentum.astype(np.float32))
    made_by = load_provenance(tmp_path / "x.npz")["made_by"]
    assert made_by["name"] == "gflash" and made_by["tuning"] == SHASHLIK_TUNING._asdict() and "physics" not in made_by


def test_gflash_in_depth(tmp_path):
    setup = Setup(CALORIMETERS["layered"], BEAMS["layered"], seed=1)
    showers = load_showers(parametrise(Production(setup, 3, chunk=2), tmp_path / "x.h5"))
    assert showers.grid == LAYERED and (showers.energy.sum((1, 2, 3)) > 0).all()


# The command line


def test_options_become_a_setup():
    words = "geant4 --events=5 --seed=2 --out=x.npz --beam=1d --energy=20 --slope=0.1,0 --track=0.5,-0.5 --physics=fast"
    setup = command.make_setup(command.make_parser().parse_args(words.split()))
    assert setup.beam == dataclasses.replace(BEAMS["1d"], energy=(20, 20), slope=(0.1, 0), track=(5, -5))
    assert (setup.seed, setup.physics, setup.calorimeter) == (2, "fast", CALORIMETERS["shashlik"])
    words = "geant4 --events=5 --seed=2 --out=x.npz --calorimeter=layered --particle=gamma --track-spread=0.2"
    setup = command.make_setup(command.make_parser().parse_args(words.split()))
    assert setup.beam == dataclasses.replace(BEAMS["layered"], particle="gamma", track_spread=2)


@pytest.mark.parametrize("words, message", [
    ("geant4 --events=0 --seed=1 --out=x.npz", "error: events is 0"),
    ("geant4 --events=1 --seed=1 --out=x.npz --energy=5,2", "error: energies of 5 to 2 GeV"),
    ("geant4 --events=1 --seed=1 --out=x.npz --beam=1d --slope=-0.9,0 --track=30,0",
     r"error: the beam enters at \(43.5, -?0\) cm"),
    ("geant4 --events=1 --seed=1 --out=x.npz --slope=nan,0", "error: slope is .*nan"),
    ("geant4 --events=1 --seed=4294967296 --out=x.npz", "error: the seed is 4294967296"),
    ("geant4 --events=1 --seed=1 --out=x.npz --data=/nowhere", "error: no Geant4 data in /nowhere|not installed")])
def test_faults_are_one_line(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=message):
        command.main(words.split())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--energy=1,2,3", "--slope=1", "--track=5", "--track-spread=1,2", "--energy=x"])
def test_malformed_options_are_named(option, capsys):
    with pytest.raises(SystemExit):
        command.main(["gflash", "--events=1", "--seed=1", "--out=x.npz", option])
    assert f"argument {option.split('=')[0]}: " in capsys.readouterr().err


def wait_for(condition, seconds=90):
    end = time.time() + seconds
    while not condition():
        assert time.time() < end, "waited in vain"
        time.sleep(0.05)


def alive(session):
    """Whether any process of this session is left, such as an orphaned worker."""
    return subprocess.run(["pgrep", "-s", str(session)], stdout=subprocess.DEVNULL).returncode == 0
