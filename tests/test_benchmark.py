"""The benchmark: what it times, on which cores, and what it refuses."""
import json
import os
import pathlib
import time

import pytest

from ecalgen import benchmark
from ecalgen.errors import UserError


def test_the_clock_starts_after_the_warm_calls(monkeypatch):
    monkeypatch.setattr(benchmark, "ENOUGH", 0.05)
    naps = iter([0.2, 0.1] + [0.02] * 50)
    seconds = benchmark.call_times(lambda: time.sleep(next(naps)))
    assert seconds[0] > 0.2 and len(seconds) == benchmark.WARM + 3  # 0.02 three times is enough


def test_quick_calls_are_made_a_hundred_times():
    assert len(benchmark.call_times(lambda: None)) == benchmark.WARM + benchmark.MOST


@pytest.mark.parametrize("arguments, message", [
    (["--cores=100000"], "--cores is 100000; this process may use 1 to"),
    (["--only=muon"], "error: 'muon' is neither a run's folder nor a shipped model")])
def test_faults_in_one_line(arguments, message):
    with pytest.raises(SystemExit, match=message):
        benchmark.main([*arguments, "--batches=1"])


def test_names_and_folder_are_known_before_anything_is_timed(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "in_child", lambda *_: pytest.fail("timed"))
    with pytest.raises(SystemExit, match="'muon' is neither"):
        benchmark.main(["--only=gflash", "--only=muon"])
    with pytest.raises(SystemExit, match="there is no folder .*none for --out"):
        benchmark.main(["--only=gflash", f"--out={tmp_path / 'none' / 'b.json'}"])


def test_batches_hold_showers(capsys):
    with pytest.raises(SystemExit):
        benchmark.main(["--batches=1,0"])
    assert "holds a batch without showers" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, message", [
    (["--training=configs/none.py:cpu"], "there is no recipe configs/none.py. These come with"),
    (["--training=configs/baseline.py:tiny"], "preset 'tiny' is not one of cpu, test"),
    (["--only=math:nothing"], "math:nothing cannot be imported .module 'math' has no attribute 'nothing'"),
    (["--training=nowhere:nothing"], "nowhere:nothing cannot be imported .No module named 'nowhere'")])
def test_names_that_are_nothing(arguments, message):
    with pytest.raises(SystemExit, match=message):
        benchmark.main([*arguments, "--batches=1"])


@pytest.mark.slow
def test_trainings_and_functions_of_ones_own(few_showers, tmp_path, monkeypatch, capsys):
    recipe = tmp_path / "recipe.py"
    recipe.write_text(
        "from configs import baseline\n"
        "def get_config(preset):\n    config = baseline.get_config(preset)\n"
        f"    config.data.source = {str(few_showers)!r}\n    return config\n")
    (tmp_path / "mine.py").write_text(
        "import time\nimport numpy as np\n"
        "def sampler():\n    return lambda momentum, point: time.sleep(0.01) or np.zeros((len(point), 30, 30))\n"
        "def training():\n    return lambda: time.sleep(0.02) or 2\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{pathlib.Path(__file__).parents[1]}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(benchmark, "ENOUGH", 0.05)
    benchmark.main(["--only=mine:sampler", "--training=mine:training", f"--training={recipe}:test", "--batches=10",
                    f"--out={tmp_path / 'b.json'}"])
    result = json.loads((tmp_path / "b.json").read_text())
    assert 1 <= result["systems"]["mine:sampler"]["batches"]["10"]["milliseconds_per_shower"]["median"] < 10
    rates = {name: row["steps_per_second"] for name, row in result["trainings"].items()}
    assert 20 < rates["mine:training"]["median"] <= rates["mine:training"]["most"] <= 100
    assert 0 < rates[f"{recipe}:test"]["median"] and "steps/s (first one" in capsys.readouterr().out


@pytest.mark.slow
def test_a_shipped_model_on_one_core(tmp_path, capsys):
    benchmark.main(["--only=anchored", "--batches=1,20", "--precision=bfloat16", f"--out={tmp_path / 'b.json'}"])
    result = json.loads((tmp_path / "b.json").read_text())
    assert (result["cores"], result["precision"]) == (1, "bfloat16") and result["provenance"]["command"]
    for size, entry in result["systems"]["anchored"]["batches"].items():
        times = entry["milliseconds_per_shower"]
        assert 0 < times["least"] <= times["median"] < 1000 * entry["first_seconds"] / int(size)
    assert "ms in batches of 20 (first call" in capsys.readouterr().out


def test_geant4_is_left_out_where_it_is_not(monkeypatch):
    monkeypatch.delenv("GEANT4_DATA_DIR", raising=False)
    assert "geant4" not in benchmark.everything() and {"anchored", "gflash"} <= set(benchmark.everything())


def test_a_child_keeps_to_its_cores(monkeypatch):
    first = sorted(os.sched_getaffinity(0))[:1]
    seen = {}

    def run(command, **options):
        seen.update(options["env"])
        raise UserError("stop")

    monkeypatch.setattr(benchmark.subprocess, "run", run)
    with pytest.raises(UserError, match="stop"):
        benchmark.in_child("sampler", "anchored", [1], first, "float32")
    assert seen["OMP_NUM_THREADS"] == "1"
