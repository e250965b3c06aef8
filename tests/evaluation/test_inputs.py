"""Files of every format, in other units and axes, and the command on too few showers."""
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from ecalgen.data.files.writer import save_showers
from ecalgen.data.grid import Grid
from ecalgen.data.showers import BadShowers, Showers
from ecalgen.evaluation.inputs import load_sets


def saved(path, energy, showers):
    save_showers(path, Showers(energy, showers.momentum, showers.point))
    return path


@pytest.mark.parametrize("suffix", [".npz", ".root", ".h5"])
def test_other_formats_units_and_axes_are_converted_and_told(showers, tmp_path, suffix):
    real = saved(tmp_path / "real.npz", showers.energy, showers)
    generated = saved(tmp_path / f"mine{suffix}", showers.energy.swapaxes(1, 2) / 1000, showers)
    (ours, theirs, reference, repeated), notes = load_sets(real, generated)
    np.testing.assert_allclose(theirs.energy, ours.energy, rtol=1e-5)
    assert reference is None and repeated is None and len(notes) == 2
    column = "showers" if suffix == ".h5" else "EnergyDeposit"
    assert "turned from axes (y, x)" in notes[0] and f"mine{suffix}: {column} converted from GeV" in notes[1]


def test_repeated_showers_are_the_fourth_set(showers, tmp_path):
    real = saved(tmp_path / "real.npz", showers.energy, showers)
    again = saved(tmp_path / "again.npz", 0.99 * showers.energy[:200], showers[:200])
    (_, _, reference, repeated), notes = load_sets(real, real, repeated=again)
    np.testing.assert_allclose(repeated.energy, 0.99 * showers.energy[:200], rtol=1e-6)
    assert reference is None and not notes


def test_a_poor_generator_is_judged_as_it_is(showers, tmp_path):
    """All its showers are in the corner."""
    real = saved(tmp_path / "real.npz", showers.energy, showers)
    energy = np.zeros_like(showers.energy)
    energy[:, 3, 5] = showers.energy.sum((1, 2))
    (_, generated, *_), notes = load_sets(real, saved(tmp_path / "poor.npz", energy, showers), real)
    np.testing.assert_array_equal(generated.energy, energy)
    assert len(notes) == 1 and "in no units and axes; judged as they are" in notes[0]
    with pytest.raises(BadShowers, match="does not follow ParticlePoint"):
        load_sets(tmp_path / "poor.npz", real)


def test_units_are_found_where_the_axes_of_a_poor_generator_are_none(showers, tmp_path):
    real = saved(tmp_path / "real.npz", showers.energy, showers)
    energy = np.zeros_like(showers.energy)
    energy[:, 3, 5] = showers.energy.sum((1, 2)) / 1000
    save_showers(tmp_path / "poor.npz", Showers(energy, showers.momentum * 1000, showers.point))
    (_, generated, *_), notes = load_sets(real, tmp_path / "poor.npz", real)
    np.testing.assert_allclose(generated.energy, 1000 * energy, rtol=1e-5)
    np.testing.assert_allclose(generated.momentum, showers.momentum, rtol=1e-5)
    assert len(notes) == 1
    assert "EnergyDeposit converted from GeV to MeV; ParticleMomentum converted from MeV to GeV, and other" in notes[0]


def test_units_of_a_poor_generator_in_depth_are_found(showers, tmp_path):
    """All its energy in GeV is in one corner of the first of two layers."""
    grid = Grid((30, 30, 2), (2.02, 2.02, 20.0), 15.0)
    energy = np.zeros((len(showers), 30, 30, 2), np.float32)
    energy[:, 3, 5, 0] = showers.energy.sum((1, 2)) / 1000
    save_showers(tmp_path / "poor.npz", Showers(energy, showers.momentum, showers.point, grid=grid))
    real = _in_two_layers(tmp_path / "real.npz", showers, grid)
    (_, generated, *_), notes = load_sets(real, tmp_path / "poor.npz")
    np.testing.assert_allclose(generated.energy, 1000 * energy, rtol=1e-5)
    assert len(notes) == 1 and "EnergyDeposit converted from GeV to MeV" in notes[0]


def _in_two_layers(path, showers, grid):
    """The showers, their energy shared evenly among two layers."""
    save_showers(path, Showers(np.stack([showers.energy / 2] * 2, axis=3), showers.momentum, showers.point, grid=grid))
    return path


def test_a_faulty_file_is_named(showers, tmp_path):
    real = saved(tmp_path / "real.npz", showers.energy, showers)
    np.savez(tmp_path / "bad.npz", EnergyDeposit=showers.energy)
    with pytest.raises(BadShowers, match="bad.npz: no column ParticleMomentum and no ParticlePoint"):
        load_sets(real, tmp_path / "bad.npz")


def test_the_command_names_the_protocol_when_showers_are_few(showers, tmp_path):
    path = saved(tmp_path / "few.npz", showers.energy[:100], showers[:100])
    done = subprocess.run([sys.executable, "-m", "ecalgen.evaluation", f"--real={path}", f"--generated={path}",
                           f"--out={tmp_path / 'out'}"], cwd=pathlib.Path(__file__).parents[2], check=False, text=True,
                          capture_output=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert ("error: 50 showers a set cannot fill 400 clusters, those of the protocol 'paper': give at least 200 "
            "generated and 400 (or 200 and a reference of as many) real ones, or a --protocol of fewer clusters: "
            "competition (100)\n") in done.stderr
