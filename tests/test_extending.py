"""docs/extending.md: its blocks, applied to a copy of the package, do what the page says."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text()
BLOCKS = [code.split("\n", 1) for code in re.findall(r"```python\n# (.*?)```", PAGE, re.S)]
"""(where the lines go, the lines) of each block."""
LARGE = ("samples", "shipped")
"""Folders of the package that the copy shares."""
END = ", at the end"


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy of package and recipes with every block of the page in its place."""
    copy = tmp_path_factory.mktemp("extended")
    for folder in ("ecalgen", "configs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", *LARGE))
    for folder in ("data/samples", "shipped"):
        (copy / "ecalgen" / folder).symlink_to(ROOT / "ecalgen" / folder, target_is_directory=True)
    for place, code in BLOCKS:
        path = copy / place.removesuffix(END)
        assert path.exists() == place.endswith(END), place
        with open(path, "a") as file:
            file.write(code)
    return copy


def run(extended, code, *arguments):
    """What a program prints last as JSON, in a process that imports the copy; its working folder is the copy."""
    environment = os.environ | {"PYTHONPATH": str(extended)}
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=extended, env=environment, text=True,
                          check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def options(config):
    """{field: value} of the options `--config.field=value` in the page's command with this recipe."""
    command = next(shlex.split(line) for line in _commands() if f"--config={config}" in line)
    return dict(word.removeprefix("--config.").split("=", 1) for word in command if word.startswith("--config."))


def _commands():
    return re.sub(r"\\\n", " ", "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.S))).splitlines()


TRAIN = """
import importlib, json, pathlib, sys
import numpy as np
import ecalgen
from ecalgen import runs
from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.files.formats import iter_showers
from ecalgen.training.checks import check_used

recipe, changes = sys.argv[1], json.loads(sys.argv[2])
showers = next(iter_showers(sample_path("electron_5d"), 400))
ecalgen.save_showers(f"{recipe}.npz", showers)
config = importlib.import_module(f"configs.{recipe}").get_config("test")
check_used(config, list(changes))
config.update_from_flattened_dict(changes | {
    "data.source": f"{recipe}.npz", "evaluation.showers": 60, "evaluation.protocol": "competition",
    "train.steps": 2, "train.log_every": 1, "train.checkpoint_every": 2, "train.batch_size": 4, "train.r1": 0.0,
    "discriminator.attention": 0})
workdir = pathlib.Path(recipe)
runs.prepare(config, workdir)
runs.train(config, workdir)
cells = ecalgen.load_sampler(workdir)(showers.momentum[:3], showers.point[:3])
metrics = [json.loads(line) for line in open(workdir / "metrics.jsonl")]
print(json.dumps({"shape": cells.shape, "finite": bool(np.isfinite(cells).all()), "lit": float(cells.sum()),
                  "card": json.load(open(workdir / "generator" / "card.json")), "metrics": metrics}))
"""


@pytest.mark.slow
def test_generator_and_loss(extended):
    """The generator trains two steps with the loss of the page, and its card makes a sampler."""
    result = run(extended, TRAIN, "mine", json.dumps({"train.loss": options("configs/baseline.py:cpu")["train.loss"]}))
    assert result["shape"] == [3, 30, 30] and result["finite"] and result["lit"] > 0
    assert result["card"]["generator"]["name"] == "mine" and result["card"]["steps"] == 2
    assert [row["step"] for row in result["metrics"]] == [1, 2]


CHECKS = """
import json, sys
import numpy as np
import ecalgen
from ecalgen.data.files.formats import load_showers
from ecalgen.evaluation.metrics.registry import metrics
from ecalgen.simulation.__main__ import main, make_parser
from ecalgen.training.targets import find_functions

energy = np.zeros((2, 30, 30), "f4")
energy[0, 3, 4], energy[0, 5, 6] = 3, 1
values = ecalgen.observables(energy, np.array([[0, 0, 10.0]] * 2), np.zeros((2, 2)))
find_functions(("hottest_cell",), (1.0,))
commands = json.loads(sys.argv[1])
for words in commands:
    make_parser().parse_args(words)
for words in commands:
    if words[0] == "gflash":
        main([*words, "--events=20"])
tungsten, npy = np.load("tungsten.npz")["EnergyDeposit"], load_showers("showers.npy", conventions="as_is").energy
print(json.dumps({"metric": [metrics()["hottest_cell"].compute.__module__, list(metrics())[-1]],
                  "observables": {name: np.asarray(value).tolist() for name, value in values.items()},
                  "tungsten": tungsten.shape, "npy": npy.shape, "lit": [float(tungsten.sum()), float(npy.sum())]}))
"""


@pytest.fixture(scope="module")
def checks(extended):
    """What `CHECKS` finds, with the page's commands of the simulation."""
    commands = [shlex.split(line)[3:] for line in _commands() if "ecalgen.simulation" in line]
    assert [words[0] for words in commands] == ["gflash", "geant4", "gflash"]
    return run(extended, CHECKS, json.dumps(commands))


def test_observable(checks):
    """It is among all observables, has the value of a calculation by hand, and can be a regressor's target."""
    assert checks["observables"]["hottest_cell"] == [0.75, 0.0] and "visible_fraction" in checks["observables"]
    assert options("configs/aux_twostep.py:cpu")["regressor.targets"] == "('hottest_cell',)"


def test_calorimeter_and_format(checks):
    """The commands of the page simulate the calorimeter and write the format, which `load_showers` reads."""
    assert checks["tungsten"] == [20, 24, 24] and checks["npy"] == [20, 30, 30] and min(checks["lit"]) > 0


def test_metric(checks):
    """The package finds it; `tests/evaluation/metrics/test_registry.py` follows the same lines to the pages."""
    assert checks["metric"] == ["ecalgen.evaluation.metrics.hottest_cell", "hottest_cell"]
    block = next(code for place, code in BLOCKS if place == "ecalgen/evaluation/metrics/hottest_cell.py")
    assert block == (ROOT / "tests" / "helpers" / "hottest_cell.py").read_text()
