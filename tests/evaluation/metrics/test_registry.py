"""A metric that is registered appears in evaluation.json, verdict, report and comparison, with no other edit."""
import importlib
import json
import os
import pathlib
import subprocess
import sys

import evaluations
import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from ecalgen.data.showers import Showers
from ecalgen.errors import UserError
from ecalgen.evaluation.evaluate import evaluate, write_evaluation
from ecalgen.evaluation.metrics import registry
from ecalgen.evaluation.metrics.registry import Family, Measure, Metric, register
from ecalgen.evaluation.report.compare import write_comparison
from ecalgen.evaluation.report.report_page import write_report
from ecalgen.evaluation.report.verdict import verdict

SMALL = dict(clusters=10, runs=1, bootstrap=5, progress=False)


@pytest.fixture
def apart(monkeypatch):
    """Metrics that a test registers are forgotten after it."""
    monkeypatch.setattr(registry, "_registered", dict(registry.metrics()))


@pytest.fixture
def hottest_cell(apart, monkeypatch):
    """The worked example of docs/extending.md."""
    monkeypatch.delitem(sys.modules, "hottest_cell", raising=False)
    return importlib.import_module("hottest_cell")


@pytest.mark.slow
def test_a_metric_of_ones_own_is_everywhere(hottest_cell, showers, tmp_path, quick_judge):
    """The generated showers hold a tenth more energy in their hottest cell."""
    real, other, reference = showers[:100], showers[100:200], showers[200:300]
    generated = Showers(1.1 * other.energy, other.momentum, other.point)
    result = evaluate(real, generated, reference, **SMALL)
    hottest = [sample.energy.max(axis=(1, 2)).astype(np.float64) for sample in (real, generated, reference)]
    w1 = wasserstein_distance(*hottest[:2]) / hottest[0].std()
    assert result["hottest_cell"]["w1"] == pytest.approx(w1, rel=1e-5) and result["seconds"]["hottest_cell"] >= 0
    said = f"energy of the hottest cell with Wasserstein-1 {w1:.3f} deviations against"
    assert said in "".join(verdict(result).values())
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        write_evaluation(tmp_path / run / "evaluation.json", result)
    page = write_report(real, generated, json.loads((tmp_path / "one" / "evaluation.json").read_text()), tmp_path)
    source = page.read_text(encoding="utf-8")
    assert "<h2>Hottest cell</h2>" in source and f'<span class="n">{w1:.3f}</span>' in source and said in source
    assert f"holds {hottest[0].mean():.0f} MeV on average" in source
    page, _ = write_comparison([tmp_path / "one", tmp_path / "two"], tmp_path)
    assert "Wasserstein-1, hottest cell" in page.read_text(encoding="utf-8")


def test_the_command_imports_metrics(showers, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from ecalgen.evaluation.metrics.registry import *\n"
        "register(Metric('mine', lambda sets, settings: {}, family=Family('Mine', 1),\n"
        "                measures=lambda entry: {'number': Measure(entry['x'], None, None, None)}))\n")
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        write_evaluation(tmp_path / run / "evaluation.json", evaluations.evaluation() | {"mine": {"x": 2.5}})
    done = command(tmp_path, "--metrics=mine", "--compare=one", "--compare=two", "--out=out")
    assert done.returncode == 0, done.stderr
    assert "Mine, number" in (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")


def test_a_module_that_is_not_there(tmp_path):
    done = command(tmp_path, "--metrics=nowhere", "--compare=one", "--compare=two", "--out=out")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "error: --metrics=nowhere: No module named 'nowhere'; name a module" in done.stderr


@pytest.mark.parametrize("name, message", [
    ("prd", "'prd' is a metric of ecalgen.evaluation.metrics.precision_recall already; give the metric of .* another"),
    ("seconds", "'seconds' is a field of evaluation.json already; give the metric of .*test_registry another name")])
def test_a_name_that_is_taken_is_refused(apart, name, message):
    with pytest.raises(UserError, match=message):
        register(Metric(name, compute=lambda sets, settings: {}))


def test_a_module_may_register_its_metric_again(apart):
    first, second = (Metric("mine", compute=lambda sets, settings: {}) for _ in range(2))
    register(first)
    register(second)
    assert registry.metrics()["mine"] is second and list(registry.metrics())[-1] == "mine"


def test_every_file_of_the_folder_is_found():
    assert tuple(registry.metrics()) == registry.ORDER


def test_a_value_that_json_cannot_hold_is_named(apart, showers, monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    register(Metric("mine", compute=lambda sets, settings: {"x": float("nan")}))
    with pytest.raises(UserError, match="the metric 'mine' gives a value that JSON cannot hold"):
        evaluate(showers[:40], showers[40:80], **SMALL)


def test_a_verdict_of_another_label_is_refused(apart):
    register(Metric("mine", compute=lambda sets, settings: {}, verdict=lambda entry: [("Fine", "all is well")]))
    with pytest.raises(UserError, match="the metric 'mine' has the label 'Fine'; it must be one of Good, Off, Beware"):
        verdict(evaluations.evaluation() | {"mine": {}})


@pytest.mark.parametrize("family, value, good", [
    (Family("a distance"), 0.03, True), (Family("a distance"), 0.06, False),
    (Family("an AUC", larger_is_better=True), 0.0, False), (Family("an AUC", larger_is_better=True), 0.06, True),
    (Family("a classifier", chance=0.5), 0.51, True), (Family("a classifier", chance=0.5), 0.52, False)])
def test_good_is_what_two_real_sets_give(family, value, good):
    """Intervals of 0.01 either way, and 0.02 to 0.04 between two real sets."""
    measure = Measure(value, [value - 0.01, value + 0.01], 0.03, [0.02, 0.04])
    assert family.is_good(measure) is good and family.mark(measure) == ("Good" if good else "Off")


def command(folder, *flags):
    """`python -m ecalgen.evaluation` in a folder."""
    environment = os.environ | {"PYTHONPATH": str(pathlib.Path(__file__).parents[3])}
    return subprocess.run([sys.executable, "-m", "ecalgen.evaluation", *flags], cwd=folder, env=environment,
                          check=False, text=True, capture_output=True)
