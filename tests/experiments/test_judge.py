"""One small sweep from end to end, and the judging of its run and of others."""
import importlib
import json
import pathlib

import pytest

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.files.formats import iter_showers
from ecalgen.data.files.writer import save_showers

COUNT = 60


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A file of few real showers."""
    path = tmp_path_factory.mktemp("source") / "few.npz"
    save_showers(path, next(iter_showers(sample_path("electron_5d"), 1_500)))
    return path


@pytest.fixture(scope="module")
def swept(small, tmp_path_factory):
    """The folder of the lineage with one small system, and its results."""
    folder = tmp_path_factory.mktemp("swept")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(pathlib.Path(__file__).parents[2])
        patch.setattr(importlib.import_module("experiments.measures"), "CLUSTERS", 5)
        lineage = importlib.import_module("experiments.sweeps.lineage")
        patch.setattr(lineage, "JUDGES", ("observables",))
        lineage.SWEEP.main(lineage.make_parser().parse_args([
            f"--source={small}", f"--showers={COUNT}", "--preset=test", "--only=library", "--only=gflash",
            f"--workdir={folder}", f"--results={folder / 'results.json'}"]))
    return folder


def test_a_sweep_trains_judges_and_times(swept):
    result = json.loads((swept / "results.json").read_text())
    assert [(run["variant"], run["seed"]) for run in result["runs"]] == [("library", 0), ("gflash", 0)]
    library, gflash = result["runs"]
    for run in (library, gflash):
        assert set(run["auc"]) == {"observables"} and set(run["prd"]) == {"raw", "physics"}
        assert set(run["w1"]) == set(result["real_against_real"]["w1"])
        assert all(value > 0 for value in run["milliseconds_per_shower"].values())
    assert library["bytes"] > 0 and library["parameters"] > gflash["parameters"] == 18
    assert {"preset": "test", "showers": COUNT}.items() <= result.items()
    assert {"showers", "split", "source", "preset"} <= set(result["settings"])


def test_a_run_is_judged_and_shipped(swept, experiment, monkeypatch):
    folder = swept
    judge = experiment("judge")
    evaluated = []
    monkeypatch.setattr(judge.runs, "evaluate", lambda config, workdir: evaluated.append(config) or (
        (workdir / "evaluation.json").write_text('{"prd": 1}')))
    args = judge.make_parser().parse_args(["ship", "mine", str(folder / "library-0"), "--showers=70",
                                           f"--shipped={folder / 'mine'}", f"--results={folder / 'mine.json'}"])
    judge.ship(args)
    result = json.loads((folder / "mine.json").read_text())
    assert evaluated[0].evaluation.showers == 70 and result["prd"] == 1
    assert result["config"]["system"] == "library" and isinstance(result["learning_curve"], list)
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


def test_figures_of_a_run_do_not_go_into_the_results_of_a_shipped_generator(experiment):
    judge = experiment("judge")
    with pytest.raises(SystemExit, match="error: runs/anchored is no shipped generator; give a file"):
        judge.one(judge.make_parser().parse_args(["one", "runs/anchored"]))


def test_the_judge_with_much_data_goes_on(experiment, monkeypatch, showers, tmp_path):
    """A system that the results hold is not judged again; training and test showers are drawn with other seeds."""
    judge, seen = experiment("judge"), []
    few = {"train": showers, "test": showers[:5]}
    monkeypatch.setattr(judge, "load_split", lambda source, split, limit=None: few[split])
    monkeypatch.setattr(judge, "generated", lambda name, real, seed: (name, len(real), seed))
    entry = {"auc": 0.6, "interval": [0.5, 0.7], "floor": 0.5, "description": "trees"}
    monkeypatch.setattr(judge, "judge_largely", lambda *sets: seen.append(sets[1::2]) or {"trees": entry})
    words = ["large", "--only=gflash", f"--results={tmp_path / 'large.json'}"]
    judge.large(judge.make_parser().parse_args(words))
    judge.large(judge.make_parser().parse_args([*words, "--only=anchored"]))
    assert seen == [(("gflash", 400, 0), ("gflash", 5, 1)), (("anchored", 400, 0), ("anchored", 5, 1))]
    result = json.loads((tmp_path / "large.json").read_text())
    assert list(result["systems"]) == ["gflash", "anchored"] and result["asked"] == 5


def test_a_ranking_goes_from_geant4_to_the_bad_one(experiment, showers):
    judge = experiment("judge")
    made = judge.ranked(showers[:20], showers[20:40], [])
    names = list(made)
    assert names[0] == "geant4" and names[-2:] == ["gflash", "cells of other showers"] and "anchored" in names
    assert made["geant4"]() is not None and len(made["cells of other showers"]()) == 20
