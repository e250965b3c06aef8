"""Every recipe that ships: all its presets are sound, and `:test` goes from nothing to a generator."""
import importlib
import json
import pathlib
import re

import numpy as np
import pytest

from ecalgen import recipes, runs
from ecalgen.data.sources import sample_path
from ecalgen.sampling.sampler import load_sampler

ROOT = pathlib.Path(__file__).parents[1]
CONFIGS = recipes.names()
OPTIONS = {"aux_twostep": ["regressor=cnn_sa", "regressor=disc_arch_hlr", "regressor=cnn,targets=scalars"],
           "wgan": ["beam=1d"]}
"""Config -> options besides the default ones."""
EVERY = [f"{name}:{','.join(filter(None, (preset, option)))}" for name in CONFIGS for preset in ("", "cpu", "test")
         for option in ("", *OPTIONS.get(name, ()))]
AUCS = ("auc", "ceiling")
TRAINED_ELSEWHERE = ("anchored", "baseline", "vae", "library", "adagan")
"""Systems that tests/test_main.py and tests/test_grids.py train and judge."""


@pytest.mark.parametrize("name", EVERY)
def test_fields_are_sound(recipe, name):
    config = recipe(name)
    runs.check_config(config)
    assert config.system == name.split(":")[0]


def test_regressors_are_tuned_at_a_high_and_a_low_rate(recipe):
    """A tenth of it at the low one; both go on from the multi-task stage."""
    high, low = (recipe(f"aux_twostep:,regressor=disc_arch_{rate}") for rate in ("hlr", "llr"))
    assert high.regressor.rate == pytest.approx(10 * low.regressor.rate)
    assert high.regressor.rate == recipe("aux_twostep").regressor.rate
    assert tuple(high.stages) == tuple(low.stages) == ("multitask", "regressor", "gan")


@pytest.mark.parametrize("name", CONFIGS)
def test_the_docstring_tells_how_to_run_it(recipe, name):
    recipe(name)
    said = importlib.import_module(f"configs.{name}").__doc__
    for preset in ("", ":cpu", ":test"):
        assert f"python -m ecalgen.main --config=configs/{name}.py{preset} " in said


def aucs(value, name=""):
    """All numbers called `auc` or `ceiling` below a JSON value, and those of dicts with these names."""
    if isinstance(value, list):
        return [number for part in value for number in aucs(part)]
    if isinstance(value, dict):
        return [number for key, part in value.items() for number in aucs(part, name if name in AUCS else key)]
    return [value] if name in AUCS and isinstance(value, float) else []


@pytest.mark.parametrize("name", CONFIGS)
def test_the_figures_of_the_docstring_are_those_of_the_results(recipe, name):
    """Each AUC of three decimals before the name of a file of results is in that file."""
    recipe(name)
    said = " ".join(importlib.import_module(f"configs.{name}").__doc__.split())
    quoted = re.findall(r"took(.*?)\(?(experiments/results/\w+\.json)", said)
    assert quoted or "experiments/results" not in said
    for words, path in quoted:
        there = {f"{number:.3f}" for number in aucs(json.loads((ROOT / path).read_text()))}
        assert set(re.findall(r"\b0\.\d{3}\b", words)) <= there, (path, words)


def expected_targets(config):
    """Names of the columns that the run's regressor predicts."""
    columns = {"momentum": 3, "point": 2}
    return [f"{name}[{k}]" if name in columns else name
            for name in config.regressor.get("targets", ()) for k in range(columns.get(name, 1))]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:conditions outside the range")  # of a few showers
@pytest.mark.parametrize("name", [
    f"{name}:test{',beam=1d' if name == 'wgan' else ''}" for name in CONFIGS if name not in TRAINED_ELSEWHERE])
def test_it_trains_and_is_judged(recipe, name, tmp_path, few_showers, quick_judge):
    """From nothing to a generator and its report."""
    config = recipe(name, **{"seed": 3, "evaluation.showers": 256})
    config.data.source = str(sample_path("electron_1d") if "1d" in name else few_showers)
    runs.prepare(config, tmp_path)
    runs.train(config, tmp_path)
    page = runs.evaluate(config, tmp_path)
    result = json.loads((tmp_path / "evaluation.json").read_text())
    assert page.exists() and result["showers"] == config.evaluation.showers
    assert set(result.get("regressor", {})) == set(expected_targets(config))
    straight = np.array([[0.0, 0.0, 20.0], [0.0, 0.0, 30.0]])
    showers = load_sampler(tmp_path)(straight, np.zeros((2, 2)), seed=1)
    assert showers.shape == (2, 30, 30) and (showers >= 0).all() and np.isfinite(showers).all()
