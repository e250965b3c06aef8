"""Files of older versions: weights make the same showers, runs of today's recipes go on from their checkpoints."""
import importlib
import pathlib
import shutil
import sys

import numpy as np
import pytest

from ecalgen import runs
from ecalgen.data.files.formats import iter_showers
from ecalgen.data.files.writer import save_showers
from ecalgen.data.sources import sample_path
from ecalgen.sampling.sampler import load_sampler
from ecalgen.sampling.weights import load_weights
from ecalgen.training.material import load_material
from ecalgen.training.recipe import write_recipe

OLD = pathlib.Path(__file__).parent / "old_models"
FOLDERS = sorted(path.parent for path in OLD.glob("format_*/*/showers.npz"))
RUNS = [folder for folder in FOLDERS if (folder / "recipe.txt").exists()]
SHOWERS = 1500
"""Of the file that these runs were trained on."""


def name_of(folder):
    return f"{folder.parent.name}/{folder.name}"


def particles_along_z(incident_energy):
    """Momenta and points of particles of these energies along the axis: those of ensembles of older versions."""
    return np.array([[0.0, 0.0, energy] for energy in incident_energy]), np.zeros((len(incident_energy), 2))


def check(folder, run):
    """The generator of the run makes the showers that lie in the folder."""
    with np.load(folder / "showers.npz", allow_pickle=False) as old:
        made = load_sampler(run)(*(particles_along_z(old["incident_energy"]) if "incident_energy" in old else
                                   (old["momentum"], old["point"])), seed=3)
        np.testing.assert_allclose(made, old["energy"], rtol=1e-3, atol=1e-2)


@pytest.mark.filterwarnings("ignore:conditions outside the range")
@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_weights_of_older_versions_make_the_same_showers(folder, tmp_path):
    """One folder a format; a new format leaves these as they are and adds its own."""
    check(folder, shutil.copytree(folder, tmp_path / "run"))


@pytest.mark.filterwarnings("ignore:conditions outside the range")
@pytest.mark.parametrize("folder", RUNS, ids=name_of)
def test_checkpoints_of_older_versions_are_read(folder, tmp_path, monkeypatch):
    """A run without its exported generator makes one from its newest checkpoint."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(OLD)
    monkeypatch.setattr(sys, "path", [*sys.path, str(OLD.parents[1])])
    maker = importlib.import_module("make")
    run = shutil.copytree(folder, tmp_path / "run")
    shutil.rmtree(run / "generator")
    save_showers("showers.npz", next(iter_showers(sample_path("electron_5d"), SHOWERS)))
    recipe = (run / "recipe.txt").read_text().strip()
    config = maker.configured(recipe, maker.RUNS[recipe])
    write_recipe(config, run)
    config.evaluation.showers = 20
    monkeypatch.setattr(runs, "load_sampler", lambda workdir: check(folder, workdir))
    runs._sampler(config, run, lambda: load_material(config, run))


def test_the_present_format_is_among_the_old_ones(tmp_path):
    _, card = load_weights("anchored", "generator")
    assert f"format_{card['format']}" in {folder.parent.name for folder in FOLDERS}
