"""Real Geant4, against its reference simulation bit for bit; skipped where the wheel or its data are absent."""
import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from real_geant4 import BESIDE, DATA, needs_geant4, simulate

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.errors import UserError
from ecalgen.simulation import geant4
from ecalgen.simulation.beam import BEAMS
from ecalgen.simulation.calorimeter import CALORIMETERS
from ecalgen.simulation.geant4 import Setup

REFERENCE = BESIDE.parent / "simulate.py"
"""The simulation that this one was ported from, which may lie beside the clone."""


@needs_geant4
@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference simulation is not beside the clone")
@pytest.mark.parametrize("words, beam", [
    ([], {}),
    (["--pdg=22", "--angle=0", "--spot-mm=0"], dict(particle="gamma", slope_spread=0, track_spread=0)),
    (["--pdg=-11", "--energy=7"], dict(particle="e+", energy=(7, 7)))])
def test_bit_for_bit_the_reference(tmp_path, words, beam):
    subprocess.run([sys.executable, REFERENCE, "--events=3", "--seed=8", "--first=5", f"--out={tmp_path}/x.npz",
                    f"--data={BESIDE}", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    energy, _ = simulate(Setup(beam=dataclasses.replace(BEAMS["5d"], **beam), seed=8), 5, 3)
    with np.load(tmp_path / "x.npz") as reference:
        np.testing.assert_array_equal(energy, reference["EnergyDeposit"])


@needs_geant4
@pytest.mark.skipif(DATA != BESIDE, reason="made with the reduced tables, which other data differ from")
@pytest.mark.parametrize("name, seed, beam, first", [
    ("electron_5d", 20180709, BEAMS["5d"], 40_000), ("electron_1d", 20180710, BEAMS["1d"], 4_990),
    ("photon_5d", 20180711, dataclasses.replace(BEAMS["5d"], particle="gamma"), 10)])
def test_the_shipped_samples_bit_for_bit(name, seed, beam, first):
    energy, _ = simulate(Setup(beam=beam, seed=seed), first, 4)
    with np.load(sample_path(name)) as sample:
        np.testing.assert_array_equal(energy.astype(np.float16), sample["EnergyDeposit"][first:first + 4])


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
    """At 0.69 radiation lengths a layer the maximum of 50 GeV lies near ln(50 GeV / 8 MeV) - 0.5 of them: layer 12."""
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
