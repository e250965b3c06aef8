"""The metrics of a run: their means between two logs, and `metrics.jsonl`, where they are kept."""
import collections
import json
import math
import pathlib
import time

import jax

from ecalgen.errors import UserError
from ecalgen.machine.files import write_text, writing_to
from ecalgen.machine.host import is_first
from ecalgen.machine.records import COUNT, NUMBER, TEXT, Each, Kind, RecordError, check_record, parse_record

ROW = {"stage": TEXT, "step": COUNT, "seconds": NUMBER}
"""Fields of every row."""
LOGGED = Kind("a number", lambda value: isinstance(value, float) or NUMBER.fits(value))
"""Kind of all other fields of a row; a monitor may have found no finite value."""


class MetricsError(UserError):
    """A `metrics.jsonl` that cannot be read; the message says which line."""


class MetricsLog:
    """Writes `metrics.jsonl`: one object a line with stage, step and values.

    Rows of steps after the last checkpoint, which a killed run has left, are dropped, as these steps are made again.
    Of several processes only the first writes.

    Args:
      path: of the file.
      stage: name of the stage that is logged.
      start: the step from which it goes on.
      writers: called with (stage, step, values) at every row.
    """

    def __init__(self, path, stage, start, writers=()):
        self._path, self._stage, self._writers, self._began = pathlib.Path(path), stage, writers, time.time()
        kept = [row for row in read_metrics(path) if row["stage"] != stage or row["step"] <= start]
        if is_first():
            write_text(self._path, "".join(json.dumps(row) + "\n" for row in kept))
        self._rows = [row for row in kept if row["stage"] == stage]
        self._before = max((row["seconds"] for row in self._rows), default=0.0)

    def lowest(self, name):
        """The lowest value so far of a metric, infinite before the first."""
        return min(finite_values(self._rows, name), default=math.inf)

    def write(self, step, values):
        """Append a row; `seconds` counts training time over all resumed parts of the stage."""
        seconds = self._before + time.time() - self._began
        self._rows.append({"stage": self._stage, "step": step, "seconds": round(seconds, 1), **values})
        if not is_first():
            return
        with writing_to(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self._rows[-1]) + "\n")
        for writer in self._writers:
            writer(self._stage, step, values)


def read_metrics(path):
    """The rows of a `metrics.jsonl`; a last line that a kill has cut short is left out.

    Raises:
      MetricsError: a line is no row; the message says which.
    """
    path = pathlib.Path(path)
    try:
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    except OSError as error:
        raise MetricsError(f"{path} cannot be read ({error.strerror}); move it away") from error
    return [_row(path, number, line) for number, line in enumerate(lines, 1)]


def _row(path, number, line):
    try:
        row = parse_record(line, ROW)
        check_record({name: value for name, value in row.items() if name not in ROW}, Each(LOGGED))
    except RecordError as error:
        raise MetricsError(f"line {number} of {path} is no row of metrics ({error}); remove it") from error
    return row


def finite_values(rows, name):
    """The finite values of a metric in these rows."""
    return [row[name] for row in rows if math.isfinite(row.get(name, math.nan))]


def training_seconds(rows):
    """Training time over all stages: the last row of each stage holds the stage's own."""
    return sum({row["stage"]: row["seconds"] for row in rows}.values())


class Mean:
    """Mean of the metrics added since the last `pop`; the values stay on the device so that no step waits for them."""

    def __init__(self):
        self._values = collections.defaultdict(list)

    def add(self, metrics):
        """Add one call's metrics, scalars."""
        for name, value in metrics.items():
            self._values[name].append(value)

    def pop(self):
        """{name: mean}, as floats."""
        rows, self._values = jax.device_get(dict(self._values)), collections.defaultdict(list)
        return {name: float(sum(values) / len(values)) for name, values in rows.items()}
