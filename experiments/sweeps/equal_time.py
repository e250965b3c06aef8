"""Variants of a recipe at equal time: the steps of one that take as long as those of another."""
import time

import jax

from ecalgen.benchmark import make_steps

TURNS = 40
"""Number of times that both are timed in turn; the fastest of each counts."""


def equal_steps(variants, usual, steps):
    """The GAN steps of each variant that take as long as `steps` of the usual recipe, rounded to hundreds.

    They are measured once, for all seeds, and best on an otherwise idle machine. A variant and the usual recipe take
    turns, so that other processes disturb both alike.

    Args:
      variants: {name: config}.
      usual: config of the usual recipe.
      steps: its steps.

    Returns:
      {name: steps}; `steps` for a variant without a GAN.
    """
    return {name: _equal(config, usual, steps) for name, config in variants.items()}


def _equal(config, usual, steps):
    if "gan" not in config.stages or config.to_json() == usual.to_json():
        return steps
    jax.clear_caches()  # the programs of twenty variants exhaust the memory mappings of a process
    steps_of = make_steps(config), make_steps(usual)
    for step in steps_of:
        step()  # compiles
    seconds = [[_timed(step) for step in steps_of] for _ in range(TURNS)]
    ours, theirs = map(min, zip(*seconds, strict=True))
    return max(100, round(steps * theirs / ours / 100) * 100)


def _timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
