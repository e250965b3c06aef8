"""Variants of a recipe at equal time: how many steps of one take as long as so many of another."""
import time

import jax

from ecalgen import runs
from ecalgen.training import parallel

TURNS = 40
"""In which both are timed; the fastest of each counts."""


def steps_at_equal_time(config, usual, steps):
    """How many GAN steps of `config` take as long as `steps` of `usual`, to hundreds.

    They take turns, so that what else runs on the machine disturbs both alike. Seed and source are those of `config`.
    """
    usual = usual.copy_and_resolve_references()
    usual.update_from_flattened_dict({"seed": config.seed, "data.source": config.data.source})
    if "gan" not in config.stages or config.to_json() == usual.to_json():
        return steps
    makers = [_stepper(config), _stepper(usual)]
    seconds = [[_timed(step) for step in makers] for _ in range(TURNS)]
    ours, theirs = map(min, zip(*seconds, strict=True))
    return max(100, round(steps * theirs / ours / 100) * 100)


def _stepper(config):
    """A function that makes the next step of the GAN, compiled."""
    _, stages, data = runs.load_stages(config)
    advance = parallel.map_steps(stages[-1].step, 1)
    states = [stages[-1].init(jax.random.key(0, impl="rbg"), None)]

    def step():
        states[0], metrics = advance(states[0], data, jax.random.key(0))
        jax.block_until_ready((states[0], metrics))

    step()
    return step


def _timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
