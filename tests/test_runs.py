"""A run's folder: its name, its recipe kept and compared, sampling without a trained generator refused."""
import concurrent.futures
import dataclasses
import importlib
import json
import os
import pathlib

import numpy as np
import pytest

from ecalgen import runs
from ecalgen.data.files.writer import save_showers
from ecalgen.errors import ConfigError, RunError
from ecalgen.evaluation import large
from ecalgen.evaluation.__main__ import main as evaluation_command
from ecalgen.machine.lock import LockError, locked
from ecalgen.training.material import load_material
from ecalgen.training.recipe import Source

CONFIGS = pathlib.Path(__file__).parents[1] / "configs"


@pytest.fixture
def config(monkeypatch):
    """`configs/baseline.py:test`, read as the command line reads it, at the root of the clone."""
    monkeypatch.syspath_prepend(CONFIGS.parent)
    return importlib.import_module("configs.baseline").get_config("test")


def test_the_default_name(config):
    config.seed = 3
    assert str(runs.default_workdir(config)).startswith("runs/baseline-test-seed3-20")
    assert str(runs.default_workdir(config, (0, 2))).startswith("runs/baseline-test-seeds0-2-20")


def test_the_recipe_is_written_once_and_the_same_one_goes_on(config, tmp_path):
    runs.prepare(config, tmp_path / "a" / "b")
    runs.prepare(config, tmp_path / "a" / "b")
    assert json.loads((tmp_path / "a" / "b" / "config.json").read_text())["train"]["steps"] == 20


def test_a_folder_that_another_run_works_in_is_refused(config, tmp_path):
    """By all that writes there: in a thread of its own, which is as good as a process."""
    with locked(tmp_path), concurrent.futures.ThreadPoolExecutor(1) as pool:
        for call in (runs.prepare, runs.train, runs.evaluate, lambda *run: runs.sample(*run, None, 0)):
            with pytest.raises(LockError, match=f"{tmp_path} is in use by process {os.getpid()} on"):
                pool.submit(call, config, tmp_path).result()
    assert not (tmp_path / "config.json").exists()


@pytest.mark.parametrize("field, value, message", [
    ("train.steps", -5, "config.train.steps is -5; it must be at least 1"),
    ("generator.name", "fancy", "config.generator.name is 'fancy'; it is one of plain, deconvolutional, "),
    ("data.transform.name", "cube", "unknown transform 'cube'"),
    ("evaluation.protocol", "mine", "config.evaluation.protocol is 'mine'; it is one of paper, competition"),
    ("evaluation.showers", 100, "needs at least 200, .* another .*competition 50"),
])
def test_a_bad_field_leaves_nothing_behind(config, tmp_path, field, value, message):
    config.update_from_flattened_dict({field: value})
    with pytest.raises(ConfigError, match=message):
        runs.prepare(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_too_few_showers_to_judge_are_noticed_before_training(config, tmp_path, showers):
    save_showers(tmp_path / "few.npz", showers)
    config.data.source = str(tmp_path / "few.npz")
    with pytest.raises(RunError, match="the test split of .*few.npz holds only 80; give .*showers=80 "):
        runs.train(config, tmp_path / "run")
    with pytest.raises(RunError, match="holds only 80"):
        runs.prepare(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_showers_that_outgrow_the_device_stream_through_a_run(config, tmp_path, showers):
    """Of 400 showers 288 train, in blocks of 50, of which 20 steps of 8 showers see more than three."""
    save_showers(tmp_path / "mine.h5", showers)
    config.update_from_flattened_dict({
        "data.source": str(tmp_path / "mine.h5"), "data.dir": str(tmp_path / "tfds"), "data.on_device": 100,
        "evaluation.showers": 80})
    material = load_material(config)
    assert (material.count, material.data.size, len(material.showers)) == (288, 50, 50)
    np.testing.assert_array_equal(material.data[0]["momentum"], material.showers.momentum)
    (tmp_path / "run").mkdir()
    runs.train(config, tmp_path / "run")
    assert json.loads((tmp_path / "run" / "generator" / "card.json").read_text())["steps"] == config.train.steps == 20


def test_splits_of_other_particles_are_warned_of_before_training(config, showers, monkeypatch, tmp_path):
    ranked = showers[np.argsort(np.linalg.norm(showers.momentum, axis=1))]
    monkeypatch.setattr(Source, "count", lambda source, split: 200)
    monkeypatch.setattr(Source, "load", lambda source, split, *_: ranked[:200] if split == "test" else ranked[200:])
    with pytest.warns(UserWarning, match="training and test showers differ in energy"):
        runs.prepare(config, tmp_path / "run")


def test_empty_showers_are_not_judged(config, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "_sampler", lambda *_: lambda momentum, point, seed: np.zeros((len(momentum), 30, 30)))
    with pytest.raises(RunError, match="makes empty showers only: its training was too short, or collapsed"):
        runs.evaluate(config, tmp_path)


def test_what_sampling_needs(config, tmp_path):
    with pytest.raises(RunError, match="needs --conditions=FILE, an npz with ParticleMomentum"):
        runs.sample(config, tmp_path, None, 0)
    np.savez(tmp_path / "c.npz", ParticleMomentum=np.ones((2, 3)), ParticlePoint=np.ones((2, 2)))
    with pytest.raises(RunError, match="has no checkpoints yet; train it first"):
        runs.sample(config, tmp_path, tmp_path / "c.npz", 0)


@pytest.mark.filterwarnings("ignore:conditions outside")  # of a library of 300 showers
def test_a_recipe_with_several_seeds_is_compared(recipe, few_showers, quick_judge, tmp_path, capsys, monkeypatch):
    config = recipe("library:test", **{"data.source": str(few_showers)})
    page = runs.train_seeds(config, (0, 3), tmp_path)
    assert page == tmp_path / "compare.html" and "seed3" in page.read_text()
    kept = json.loads((tmp_path / "seeds.json").read_text())
    aucs = [json.loads((tmp_path / f"seed{seed}" / "evaluation.json").read_text())["c2st"]["images"]["auc"]
            for seed in (0, 3)]
    row = kept["numbers"]["classifier AUC, images"]
    assert row["values"] == aucs and row["mean"] == pytest.approx(sum(aucs) / 2)
    assert (row["lowest"], row["highest"]) == (min(aucs), max(aucs))
    assert f"classifier AUC, images: {row['mean']:.3f} ({row['lowest']:.3f} to" in capsys.readouterr().out
    judged = (tmp_path / "seed3" / "evaluation.json").stat().st_mtime_ns
    runs.train_seeds(config, (0, 3), tmp_path)
    assert (tmp_path / "seed3" / "evaluation.json").stat().st_mtime_ns == judged  # not judged again
    trees = dataclasses.replace(large.JUDGES["trees"],
                                make=lambda seed, grid: large._trees(seed, grid).set_params(max_iter=5))
    monkeypatch.setattr(large, "JUDGES", {"trees": trees})
    evaluation_command(["--run", str(tmp_path / "seed0"), "--judge=large"])
    kept = json.loads((tmp_path / "seed0" / "large.json").read_text())
    assert kept["showers"] == 1_152 and kept["asked"] == 320 and len(kept["judges"]["trees"]["aucs"]) == 2
    assert capsys.readouterr().out.strip().endswith(str(tmp_path / "seed0" / "large.json"))
    monkeypatch.setattr(large, "JUDGES", {"trees": dataclasses.replace(trees, make=None)})
    evaluation_command(["--run", str(tmp_path / "seed0"), "--judge=large"])  # what is known is not judged again
    assert json.loads((tmp_path / "seed0" / "large.json").read_text())["judges"] == kept["judges"]
    capsys.readouterr()
    asked = []
    monkeypatch.setattr(runs, "evaluate", lambda config, workdir: asked.append((config.seed, workdir)) or "a report")
    evaluation_command(["--run", str(tmp_path / "seed3")])  # by the recipe in its folder
    assert asked == [(3, tmp_path / "seed3")] and capsys.readouterr().out == "a report\n"
