"""The training loop: it runs a stage to its end, logs metrics, keeps checkpoints, and stops on a signal."""
import contextlib
import dataclasses
import functools
import itertools
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
from ecalgen.machine.host import any_of_all, is_first, progress, wait_for_all
from ecalgen.training import parallel
from ecalgen.training.checkpoints import Checkpoints
from ecalgen.training.feed import feed
from ecalgen.training.metrics_log import Mean, MetricsLog, finite_values, read_metrics
from ecalgen.training.state import init_key

COLLAPSED = 2.0
"""A score this many times the best one, and `CHANCE` more, means that training has collapsed."""
CHANCE = 0.1
"""Twice the mean Wasserstein-1 distance between two sets of 500 real showers, which one outlier can double."""


class TrainingError(UserError):
    """Training cannot go on; the message says why, and where the last good checkpoint is."""


class Interrupted(SystemExit):
    """SIGTERM or Ctrl-C, after the state has been saved; exits with 128 + the signal's number."""


@dataclasses.dataclass(frozen=True)
class Stage:
    """One trained part of a run: its first state, its step, and its number of steps.

    Args:
      name: also its folder under `checkpoints/`.
      init: (key, {name: last state} of the stages before, or None) -> state, whose field `step` counts.
      step: (state, data, key) -> (state, metrics), run on every device.
      steps: until this many have been made.
      batch_size: showers a step.
      monitor: state -> {name: value} against validation showers, evaluated at every checkpoint.
      score: name of the monitored value, low when good, by which a collapse is noticed.
      shown: (training showers of the run, states of the stages before) -> the training showers of this stage.
    """

    name: str
    init: Callable[[jax.Array, Any], Any]
    step: Callable
    steps: int
    batch_size: int
    monitor: Callable[[Any], dict] = lambda state: {}
    score: str | None = None
    shown: Callable[[Any, dict], Any] = lambda data, before: data


def run_stage(stage, data, train, seed, workdir, writers=(), before=None):
    """Train `stage` to its end, from its newest checkpoint if it has one, and return its last state.

    Adversarial training can collapse late, so the state of the best score is kept beside the newest ones, for
    `trained_state` to fall back to.

    Args:
      data: the training showers of the run, arrays `[N, ...]`, or an `ArrayBlocks` of them.
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
    state = parallel.replicate(jax.tree.map(jnp.copy, state))  # a copy, as every step donates the state before it
    key = parallel.replicate(jax.random.key(seed))
    per_call = parallel.steps_per_call(train.log_every)
    showers = feed(stage.shown(data, before or {}) if start < stage.steps else data, stage.batch_size, per_call)
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
                jax.block_until_ready(state)  # or processes may communicate this step and the stop in different order
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

    The best score alone is a poor guide: the mean Wasserstein-1 distance depends on a few observables, and it can
    worsen while the physics PRD-AUC still improves.

    Args:
      like: a state of the same shapes and types.

    Returns:
      The state, or None when there is none yet.
    """
    rows = read_metrics(pathlib.Path(workdir) / "metrics.jsonl")
    scores = finite_values([row for row in rows if row["stage"] == stage.name], stage.score)
    collapsed = bool(scores) and scores[-1] > COLLAPSED * min(scores) + CHANCE
    if collapsed:
        warnings.warn(f"stage {stage.name!r} collapsed: its {stage.score} rose from {min(scores):.3g} to "
                      f"{scores[-1]:.3g}; taking the state of the former", stacklevel=2)
    folder = pathlib.Path(workdir) / "checkpoints" / (f"{stage.name}-best" if collapsed else stage.name)
    with contextlib.closing(Checkpoints(folder)) as checkpoints:
        restored = checkpoints.restore(like)
    return restored and restored[1]


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
    """A list to which the number of the first SIGTERM or SIGINT is appended; a second signal acts as usual.

    No signal reaches a thread other than the main one, such as a Dask worker's; there the list stays empty.
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
