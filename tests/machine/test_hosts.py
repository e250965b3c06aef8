"""Several processes that train one run: the same losses as in one, one of them writes, and a kill is agreed on."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import judging
import numpy as np
import pytest

from ecalgen.errors import UserError
from ecalgen.machine import host
from ecalgen.training.metrics_log import read_metrics

ROOT = pathlib.Path(__file__).parents[2]
SMALL = [f"--config={ROOT}/configs/baseline.py:test,recipe=paper", "--config.generator.attention=0",
         "--config.discriminator.attention=0", "--config.evaluation.bootstrap=2"]


def start(workdir, *options, devices=1):
    """A training process with so many devices."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    command = [sys.executable, judging.__file__, "ecalgen.main", *SMALL, f"--workdir={workdir}", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
                            env=os.environ | {"XLA_FLAGS": flags, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)})


def both(workdir, *options):
    """Two processes of one run, of one device each."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    return [start(workdir, f"--hosts=localhost:{port},2,{index}", *options) for index in range(2)]


def finished(process):
    out, err = process.communicate(timeout=400)
    return process.returncode, out, err


@pytest.mark.slow
def test_two_processes_make_the_steps_of_one(tmp_path, few_showers):
    """Stopped on the way by a signal to one of them, and gone on with; only the first speaks, writes and judges."""
    options = ["--config.train.steps=100", f"--config.data.source={few_showers}"]
    pair = both(tmp_path / "two", *options)
    while not read_metrics(tmp_path / "two" / "metrics.jsonl"):
        assert all(process.poll() is None for process in pair), [finished(process) for process in pair]
        time.sleep(0.1)
    pair[1].send_signal(signal.SIGTERM)
    ended = [finished(process) for process in pair]
    assert {code for code, _, _ in ended} <= {0, 143}, ended
    if ended[0][0]:  # it was still training
        assert "saved step" in ended[0][1] and "saved step" not in ended[1][1]
        first, second = [finished(process) for process in both(tmp_path / "two", *options)]
        assert first[0] == second[0] == 0, (first, second)
        assert "report.html" in first[1] and "training" not in second[1] and "judging" not in second[1]
    code, _, err = finished(start(tmp_path / "one", *options, devices=2))
    assert code == 0, err
    rows = [read_metrics(tmp_path / name / "metrics.jsonl") for name in ("two", "one")]
    assert [row["step"] for row in rows[0]] == [row["step"] for row in rows[1]] and len(rows[0]) == 20
    for two, one in zip(*rows, strict=True):
        losses = [name for name in one if name.endswith("loss")]
        np.testing.assert_allclose([two[name] for name in losses], [one[name] for name in losses], rtol=2e-3)
    cards = [json.loads((tmp_path / name / "generator" / "card.json").read_text()) for name in ("two", "one")]
    assert cards[0]["steps"] == cards[1]["steps"] == 100


@pytest.mark.parametrize("hosts", ["here", "localhost,2,0", "localhost:1,2,2", "localhost:1,2,x"])
def test_hosts_that_say_nothing_are_refused(hosts):
    with pytest.raises(UserError, match="ADDRESS:PORT,PROCESSES,INDEX"):
        host.join(hosts)


def test_hosts_are_for_training(tmp_path):
    code, _, err = finished(start(tmp_path, "--mode=evaluate", "--hosts=localhost:1,2,0"))
    assert code == 1 and "error: --hosts is for training; --mode=evaluate runs in one process" in err
