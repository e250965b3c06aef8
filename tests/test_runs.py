"""A run's folder: its name, its recipe kept and compared, sampling without a trained generator refused."""
import json

import ml_collections
import numpy as np
import pytest

from ecalgen import runs

CONFIG = ml_collections.ConfigDict(dict(system="baseline", preset="cpu", seed=0, train=dict(steps=10, rates=(1, 2)),
                                       evaluation=dict(protocol="paper")))


def test_the_default_name():
    assert str(runs.default_workdir(CONFIG)).startswith("runs/baseline-cpu-20")


def test_the_recipe_is_written_once_and_the_same_one_goes_on(tmp_path):
    runs.prepare(CONFIG, tmp_path / "a" / "b")
    runs.prepare(CONFIG, tmp_path / "a" / "b")
    assert json.loads((tmp_path / "a" / "b" / "config.json").read_text())["train"]["steps"] == 10


def test_another_recipe_is_refused_by_its_fields(tmp_path):
    runs.prepare(CONFIG, tmp_path)
    other = ml_collections.ConfigDict(CONFIG.to_dict() | {"seed": 5})
    other.train.steps = 20
    with pytest.raises(runs.RunError, match=r"seed \(0 there, 5 here\), train.steps \(10 there, 20 here\)"):
        runs.prepare(other, tmp_path)


def test_what_sampling_and_evaluation_need(tmp_path):
    with pytest.raises(runs.RunError, match="needs --conditions=FILE, an npz with ParticleMomentum"):
        runs.sample(CONFIG, tmp_path, None)
    np.savez(tmp_path / "c.npz", ParticleMomentum=np.ones((2, 3)), ParticlePoint=np.ones((2, 2)))
    with pytest.raises(runs.RunError, match="has no checkpoints yet; train it first"):
        runs.sample(CONFIG, tmp_path, tmp_path / "c.npz")


def test_training_time_is_the_sum_over_stages():
    rows = [{"stage": stage, "seconds": seconds} for stage, seconds in (("prior", 5.0), ("prior", 8.0), ("gan", 2.0))]
    assert runs._seconds(rows) == 10.0
