"""Folders of runs with a harmed `config.json`, `metrics.jsonl` or `evaluation.json`, given to what reads them."""
import copy
import functools
import importlib
import json
import math
import pathlib
import sys
from unittest import mock

import evaluations
from fuzzing.harm import as_bytes, harmed, pick, places
from fuzzing.harness import Trial

from ecalgen.evaluation.report import compare
from ecalgen.training import checks, metrics_log, recipe

UNREAD = ("train", "data")
"""Sections in which an older version may have written fields that nothing reads."""
ROWS = [{"stage": stage, "step": step, "seconds": 1.5, "w1": 0.3, "generator_loss": -0.1}
        for stage in ("regressor", "gan") for step in (5, 10, 15)]


def draw(rng, folder):
    """One file of a run, harmed, and the function that a command reads it with."""
    return pick(rng, (_recipe, _multitask, _metrics, _evaluation))(rng, folder)


@functools.cache
def _config(name):
    """A config as the command line reads it."""
    root = str(pathlib.Path(__file__).parents[2])
    if root not in sys.path:
        sys.path.append(root)
    system, _, preset = name.partition(":")
    return importlib.import_module(f"configs.{system}").get_config(preset)


def _recipe(rng, folder):
    config = _config("baseline:test")
    kind, content = harmed(rng, json.loads(json.dumps(config.to_dict())))
    (folder / "config.json").write_bytes(content)

    def sound(_):
        ours, there = (_trained_by(json.loads(text)) for text in (json.dumps(config.to_dict()), content))
        assert ours == {path: value for path, value in there.items() if path in ours or path[0] not in UNREAD}

    return Trial(f"recipe, {kind}", lambda: recipe.write_recipe(config, folder), sound)


def _trained_by(recipe):
    """{path: value} of what two runs of one recipe share; what is null may as well be missing."""
    leaves = {path: functools.reduce(lambda part, name: part[name], path, recipe) for path in places(recipe)}
    return {path: value for path, value in leaves.items()
            if path[0] not in ("evaluation", "tensorboard") and value is not None and not isinstance(value, dict)}


def _multitask(rng, folder):
    config = copy.deepcopy(_config("aux_twostep:test"))
    kind, content = harmed(rng, json.loads(json.dumps(_config("aux_multitask:test").to_dict())))
    (folder / "config.json").write_bytes(content)
    config.regressor.multitask = str(folder)
    return Trial(f"multi-task run, {kind}", lambda: checks.check_regressor(config))


def _metrics(rng, folder):
    index = int(rng.integers(len(ROWS)))
    kind, content = harmed(rng, ROWS[index])
    lines = [as_bytes(row) for row in ROWS]
    lines[index] = content
    end = pick(rng, (b"\n", b"", b"\n\n", b"\r\n"))
    path = folder / "metrics.jsonl"
    path.write_bytes(b"\n".join(lines) + end)

    def read():
        log = metrics_log.MetricsLog(path, "gan", 10)
        return metrics_log.read_metrics(path), log.lowest("w1")

    def sound(result):
        rows, lowest = result
        assert not math.isnan(lowest) and len(rows) >= 2
        assert all(type(row["stage"]) is str and type(row["step"]) is int for row in rows)
        assert metrics_log.training_seconds(rows) < 1e40

    return Trial(f"metrics, {kind}", read, sound)


def _evaluation(rng, folder):
    good = evaluations.evaluation()
    kind, content = harmed(rng, good)
    for name, text in (("good", as_bytes(good)), ("bad", content)):
        (folder / name).mkdir()
        (folder / name / "evaluation.json").write_bytes(text)

    def write():
        """All but the drawing, which takes seconds."""
        with (mock.patch.object(compare.comparison_figure, "comparison"),
              mock.patch.object(compare.figures, "png", return_value=b"")):
            return compare.write_comparison([folder / "good", folder / "bad"], folder / "out")

    def sound(result):
        page, verdict = result
        assert page.exists() and all(isinstance(said, str) for said in verdict.values())
        assert "nan" not in page.read_text().split("<main")[-1].split()

    return Trial(f"evaluation, {kind}", write, sound)
