"""The command as a user types it, in a process of its own, on the shipped showers."""
import json
import os
import shutil

import commands
import numpy as np
import pytest

import ecalgen
from ecalgen.machine.lock import locked


def command(*arguments, check=True):
    """`python -m ecalgen.main` at the root of the clone; how it ended, and its output."""
    return commands.command("ecalgen.main", *arguments, check=check)


@pytest.mark.slow
def test_a_run_leaves_what_the_readme_says(finished_run):
    for name in ("config.json", "checkpoints/prior", "checkpoints/gan", "metrics.jsonl", "generator/weights.npz",
                 "evaluation.json", "figures", "report.html"):
        assert (finished_run / name).exists(), name
    evaluation = json.loads((finished_run / "evaluation.json").read_text())
    assert evaluation["protocol"] == "paper" and evaluation["showers"] == 200
    for feature in ("raw", "physics"):
        assert 0 <= evaluation["prd"][feature]["auc"] < evaluation["prd"][feature]["ceiling"] <= 1
    assert evaluation["provenance"]["command"].startswith("python -m ecalgen.main --config=configs/anchored.py:test")
    rows = [json.loads(line) for line in (finished_run / "metrics.jsonl").read_text().splitlines()]
    assert [(row["stage"], row["step"]) for row in rows] == [
        (stage, step) for stage in ("prior", "gan") for step in (5, 10, 15, 20)]
    assert rows[-1]["w1"] > 0 and rows[-1]["showers_per_second"] > 0


@pytest.mark.slow
def test_sampling_from_a_file_of_conditions(finished_run, showers, tmp_path):
    conditions = tmp_path / "conditions.npz"
    np.savez(conditions, ParticleMomentum=showers.momentum[:7], ParticlePoint=showers.point[:7])
    own = shutil.copytree(finished_run, tmp_path / "run")
    done = command("--config=configs/anchored.py:test", f"--workdir={own}", "--mode=sample",
                   f"--conditions={conditions}")
    assert done.output.strip().splitlines()[-1] == str(own / "samples.npz")
    made = ecalgen.load_showers(own / "samples.npz")
    expected = ecalgen.load_sampler(finished_run)(showers.momentum[:7], showers.point[:7], seed=0)
    np.testing.assert_array_equal(made.energy, expected)


@pytest.mark.slow
def test_a_run_that_is_not_finished_samples_from_its_newest_checkpoint(finished_run, showers, tmp_path):
    unfinished = shutil.copytree(finished_run, tmp_path / "run")
    shutil.rmtree(unfinished / "generator")
    np.savez(tmp_path / "c.npz", ParticleMomentum=showers.momentum[:2], ParticlePoint=showers.point[:2])
    command("--config=configs/anchored.py:test", f"--workdir={unfinished}", "--mode=sample",
            f"--conditions={tmp_path / 'c.npz'}")
    expected = ecalgen.load_sampler(finished_run)(showers.momentum[:2], showers.point[:2], seed=0)
    np.testing.assert_array_equal(ecalgen.load_showers(unfinished / "samples.npz").energy, expected)


def test_a_folder_in_use_is_refused_in_one_line(tmp_path):
    with locked(tmp_path):
        done = command("--config=configs/baseline.py:test", f"--workdir={tmp_path}", check=False)
    assert done.returncode == 1 and "Traceback" not in done.output
    assert done.output.strip().splitlines()[-1].startswith(f"error: {tmp_path} is in use by process {os.getpid()} on")


@pytest.mark.parametrize("arguments, message", [
    (["--config=configs/baseline.py:nothing"], "error: preset 'nothing' is not one of cpu, test"),
    (["--config=configs/aux_multitask.py:cpu,regressor=cnn"],
     "error: there is no option regressor=...; this recipe has recipe=..."),
    (["--config=configs/nobody.py"], "error: --config: there is no recipe configs/nobody.py. These come with"),
    (["--config=configs/anchored.py:test", "--config.generator.octan=False"],
     "--config: the recipe has no field 'octan'; did you mean 'octant'?"),
    (["--config=configs/baseline.py:test", "--mode=sample"], "holds no run; train it first"),
    (["--config=baseline:test", "--config.train.steps=ten"], "train.steps=ten: 'ten' is no number of this kind"),
    ([], "error: --config not given; recipes: adagan, "),
    (["--config=baseline:test", "--stepz=3"], "error: Unknown command line flag 'stepz'"),
    (["--config=baseline:test", "--seeds=1,1"], "error: --seeds is '1,1'; give two different seeds"),
    (["--config=baseline:test", "--seeds=1,x"], "error: --seeds is '1,x'; give whole numbers"),
    (["--config=baseline:test", "--seeds=1,2", "--mode=evaluate"], "error: --seeds is for training"),
    (["--config=configs/baseline.py:test", "--config.data.source=missing.npz"], "error: missing.npz"),
    (["--config=configs/baseline.py:test", "--config.generator.name=fancy"], "config.generator.name is 'fancy'"),
    (["--config=configs/anchored.py:test", "--config.init=nobody"], "error: 'nobody' is neither a run's folder"),
    (["--config=configs/library.py:test", "--config.init=anchored"], "--config: the recipe has no field 'init'."),
    (["--config=configs/baseline.py:test", "--config.evaluation.protocol=mine"], "evaluation.protocol is 'mine'"),
])
def test_faults_are_named_before_any_long_work(tmp_path, arguments, message):
    done = command(*arguments, f"--workdir={tmp_path / 'run'}", check=False)
    assert done.returncode != 0 and message in done.output, done.output[-2000:]
    assert "step/s" not in done.output and "Traceback" not in done.output


@pytest.mark.parametrize("words, said", [
    (["--help"], "recipes: adagan, anchored, "),
    (["--config=anchored:cpu", "--help"], "train.steps = 5000\n      of the stage"),
])
def test_help(words, said):
    done = command(*words)
    assert "usage: ecalgen train" in done.output and said in done.output
