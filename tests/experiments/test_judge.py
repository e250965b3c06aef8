"""One small sweep from end to end, and the judging of its run and of others."""
import importlib
import json
import pathlib

import pytest

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.files.formats import load_showers, save_showers

COUNT = 60


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A file of few real showers."""
    path = tmp_path_factory.mktemp("source") / "few.npz"
    save_showers(path, load_showers(sample_path("electron_5d"))[:1_500])
    return path


@pytest.fixture(scope="module")
def swept(small, tmp_path_factory):
    """(folder, flags) of table 1 with one small model."""
    folder = tmp_path_factory.mktemp("swept")
    flags = [f"--source={small}", f"--showers={COUNT}", "--preset=test", "--steps=2", "--recipe=paper", "--seeds=0",
             "--only=multitask", f"--workdir={folder}", f"--results={folder / 'results.json'}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(pathlib.Path(__file__).parents[2])
        patch.setattr(importlib.import_module("experiments.measures"), "CLUSTERS", 5)
        table1 = importlib.import_module("experiments.sweeps.table1")
        table1.SWEEP.main(table1.make_parser().parse_args(flags))
    return folder, flags


def test_a_sweep_trains_and_judges(swept):
    folder, _ = swept
    result = json.loads((folder / "results.json").read_text())
    run, = result["runs"]
    assert (run["variant"], run["seed"], run["steps"]) == ("multitask", 0, 2)
    figures = {"prd", "auc", "w1", "seconds", "batch_size", "histograms", "mse", "mean_unexplained",
               "true_against_read", "provenance"}
    assert figures <= set(run) and run["auc"] > 0.8 > result["real_against_real"]["auc"]
    assert {"preset": "test", "showers": COUNT}.items() <= result.items()
    assert set(result["settings"]) == {"showers", "source", "split", "preset", "steps", "recipe"}


def test_a_rerun_continues_results_of_older_versions(swept, small, experiment, capsys):
    """A file without settings, or with those of an older version, is accepted where they are the same."""
    folder, flags = swept
    older = folder / "older.json"
    result = json.loads((folder / "results.json").read_text())
    settings = dict(showers=COUNT, split="test", source=str(small), preset="test", steps=2, recipe="paper")
    assert result["settings"] == settings
    table1 = experiment("sweeps.table1")
    older.write_text(json.dumps(result | {"settings": dict(reversed(settings.items()))}))
    table1.SWEEP.main(table1.make_parser().parse_args([*flags, f"--results={older}"]))
    assert "holds all of these runs" in capsys.readouterr().out


def test_a_run_is_judged_and_shipped(swept, experiment, monkeypatch):
    folder, _ = swept
    judge = experiment("judge")
    evaluated = []
    monkeypatch.setattr(judge.runs, "evaluate", lambda config, workdir: evaluated.append(config) or (
        (workdir / "evaluation.json").write_text('{"prd": 1}')))
    args = judge.make_parser().parse_args(["ship", "mine", str(folder / "multitask-0"), "--showers=70",
                                           f"--shipped={folder / 'mine'}", f"--results={folder / 'mine.json'}"])
    judge.ship(args)
    result = json.loads((folder / "mine.json").read_text())
    assert evaluated[0].evaluation.showers == 70 and result["prd"] == 1
    assert result["config"]["system"] == "aux_multitask" and set(result["learning_curve"][0]) == {
        "stage", "step", "seconds", "w1"}
    assert (folder / "mine" / "weights.npz").exists()


@pytest.mark.parametrize("judged", ["baseline", "gflash", "file"])
def test_anything_is_judged_alike(small, experiment, monkeypatch, tmp_path, judged):
    judge, asked = experiment("judge"), []

    def evaluate(real, showers, reference, clusters, repeated):
        asked.append((len(real), len(showers), clusters, repeated))
        return {"prd": "new"}

    monkeypatch.setattr(judge, "evaluate", evaluate)
    monkeypatch.setattr(judge, "verdict", lambda result: {})
    monkeypatch.setattr(judge, "speeds", lambda showers: {"1": showers})
    args = judge.make_parser().parse_args(["one", str(small) if judged == "file" else judged, f"--source={small}",
                                           f"--showers={COUNT}", "--clusters=5", f"--results={tmp_path / 'x.json'}"])
    judge.one(args)
    result = json.loads((tmp_path / "x.json").read_text())
    assert asked == [(COUNT, 1_500 if judged == "file" else COUNT, 5, None)]
    assert result["prd"] == "new" and result["split"] == "test" and result["provenance"]["seed"] == 0
    if judged == "baseline":
        assert result["config"]["system"] == "baseline" and "commit" in result["training"]["provenance"]
    elif judged == "gflash":
        assert result["training"]["parameters"] == 18 and result["showers_per_second"] == {"1": COUNT}


def test_a_ranking_goes_from_geant4_to_the_bad_one(experiment, showers):
    judge = experiment("judge")
    made = judge.ranked(showers[:20], showers[20:40], [])
    names = list(made)
    assert names[0] == "geant4" and names[-2:] == ["gflash", "cells of other showers"] and "anchored" in names
    assert made["geant4"]() is not None and len(made["cells of other showers"]()) == 20
