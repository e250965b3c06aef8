"""Several processes that train one run: the same losses as in one, one of them writes, and a kill is agreed on."""
import json
import signal
import socket
import time

import commands
import numpy as np
import pytest

from ecalgen.errors import UserError
from ecalgen.machine import host
from ecalgen.training.metrics_log import read_metrics

STEPS = 50
SMALL = ["--config=configs/baseline.py:test,recipe=paper", "--config.generator.attention=0",
         "--config.discriminator.attention=0", "--config.evaluation.bootstrap=2", f"--config.train.steps={STEPS}"]


def start(workdir, *options, devices=1):
    """A training process with so many devices."""
    return commands.Running("judging", "ecalgen.main", *SMALL, f"--workdir={workdir}", *options, devices=devices)


def both(workdir, *options):
    """Two processes of one run, of one device each."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    return [start(workdir, f"--hosts=localhost:{port},2,{index}", *options) for index in range(2)]


def wait_for_step(workdir, step, *processes):
    while not [row for row in read_metrics(workdir / "metrics.jsonl") if row["step"] >= step]:
        assert all(process.poll() is None for process in processes), [process.finished() for process in processes]
        time.sleep(0.1)


@pytest.mark.slow
def test_two_processes_make_the_steps_of_one(tmp_path, few_showers):
    """Stopped on the way by a signal to one of them, and gone on with; only the first speaks, writes and judges.

    The losses are compared for half of the steps: rounding, which depends on how a sum is split, grows.
    """
    source = f"--config.data.source={few_showers}"
    pair = both(tmp_path / "two", source)
    wait_for_step(tmp_path / "two", 5, *pair)
    pair[1].send_signal(signal.SIGTERM)
    ended = [process.finished() for process in pair]
    assert {done.returncode for done in ended} <= {0, 143}, ended
    if ended[0].returncode:  # it was still training
        assert "saved step" in ended[0].output and "saved step" not in ended[1].output
        first, second = [process.finished() for process in both(tmp_path / "two", source)]
        assert first.returncode == second.returncode == 0, (first, second)
        assert "report.html" in first.output and "steps/s" not in second.output and "judging" not in second.output
    alone = start(tmp_path / "one", source, devices=2)
    wait_for_step(tmp_path / "one", STEPS // 2, alone)
    alone.send_signal(signal.SIGTERM)
    assert alone.finished().returncode in (0, 143)
    rows = [read_metrics(tmp_path / name / "metrics.jsonl") for name in ("two", "one")]
    assert [row["step"] for row in rows[0]] == list(range(5, STEPS + 1, 5))
    for two, one in zip(*(some[:5] for some in rows), strict=True):
        losses = [name for name in one if name.endswith("loss")]
        np.testing.assert_allclose([two[name] for name in losses], [one[name] for name in losses], rtol=2e-3)
    assert json.loads((tmp_path / "two" / "generator" / "card.json").read_text())["steps"] == STEPS


@pytest.mark.parametrize("hosts", ["here", "localhost,2,0", "localhost:1,2,2", "localhost:1,2,x"])
def test_hosts_that_say_nothing_are_refused(hosts):
    with pytest.raises(UserError, match="ADDRESS:PORT,PROCESSES,INDEX"):
        host.join(hosts)


def test_hosts_are_for_training(tmp_path):
    done = start(tmp_path, "--mode=evaluate", "--hosts=localhost:1,2,0").finished()
    assert done.returncode == 1 and "error: --hosts is for training; --mode=evaluate runs in one process" in done.output
