"""The log of a run's metrics: what a resumed run keeps of it, and lines that cannot be."""
import json

import jax.numpy as jnp
import pytest

from ecalgen.machine.files import WriteError
from ecalgen.training import metrics_log


def test_log_drops_rows_after_the_checkpoint_and_a_cut_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    rows = [{"stage": stage, "step": step, "seconds": 1.0} for stage in ("regressor", "gan") for step in (5, 10)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"stage": "gan", "st')
    log = metrics_log.MetricsLog(path, "gan", start=5)
    log.write(10, {"loss": 1.0})
    kept = [(row["stage"], row["step"]) for row in metrics_log.read_metrics(path)]
    assert kept == [("regressor", 5), ("regressor", 10), ("gan", 5), ("gan", 10)]


@pytest.mark.parametrize("line, message", [
    (b'{"stage": "gan", "st', "line 2 of .*metrics.jsonl is no row of metrics .no JSON: .*; remove it"),
    (b"\x80\x00\xff", "line 2 of .* is no row of metrics .no JSON"), (b"", "line 2 of .* .no JSON"),
    (b"[" * 1000 + b"]" * 1000, "line 2 of "), (b"[]", "it must be an object"),
    (b'{"step": 5, "seconds": 1.0}', "field stage is missing"),
    (b'{"stage": "gan", "step": "5", "seconds": 1.0}', 'step is "5"; it must be a whole number from 0'),
    (b'{"stage": "gan", "step": 5, "seconds": NaN}', "seconds is NaN; it must be a finite number"),
    (b'{"stage": "gan", "step": 5, "seconds": 1.0, "w1": [1]}', r"w1 is \[1\]; it must be a number"),
])
def test_a_line_that_is_no_row_is_named(tmp_path, line, message):
    path = tmp_path / "metrics.jsonl"
    sound = b'{"stage": "gan", "step": 5, "seconds": 1.0, "w1": 0.5}\n'
    path.write_bytes(sound + line + b"\n" + sound)
    with pytest.raises(metrics_log.MetricsError, match=message):
        metrics_log.MetricsLog(path, "gan", start=5)
    assert path.read_bytes() == sound + line + b"\n" + sound


def test_a_score_that_is_not_finite_is_never_the_lowest(tmp_path):
    log = metrics_log.MetricsLog(tmp_path / "metrics.jsonl", "gan", start=0)
    for step, score in ((5, float("nan")), (10, 0.4), (15, 0.7)):
        log.write(step, {"w1": score})
    assert log.lowest("w1") == metrics_log.MetricsLog(tmp_path / "metrics.jsonl", "gan", start=15).lowest("w1") == 0.4


def test_a_row_that_cannot_be_written_names_its_file(tmp_path):
    log = metrics_log.MetricsLog(tmp_path / "metrics.jsonl", "gan", start=0)
    (tmp_path / "metrics.jsonl").unlink()
    (tmp_path / "metrics.jsonl").mkdir()
    with pytest.raises(WriteError, match="metrics.jsonl cannot be written .Is a directory"):
        log.write(5, {"loss": 1.0})


def test_mean_is_over_what_came_since_the_last_pop():
    mean = metrics_log.Mean()
    for value in (1.0, 2.0, 6.0):
        mean.add({"loss": jnp.asarray(value)})
    assert mean.pop() == {"loss": 3.0}
    mean.add({"loss": jnp.asarray(5.0)})
    assert mean.pop() == {"loss": 5.0}


def test_writers_get_every_row(tmp_path):
    seen = []
    log = metrics_log.MetricsLog(tmp_path / "metrics.jsonl", "gan", 0, [lambda *row: seen.append(row)])
    log.write(7, {"loss": 2.0})
    assert seen == [("gan", 7, {"loss": 2.0})]


def test_training_time_is_the_sum_over_stages():
    rows = [{"stage": stage, "seconds": seconds} for stage, seconds in (("prior", 5.0), ("prior", 8.0), ("gan", 2.0))]
    assert metrics_log.training_seconds(rows) == 10.0
