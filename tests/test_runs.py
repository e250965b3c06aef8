"""A run's folder: its name, its recipe kept and compared, sampling without a trained generator refused."""
import concurrent.futures
import importlib
import json
import os
import pathlib

import numpy as np
import pytest

from ecalgen import runs
from ecalgen.adagan import ensemble_run as ensemble
from ecalgen.data.ecal_shashlik import SPLITS
from ecalgen.data.files.formats import save_showers
from ecalgen.data.observables import transverse_asymmetry
from ecalgen.errors import ConfigError, UserError
from ecalgen.machine.lock import LockError, locked

CONFIGS = pathlib.Path(__file__).parents[1] / "configs"


@pytest.fixture
def config(monkeypatch):
    """`configs/baseline.py:test`, read as the command line reads it, at the root of the clone."""
    monkeypatch.syspath_prepend(CONFIGS.parent)
    return importlib.import_module("configs.baseline").get_config("test")


def test_the_default_name(config):
    assert str(runs.default_workdir(config)).startswith("runs/baseline-test-20")


def test_the_recipe_is_written_once_and_the_same_one_goes_on(config, tmp_path):
    runs.prepare(config, tmp_path / "a" / "b")
    runs.prepare(config, tmp_path / "a" / "b")
    assert json.loads((tmp_path / "a" / "b" / "config.json").read_text())["train"]["steps"] == 20


def test_another_recipe_is_refused_by_its_fields(config, tmp_path):
    runs.prepare(config, tmp_path)
    config.seed, config.train.steps = 5, 40
    with pytest.raises(runs.RunError, match=r"seed \(0 there, 5 here\), train.steps \(20 there, 40 here\)"):
        runs.prepare(config, tmp_path)


@pytest.mark.parametrize("content, message", [
    (b"{", "config.json is no recipe of ecalgen .no JSON"), (b"\xff\x00", "is no recipe of ecalgen .byte 0 is no text"),
    (b"[]", r"is no recipe of ecalgen .it is \[\]; it must be an object"), (b"[" * 1000, "is no recipe of ecalgen"),
    (b'{"system": "x"}', "is no recipe of ecalgen .field preset is missing.; copy it again, or name another folder")])
def test_a_config_that_cannot_be_is_named_and_stays(config, tmp_path, content, message):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(UserError, match=message):
        runs.prepare(config, tmp_path)
    assert (tmp_path / "config.json").read_bytes() == content


def test_a_field_of_another_type_is_shown_in_one_short_line(config, tmp_path):
    runs.prepare(config, tmp_path)
    there = json.loads((tmp_path / "config.json").read_text()) | {"seed": "a\nb" * 1000, "new\nfield": [1]}
    (tmp_path / "config.json").write_text(json.dumps(there))
    with pytest.raises(runs.RunError, match=r"new field \(\[1\] there, None here\), seed \(a ba ba.* here\)") as caught:
        runs.prepare(config, tmp_path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_a_folder_that_another_run_works_in_is_refused(config, tmp_path):
    """By all that writes there: in a thread of its own, which is as good as a process."""
    with locked(tmp_path), concurrent.futures.ThreadPoolExecutor(1) as pool:
        for call in (runs.prepare, runs.train, runs.evaluate, lambda *run: runs.sample(*run, None, 0),
                     ensemble.train, ensemble.evaluate, lambda *run: ensemble.sample(*run, None, 0)):
            with pytest.raises(LockError, match=f"{tmp_path} is in use by process {os.getpid()} on"):
                pool.submit(call, config, tmp_path).result()
    assert not (tmp_path / "config.json").exists()


def test_how_a_run_is_judged_may_change(config, tmp_path):
    runs.prepare(config, tmp_path)
    config.evaluation.showers = 300
    runs.prepare(config, tmp_path)


def test_a_recipe_of_an_older_version_with_unused_fields_goes_on(config, tmp_path):
    runs.prepare(config, tmp_path)
    older = json.loads((tmp_path / "config.json").read_text())
    older["train"]["forgotten"] = 5
    (tmp_path / "config.json").write_text(json.dumps(older))
    runs.prepare(config, tmp_path)


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
    with pytest.raises(runs.RunError, match="the test split of .*few.npz holds only 80; lower it to 80 or less, "):
        runs.train(config, tmp_path / "run")
    with pytest.raises(runs.RunError, match="holds only 80"):
        runs.prepare(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_showers_that_outgrow_the_device_stream_through_a_run(config, tmp_path, showers):
    """Of 400 showers 288 train, in blocks of 50, of which 20 steps of 8 showers see more than three."""
    save_showers(tmp_path / "mine.h5", showers)
    config.update_from_flattened_dict({
        "data.source": str(tmp_path / "mine.h5"), "data.dir": str(tmp_path / "tfds"), "data.on_device": 100,
        "evaluation.showers": 80})
    first, _, data = runs.load_stages(config)
    assert (len(data), data.size, len(first)) == (288, 50, 50)
    np.testing.assert_array_equal(data[0]["momentum"], first.momentum)
    (tmp_path / "run").mkdir()
    runs.train(config, tmp_path / "run")
    assert json.loads((tmp_path / "run" / "generator" / "card.json").read_text())["steps"] == config.train.steps == 20


@pytest.mark.slow
def test_a_run_with_a_regressor(recipe, tmp_path, showers):
    """All three stages of a tuned one; what its regressor reads off showers can be asked for."""
    config = recipe("aux_twostep:test,regressor=disc_arch_llr", **{"discriminator.octant": False})
    runs.prepare(config, tmp_path)
    runs.train(config, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(row["stage"] for row in rows)) == ["multitask", "regressor", "gan"]
    few = showers[:30]
    true, read = runs.regression(config, tmp_path, few)["transverse_asymmetry"]
    expected = transverse_asymmetry(few.energy, few.momentum, few.point)
    np.testing.assert_allclose(true, expected, atol=1e-4)
    assert read.shape == (30,) and read.std() > 0
    told = runs.regressor_report(config, tmp_path, few, showers[30:60], few)["transverse_asymmetry"]
    others = transverse_asymmetry(*(column[30:60] for column in (showers.energy, showers.momentum, showers.point)))
    assert told["weight"] == 1 and told["w1_reference"] == 0
    assert told["unexplained"] == pytest.approx(np.mean((true - read)**2) / np.var(true), rel=1e-3)
    assert told["w1"] == pytest.approx(np.abs(np.sort(true) - np.sort(others)).mean() / np.std(true), rel=1e-3)
    with pytest.raises(runs.RunError, match="is a run without a regressor"):
        runs.regression(recipe("baseline:test"), tmp_path, few)


def test_training_and_its_monitors_see_no_shower_that_models_are_judged_by(config, showers, monkeypatch):
    """The newest and the best checkpoint follow from the training and the validation split alone."""
    parts = {split: showers[50 * i:50 * (i + 1)] for i, split in enumerate(SPLITS)}
    loaded, given = [], {}
    monkeypatch.setattr(runs, "load_split", lambda source, split, *_: loaded.append(split) or parts[split])
    monkeypatch.setattr(runs, "build_stages", lambda config, data, validation, targets: given.update(
        data=data, validation=validation) or [])
    runs.load_stages(config)
    assert set(loaded) == {"train", "validation"}
    np.testing.assert_array_equal(given["data"]["momentum"], parts["train"].momentum)
    np.testing.assert_array_equal(given["validation"].energy, parts["validation"].energy)


def test_splits_of_other_particles_are_warned_of_before_training(config, showers, monkeypatch, tmp_path):
    ranked = showers[np.argsort(np.linalg.norm(showers.momentum, axis=1))]
    monkeypatch.setattr(runs, "count_split", lambda *_: 200)
    monkeypatch.setattr(runs, "load_split", lambda source, split, *_: ranked[:200] if split == "test" else ranked[200:])
    with pytest.warns(UserWarning, match="training and test showers differ in energy"):
        runs.prepare(config, tmp_path / "run")


def test_empty_showers_are_not_judged(config, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "_sampler", lambda *_: lambda momentum, point, seed: np.zeros((len(momentum), 30, 30)))
    with pytest.raises(runs.RunError, match="makes empty showers only: its training was too short, or collapsed"):
        runs.evaluate(config, tmp_path)


def test_what_sampling_needs(config, tmp_path):
    with pytest.raises(runs.RunError, match="needs --conditions=FILE, an npz with ParticleMomentum"):
        runs.sample(config, tmp_path, None, 0)
    np.savez(tmp_path / "c.npz", ParticleMomentum=np.ones((2, 3)), ParticlePoint=np.ones((2, 2)))
    with pytest.raises(runs.RunError, match="has no checkpoints yet; train it first"):
        runs.sample(config, tmp_path, tmp_path / "c.npz", 0)


def test_training_time_is_the_sum_over_stages():
    rows = [{"stage": stage, "seconds": seconds} for stage, seconds in (("prior", 5.0), ("prior", 8.0), ("gan", 2.0))]
    assert runs.training_seconds(rows) == 10.0
