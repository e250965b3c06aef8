"""The training loop: runs a stage to its end, logs it, keeps checkpoints, and stops when it must."""
import collections
import contextlib
import dataclasses
import functools
import itertools
import json
import math
import pathlib
import signal
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from tqdm import tqdm

from ecalgen.errors import UserError
from ecalgen.machine.files import write_text, writing_to
from ecalgen.machine.host import any_of_all, is_first, progress, wait_for_all
from ecalgen.machine.records import COUNT, NUMBER, TEXT, Each, Kind, RecordError, check_record, parse_record
from ecalgen.training import parallel
from ecalgen.training.checkpoints import Checkpoints
from ecalgen.training.feed import feed
from ecalgen.training.state import init_key

COLLAPSED = 2.0
"""A score this many times the best one, and `CHANCE` more, means that training has collapsed."""
CHANCE = 0.1
"""Twice the mean Wasserstein-1 distance of 500 real showers to as many others, which one outlier can double."""
ROW = {"stage": TEXT, "step": COUNT, "seconds": NUMBER}
LOGGED = Kind("a number", lambda value: isinstance(value, float) or NUMBER.fits(value))
"""What else a row holds; a monitor may have found no finite value."""


class MetricsError(UserError):
    """A `metrics.jsonl` that cannot be read; the message says which line."""


class TrainingError(UserError):
    """Training cannot go on; the message says why, and where the last good checkpoint is."""


class Interrupted(SystemExit):
    """SIGTERM or Ctrl-C, after the state has been saved; exits with 128 + the signal's number."""


@dataclasses.dataclass(frozen=True)
class Stage:
    """One trained part of a run: where it starts, what a step is, how long it goes on.

    Args:
      name: also its folder under `checkpoints/`.
      init: (key, {name: last state} of the stages before, or None) -> state, whose field `step` counts.
      step: (state, data, key) -> (state, metrics), run on every device.
      steps: until this many have been made.
      batch_size: showers a step.
      monitor: state -> {name: value} against validation showers, at every checkpoint.
      score: the monitored value, low when good, by which a collapse is noticed.
    """

    name: str
    init: Callable[[jax.Array, Any], Any]
    step: Callable
    steps: int
    batch_size: int
    monitor: Callable[[Any], dict] = lambda state: {}
    score: str | None = None


def run_stage(stage, data, train, seed, workdir, writers=(), before=None):
    """Train `stage` to its end, from its newest checkpoint if it has one, and return its last state.

    Adversarial training can collapse late, so the state of the best score is kept beside the newest ones, for
    `trained_state` to fall back to.

    Args:
      data: the training showers, arrays `[N, ...]`, or an `ArrayBlocks` of them.
      train: `config.train`.
      seed: of the run; initial state and every step follow from it.
      workdir: of the run; `checkpoints/` and `metrics.jsonl` go there.
      writers: called with (stage, step, metrics) at every log.
      before: {name: last state} of the stages before, for `stage.init`.

    Raises:
      TrainingError: a loss is NaN or diverges.
      Interrupted: SIGTERM or Ctrl-C; the state has been saved.
    """
    workdir = pathlib.Path(workdir)
    checkpoints, best = (Checkpoints(workdir / "checkpoints" / name, keep)
                         for name, keep in ((stage.name, 2), (f"{stage.name}-best", 1)))
    state = stage.init(init_key(seed), before)
    start, state = checkpoints.restore(state) or (0, state)
    state = parallel.replicate(jax.tree.map(jnp.copy, state))  # its own, as every step gives up the state before it
    key = parallel.replicate(jax.random.key(seed))
    per_call = parallel.steps_per_call(train.log_every)
    showers = feed(data, stage.batch_size, per_call)
    advance = functools.cache(lambda count: parallel.map_steps(stage.step, count, donate=True))
    log = MetricsLog(workdir / "metrics.jsonl", stage.name, start, writers)
    bar = progress(total=stage.steps, initial=start, desc=stage.name, unit="step", smoothing=0.05)
    metrics, logged = Mean(), (start, time.time())
    with contextlib.closing(checkpoints), contextlib.closing(best), bar, stop_signals() as stopped:
        for begin, step in itertools.pairwise([start, *call_ends(start, stage.steps, per_call)]):
            state, values = advance(step - begin)(state, showers(begin), key)
            metrics.add(values)
            bar.update(step - begin)
            scheduled = step % train.checkpoint_every == 0 or step == stage.steps
            logging = scheduled or step % train.log_every == 0
            if logging:
                jax.block_until_ready(state)  # or processes may talk of this step and of stopping in different order
            stopping = any_of_all(stopped) if logging or not jax.distributed.is_initialized() else False
            due = scheduled or stopping
            if due or logging:
                row = metrics.pop()
                check_sound(row, step, train.divergence, checkpoints.folder)
                row["showers_per_second"] = (step - logged[0]) * stage.batch_size / (time.time() - logged[1])
                row |= stage.monitor(state) if scheduled else {}
                logged = step, time.time()
                if stage.score in row and row[stage.score] < log.lowest(stage.score):
                    best.save(step, state)
                log.write(step, row)
                bar.set_postfix_str(_summary(row), refresh=False)
            if due:
                checkpoints.save(step, state)
            if stopping and step < stage.steps:
                number = stopped[0] if stopped else signal.SIGTERM
                if is_first():
                    tqdm.write(f"{signal.Signals(number).name}: saved step {step}; the same command goes on from there")
                raise Interrupted(128 + number)
    wait_for_all(f"{stage.name} is saved")
    return state


def call_ends(start, stop, per_call):
    """The steps at which the calls of a stage end: the multiples of `per_call` after `start`, and `stop`.

    The first call is shorter where the run was begun on a device with fewer steps a call.
    """
    first = start - start % per_call + per_call
    return [*range(first, stop, per_call), stop] if start < stop else []


def trained_state(stage, like, workdir):
    """The newest state of a stage, or the one of the best score where training has collapsed since.

    The best score alone is no good guide: the mean Wasserstein-1 distance hangs on a few observables, and falls
    while the physics PRD-AUC still rises.

    Args:
      like: a state of the same shapes and types.

    Returns:
      The state, or None when there is none yet.
    """
    rows = read_metrics(pathlib.Path(workdir) / "metrics.jsonl")
    scores = _values([row for row in rows if row["stage"] == stage.name], stage.score)
    collapsed = bool(scores) and scores[-1] > COLLAPSED * min(scores) + CHANCE
    if collapsed:
        warnings.warn(f"stage {stage.name!r} collapsed: its {stage.score} rose from {min(scores):.3g} to "
                      f"{scores[-1]:.3g}; taking the state of the former", stacklevel=2)
    folder = pathlib.Path(workdir) / "checkpoints" / (f"{stage.name}-best" if collapsed else stage.name)
    with contextlib.closing(Checkpoints(folder)) as checkpoints:
        restored = checkpoints.restore(like)
    return restored and restored[1]


class MetricsLog:
    """`metrics.jsonl`: one object a line with stage, step and values.

    Rows of steps that a killed run made after its last checkpoint are dropped, as they are made again. Of several
    processes the first writes.
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
        return min(_values(self._rows, name), default=math.inf)

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
    """The rows of a `metrics.jsonl`; a last line cut short by a kill is left out.

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


def _values(rows, name):
    """The finite values of a metric."""
    return [row[name] for row in rows if math.isfinite(row.get(name, math.nan))]


class Mean:
    """Mean of the metrics added since the last `pop`, kept on the device so that no step waits for it."""

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


def check_sound(row, step, divergence, folder):
    """Raises TrainingError when a metric is not finite or a loss exceeds `divergence`."""
    bad = [name for name, value in row.items()
           if not math.isfinite(value) or (name.endswith("loss") and abs(value) > divergence)]
    if bad:
        values = ", ".join(f"{name} = {row[name]:.3g}" for name in bad)
        raise TrainingError(f"training went wrong before step {step}: {values}. The last good checkpoint is kept in "
                            f"{folder}; lower config.train.*_rate or config.train.clip, in a new workdir")


@contextlib.contextmanager
def stop_signals():
    """A list that gets the number of the first SIGTERM or SIGINT; a second one acts as usual.

    In a thread beside the main one, such as a Dask worker's, which no signal reaches, it stays empty.
    """
    received, before = [], {}
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def note(number, _frame):
        received.append(number)
        signal.signal(number, before[number])

    for number in (signal.SIGTERM, signal.SIGINT):
        before[number] = signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _summary(row):
    names = [name for name in row if name.endswith("loss")]
    return ", ".join(f"{name.replace('_loss', '')} {row[name]:.3f}" for name in names) + (
        f", {row['showers_per_second']:.0f} showers/s")
