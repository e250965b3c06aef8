"""Calorimeters of other cells through a run: training, resume, sampling, judgement and export."""
import dataclasses
import functools
import json

import numpy as np
import pytest

from ecalgen import load_sampler, load_showers, runs, save_showers
from ecalgen.data.files.formats import iter_showers
from ecalgen.data.grid import GRIDS, Grid
from ecalgen.data.reconstruction import aggregated
from ecalgen.data.showers import BadShowers, Showers, fit_scales
from ecalgen.data.sources import sample_path
from ecalgen.errors import ConfigError
from ecalgen.export.files import export_generator
from ecalgen.sampling.production import Production, parametrise
from ecalgen.simulation.beam import BEAMS
from ecalgen.simulation.calorimeter import CALORIMETERS
from ecalgen.simulation.geant4 import Setup

LONG = Grid((24, 20), (2.02, 2.02), 15.0, name="long")


def odd(showers):
    """The showers in 15 x 15 cells of twice the width."""
    energy = np.asarray(aggregated(showers.energy, 2))
    return dataclasses.replace(showers, energy=energy, grid=GRIDS["shashlik40"])


def long(showers):
    """The central 24 x 20 cells."""
    return dataclasses.replace(showers, energy=showers.energy[:, 3:27, 5:25], grid=LONG)


LAYERS = Grid((5, 5, 6), (2.55, 2.55, 1.16), 2.75, name="layers")


@functools.cache
def layers():
    """Showers of the layered calorimeter in sums of 5 x 5 x 4 cells, without the last layer."""
    fine = next(iter_showers(sample_path("electron_layered"), 1_600))
    energy = fine.energy[..., :24].reshape(-1, 5, 5, 5, 5, 6, 4).sum((2, 4, 6))
    return Showers(energy, fine.momentum, fine.point, grid=LAYERS)


def deep(_):
    """Showers in depth in place of the given ones."""
    return layers()


RINGS = Grid((8, 3, 6), (1.0, 1.0, 1.16), 2.75, name="rings", radii=(0.0, 0.8, 3.0, 8.0))


def rings(_):
    """The same showers in sectors of rings, to which each column of cells belongs by its centre."""
    showers = layers()
    x, y = (LAYERS.unit * centres for centres in LAYERS.centres())
    sector = np.floor(np.arctan2(y, x) / (2 * np.pi) * 8).astype(int) % 8
    ring = np.searchsorted(RINGS.radii, np.hypot(x, y), side="right") - 1
    energy = np.zeros((len(showers), *RINGS.shape), np.float32)
    np.add.at(energy, (slice(None), sector, ring), showers.energy)
    return dataclasses.replace(showers, energy=energy, grid=RINGS)


@pytest.fixture(scope="module")
def shipped():
    return next(iter_showers(sample_path("electron_5d"), 1_600))


@pytest.mark.parametrize("make", [odd, long, deep, rings])
@pytest.mark.parametrize("suffix", [".npz", ".h5", ".root"])
def test_a_file_says_its_grid(tmp_path, shipped, make, suffix):
    pytest.importorskip({".npz": "numpy", ".h5": "h5py", ".root": "uproot"}[suffix])
    showers = make(shipped[:120])
    save_showers(tmp_path / f"a{suffix}", showers)
    found = load_showers(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(found.energy, showers.energy)
    assert found.grid == showers.grid


def test_a_file_that_does_not_say_its_grid_needs_a_name(tmp_path, shipped):
    showers = odd(shipped[:120])
    np.savez(tmp_path / "a.npz", EnergyDeposit=showers.energy, ParticleMomentum=showers.momentum,
             ParticlePoint=showers.point)
    with pytest.raises(BadShowers, match=r"30 x 30 cells of 2.02 x 2.02 cm \(shashlik\).*data.calorimeter.*data.grid"):
        load_showers(tmp_path / "a.npz")
    assert load_showers(tmp_path / "a.npz", grid=GRIDS["shashlik40"]).grid == GRIDS["shashlik40"]


def test_a_file_of_another_grid_than_the_expected_one(tmp_path, shipped):
    save_showers(tmp_path / "a.npz", odd(shipped[:30]))
    with pytest.raises(BadShowers, match=r"15 x 15 cells.*shashlik40.*24 x 20 cells.*are expected"):
        load_showers(tmp_path / "a.npz", grid=LONG)


@pytest.mark.filterwarnings("ignore:conditions outside the range")
@pytest.mark.parametrize("name, make", [
    ("library:test", odd), pytest.param("baseline:test", odd, marks=pytest.mark.slow),
    pytest.param("anchored:test", long, marks=pytest.mark.slow),
    pytest.param("vae:test", odd, marks=pytest.mark.slow), ("anchored:test,size=deep", deep),
    pytest.param("anchored:test,size=light", rings, marks=pytest.mark.slow),
    pytest.param("adagan:test", deep, marks=pytest.mark.slow),
    pytest.param("library:test", deep, marks=pytest.mark.slow)])
def test_a_run_on_any_grid(recipe, quick_judge, tmp_path, shipped, monkeypatch, name, make):
    """Trained in two parts, judged, sampled and exported; the sampler and the report are of the run's own cells."""
    monkeypatch.chdir(tmp_path)
    showers = make(shipped)
    save_showers("mine.npz", showers)
    config = recipe(name, **{"data.source": "mine.npz", "evaluation.showers": 256})  # whole chunks: fewer programs
    run = tmp_path / "run"
    runs.prepare(config, run)
    runs.train(config, run)
    runs.train(config, run)  # finds it finished
    report = runs.evaluate(config, run)
    assert report.exists() and json.loads((run / "evaluation.json").read_text())["prd"]["raw"]["auc"] >= 0
    sampler = load_sampler(run)
    made = sampler(showers.momentum[:256], showers.point[:256], seed=1)
    assert made.shape == (256, *showers.grid.shape) and np.isfinite(made).all() and sampler.grid == showers.grid
    card = json.loads((run / "generator" / "card.json").read_text())
    assert card["domain"]["grid"]["shape"] == list(showers.grid.shape)
    if name != "library:test":
        paths = export_generator(run, "c", tmp_path / "c")
        assert f"_cells = {np.prod(showers.grid.shape)}," in paths[0].read_text()


@pytest.mark.parametrize("name", [".npz", ".h5", ".root"])
def test_a_simulation_says_its_grid(tmp_path, name):
    pytest.importorskip({".npz": "numpy", ".h5": "h5py", ".root": "uproot"}[name])
    setup = Setup(CALORIMETERS["shashlik60"], BEAMS["5d"])
    path = parametrise(Production(setup, 120), tmp_path / f"coarse{name}")
    assert load_showers(path).grid == GRIDS["shashlik60"] and load_showers(path).energy.shape == (120, 10, 10)


def test_networks_of_one_layer_say_so_before_any_work(recipe, tmp_path, shipped, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_showers("mine.npz", deep(shipped))
    save_showers("flat.npz", shipped)
    for name, file, words in (
            ("baseline:test", "mine.npz", "generator.name is 'plain'.* 5 x 5 x 6 cells .*; anchored, library, "),
            ("anchored:test", "mine.npz", "generator.network is 'convolutions'.* 5 x 5 x 6 cells .*size=deep"),
            ("adagan:test", "flat.npz", "generator.name is 'volumes'.* read out in depth.* 30 x 30 cells .*; plain, ")):
        config = recipe(name, **{"data.source": file, "evaluation.showers": 200})
        with pytest.raises(ConfigError, match=words):
            runs.prepare(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_scales_follow_the_showers(shipped):
    found = fit_scales(shipped)
    log_energy = np.log(np.linalg.norm(shipped.momentum.astype(float), axis=1))
    assert found.log_energy == pytest.approx(log_energy.mean()) and found.log_energy_spread == pytest.approx(
        log_energy.std())
    assert found.fraction == pytest.approx(0.1735, rel=0.02) and found.resolution == pytest.approx(0.014, rel=0.3)
    softer = fit_scales(Showers(shipped.energy, shipped.momentum / 10, shipped.point))
    assert softer.log_energy == pytest.approx(found.log_energy - np.log(10), abs=1e-5)
