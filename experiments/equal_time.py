"""Variants of a recipe at equal time: how many steps of one take as long as so many of another."""
import time

import jax

from ecalgen.benchmark import make_steps

TURNS = 40
"""In which both are timed; the fastest of each counts."""


def equal_steps(variants, usual, steps):
    """How many GAN steps of each variant take as long as `steps` of the usual recipe, to hundreds.

    Measured once, for all seeds, and best on an otherwise idle machine; a variant and the usual recipe take turns, so
    that what else runs disturbs both alike.

    Args:
      variants: {name: config}.
      usual: the recipe.
      steps: of it.

    Returns:
      {name: steps}; of a variant without a GAN, `steps`.
    """
    found = {}
    for name, config in variants.items():
        if "gan" not in config.stages or config.to_json() == usual.to_json():
            found[name] = steps
            continue
        jax.clear_caches()  # twenty variants' programs exhaust the mappings of one process
        steps_of = make_steps(config), make_steps(usual)
        for step in steps_of:
            step()  # compiles
        seconds = [[_timed(step) for step in steps_of] for _ in range(TURNS)]
        ours, theirs = map(min, zip(*seconds, strict=True))
        found[name] = max(100, round(steps * theirs / ours / 100) * 100)
    return found


def _timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
