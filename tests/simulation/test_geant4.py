"""Real Geant4, against the shipped sample bit for bit; skipped where the wheel or its data are absent.

Geant4 can be built once in a process, so each calorimeter gets a process of its own.
"""
import concurrent.futures
import dataclasses
import multiprocessing
import os
import pathlib

import numpy as np
import pytest

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.errors import UserError
from ecalgen.simulation import geant4
from ecalgen.simulation.beam import BEAMS, engine_seeds, kinematics
from ecalgen.simulation.calorimeter import CALORIMETERS
from ecalgen.simulation.geant4 import Setup

BESIDE = pathlib.Path(__file__).parents[3] / "shared" / "geant4" / "ledata"
"""Data for electrons and photons that may lie beside the clone."""
DATA = None if os.environ.get("GEANT4_DATA_DIR") or not BESIDE.is_dir() else BESIDE


def _missing():
    try:
        geant4.check_installed(DATA)
    except geant4.NoGeant4 as error:
        return str(error)
    return ""


needs_geant4 = pytest.mark.skipif(bool(_missing()), reason=_missing() or "none")


def simulate(setup, first, count, score_absorber=False):
    """(energy, absorbed) of some events, from a process of its own."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_simulate, setup, first, count, score_absorber).result()


def _simulate(setup, first, count, score_absorber):
    run = geant4.start(setup, DATA, score_absorber)
    return run(*kinematics(setup.beam, setup.seed, first, count), engine_seeds(setup.seed, first, count))


@needs_geant4
def test_the_shipped_sample_bit_for_bit():
    first, count = 100, 8
    energy, _ = simulate(Setup(seed=20180709), first, count)
    with np.load(sample_path("electron_5d")) as sample:
        rows = np.isin(sample["EventIndex"], np.arange(first, first + count))
        np.testing.assert_array_equal(energy.astype(np.float16), sample["EnergyDeposit"][rows])


@needs_geant4
def test_energy_is_conserved_and_one_particle_is_like_another():
    """10 GeV straight into the middle: 17 % visible, nearly all absorbed, by electrons, positrons and photons alike."""
    for particle in ("e-", "e+", "gamma"):
        beam = dataclasses.replace(BEAMS["1d"], particle=particle, energy=(10, 10))
        energy, absorbed = simulate(Setup(beam=beam, seed=5), 0, 6, score_absorber=True)
        visible = energy.sum((1, 2)) / 10_000
        assert visible.mean() == pytest.approx(0.1735, abs=4 * 0.08 * 0.1735 / np.sqrt(10 * 6)), particle
        assert (visible + absorbed / 10_000).min() > 0.94 and (visible + absorbed / 10_000).max() < 1.0002, particle


@needs_geant4
def test_coarser_cells_are_sums_of_finer_ones():
    """The boundaries of cells are none for the particles, so the same seed gives nearly the same shower."""
    beam = dataclasses.replace(BEAMS["1d"], energy=(10, 10))
    fine, _ = simulate(Setup(beam=beam, seed=2), 0, 12)
    coarse, _ = simulate(Setup(CALORIMETERS["shashlik40"], beam, seed=2), 0, 12)
    assert coarse.shape == (12, 15, 15)
    assert coarse.sum((1, 2)).mean() == pytest.approx(fine.sum((1, 2)).mean(), rel=0.05)
    profile = fine.reshape(12, 15, 2, 15, 2).sum((2, 4)).mean((0, 1))
    np.testing.assert_allclose(coarse.mean((0, 1))[5:10], profile[5:10], rtol=0.35)


@needs_geant4
def test_the_layered_calorimeter_shows_the_depth():
    """In 0.72 radiation lengths a layer the maximum of 50 GeV lies near ln(50 GeV / 8 MeV) - 0.5 of them: layer 11."""
    beam = dataclasses.replace(BEAMS["layered"], energy=(50, 50))
    energy, _ = simulate(Setup(CALORIMETERS["layered"], beam, seed=1), 0, 4)
    assert energy.shape == (4, 25, 25, 25)
    assert 8 <= energy.sum((1, 2)).mean(0).argmax() <= 13
    assert np.unravel_index(energy.sum((0, 3)).argmax(), (25, 25)) == (12, 12)


def test_missing_data_say_what_to_set(tmp_path, monkeypatch):
    with pytest.raises(geant4.NoGeant4, match="set GEANT4_DATA_DIR"):
        geant4.find_data(tmp_path)
    monkeypatch.setenv("GEANT4_DATA_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(geant4.NoGeant4, match="elsewhere"):
        geant4.find_data()


def test_an_installation_is_known_by_its_folders(tmp_path):
    (tmp_path / "G4EMLOW8.8").mkdir()
    (tmp_path / "G4ENSDFSTATE3.0").mkdir()
    assert geant4.find_data(tmp_path) == {"GEANT4_DATA_DIR": str(tmp_path)}


def test_a_missing_wheel_says_what_to_install(monkeypatch):
    monkeypatch.setattr(geant4.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(geant4.NoGeant4, match=r"pip install 'ecalgen\[geant4\]'"):
        geant4.check_installed()


@pytest.mark.parametrize("fields, words", [
    (dict(physics="QGSP"), "standard, fast, option1, option2"), (dict(seed=-1), "seed is -1"),
    (dict(cut=0), "cut is 0 mm")])
def test_setups_that_cannot_be(fields, words):
    with pytest.raises(UserError, match=words):
        Setup(**fields)
