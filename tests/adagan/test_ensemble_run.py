"""An ensemble from nothing to a judged sampler, and what is refused."""
import importlib
import json
import types

import jax
import numpy as np
import pytest

from ecalgen.adagan import ensemble_run as runs
from ecalgen.adagan.ensemble_sampler import load_ensemble, pick
from ecalgen.data.volumes import Volumes, load_volumes, save_volumes
from ecalgen.errors import ConfigError, RunError


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """A file of 500 blocks that hold something like a shower."""
    rng = np.random.default_rng(0)
    incident = rng.uniform(2, 100, 500)
    energy = np.zeros((500, 25, 25, 25), np.float32)
    energy[:, 10:15, 10:15, 3:12] = rng.exponential(1, (500, 5, 5, 9)) * incident[:, None, None, None] / 10
    path = tmp_path_factory.mktemp("blocks") / "blocks.npz"
    save_volumes(path, Volumes(energy, incident))
    return path


@pytest.fixture(scope="module")
def finished(blocks, tmp_path_factory):
    """The folder of a finished run, and its config."""
    config = importlib.import_module("configs.adagan").get_config("test")
    config.data.source = str(blocks)
    folder = tmp_path_factory.mktemp("run")
    runs.prepare(config, folder)
    runs.train(config, folder)
    return config, folder


@pytest.mark.slow
def test_it_goes_on_after_its_last_stage_and_is_judged(finished, quick_judge):
    config, folder = finished
    weights = (folder / "generator" / "weights.npz").read_bytes()
    runs.prepare(config, folder)
    runs.train(config, folder)
    assert (folder / "generator" / "weights.npz").read_bytes() == weights
    page = runs.evaluate(config, folder)
    result = json.loads((folder / "evaluation.json").read_text())
    assert set(result["members"]) == {"1", "2"} and page.exists()
    stages = [json.loads(line)["stage"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(stages)) == ["member0", "judge1", "member1"]


def test_the_second_member_sees_the_showers_by_their_weights(recipe, blocks, tmp_path, monkeypatch):
    """Where the classifier finds the first half of the showers made well, the second member sees the other half."""
    config, seen = recipe("adagan:test"), {}
    config.data.source = str(blocks)

    def run_stage(stage, data, *_):
        seen[stage.name] = data
        return None

    def weighted(config, data, classified, number):
        weights = np.repeat([0.0, 2 / len(data["cells"])], len(data["cells"]) // 2)
        return data | {"cumulative": np.cumsum(weights)}, weights

    for name, stand_in in {"run_stage": run_stage, "weighted": weighted, "trained_state": lambda *_: None,
                           "classifier_stage": lambda config, number, *_: types.SimpleNamespace(name=f"judge{number}"),
                           "member_stage": lambda config, number, *_: types.SimpleNamespace(name=f"member{number}"),
                           "_like": lambda *_: None, "export_ensemble": lambda *_: None}.items():
        monkeypatch.setattr(runs, name, stand_in)
    runs.train(config, tmp_path)
    assert "cumulative" not in seen["member0"] and "cumulative" not in seen["judge1"]
    cumulative = seen["member1"]["cumulative"]
    assert cumulative[len(cumulative) // 2 - 1] == 0 and cumulative[-1] == pytest.approx(1)


@pytest.mark.slow
def test_showers_by_seed_and_member(finished):
    sampler = load_ensemble(finished[1])
    incident = np.linspace(3, 90, 20)
    showers = sampler(incident, seed=5)
    assert showers.shape == (20, 25, 25, 25) and showers.dtype == np.float32 and (showers >= 0).all()
    np.testing.assert_allclose(sampler(incident[:7], seed=5), showers[:7], rtol=1e-4, atol=1e-4)
    assert np.abs(sampler(incident, seed=6) - showers).max() > 0
    picked = pick(jax.random.key(5), 20, 2)
    first = sampler(incident, seed=5, members=1)
    same = np.array([np.allclose(a, b, rtol=1e-4, atol=1e-4) for a, b in zip(first, showers, strict=True)])
    np.testing.assert_array_equal(same, picked == 0)
    with pytest.warns(UserWarning, match="the energy of 1 showers is outside"):
        sampler([5.0, 300.0])
    with pytest.raises(ValueError, match="members is 3; this ensemble has 2"):
        sampler(incident, members=3)
    with pytest.raises(ValueError, match="must be positive numbers in GeV"):
        sampler([0.0])


@pytest.mark.slow
def test_blocks_at_the_energies_of_a_file(finished, tmp_path):
    config, folder = finished
    np.savez(tmp_path / "wanted.npz", energy=np.array([10.0, 20.0]))
    path = runs.sample(config, folder, tmp_path / "wanted.npz", seed=1)
    np.testing.assert_allclose(load_volumes(path).incident_energy, [10, 20])
    np.savez(tmp_path / "else.npz", momentum=np.zeros(3))
    with pytest.raises(RunError, match="has no column energy; it holds momentum"):
        runs.sample(config, folder, tmp_path / "else.npz", seed=1)
    with pytest.raises(RunError, match="needs --conditions=FILE"):
        runs.sample(config, folder, None, seed=1)


def test_each_generator_makes_its_share():
    counts = np.bincount(pick(jax.random.key(0), 30_000, 3), minlength=3)
    assert np.abs(counts - 10_000).max() < 4 * np.sqrt(30_000 * 2 / 9)


@pytest.mark.parametrize("changes, error, message", [
    ({"ensemble.members": 0}, ConfigError, "config.ensemble.members is 0; it must be at least 1"),
    ({"evaluation.showers": 400}, RunError, "showers is 400, but the test split of .* holds only 100; lower it"),
    ({"ensemble.judge.steps": -5}, ConfigError, "config.ensemble.judge.steps is -5; it must be at least 1"),
])
def test_what_cannot_be_leaves_nothing_behind(recipe, blocks, tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        runs.prepare(recipe("adagan:test", **{"data.source": str(blocks)} | changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_blocks_of_another_shape_are_refused(tmp_path):
    save_volumes(tmp_path / "small.npz", Volumes(np.ones((20, 5, 5, 5)), np.ones(20)))
    with pytest.raises(ConfigError, match=r"holds blocks of \[5, 5, 5\] cells"):
        runs.volume_splits(str(tmp_path / "small.npz"))
