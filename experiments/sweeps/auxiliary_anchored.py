"""Does a learnt regressor help where the observables can be differentiated? Auxiliary ideas on the anchored generator.

    taskset -c 0 python -m experiments.sweeps.auxiliary_anchored        # a rerun continues
    python -m experiments.sweeps.auxiliary_anchored --preset=test --steps=100 --showers=200 --seeds=0 \\
        --workdir=runs/x --results=runs/x.json

Two questions, at equal time and three seeds. Should the discriminator compute the asymmetries, or should a regressor
predict them? What do quantities without a gradient bring (`maxima`, `brightest_nine`, `radius_90`), which need a
regressor? The latter are judged by their own Wasserstein-1 distances as well.
"""
import jax.numpy as jnp
import numpy as np

from configs import anchored, aux_multitask, aux_twostep
from ecalgen.data.observables import of_showers
from ecalgen.data.showers import reference_point
from experiments.measures import distances
from experiments.sweeps import ablation
from experiments.sweeps.engine import Sweep, changed

ASYMMETRIES = ("longitudinal_asymmetry", "transverse_asymmetry")
WITHOUT_GRADIENT = tuple(f"experiments.sweeps.auxiliary_anchored:{name}"
                         for name in ("maxima", "brightest_nine", "radius_90"))


def maxima(energy, momentum, point, grid):
    """Cells of at least 1 % of S that none of their eight neighbours exceeds: `[N]`."""
    del momentum, point
    (width, height), padded = grid.shape, jnp.pad(energy, ((0, 0), (1, 1), (1, 1)))
    around = [padded[:, i:i + width, j:j + height] for i in range(3) for j in range(3)]
    highest = jnp.max(jnp.stack(around), axis=0)
    return jnp.sum((energy == highest) & (energy >= 0.01 * energy.sum((1, 2), keepdims=True)), axis=(1, 2))


def brightest_nine(energy, momentum, point, grid):
    """Share of S in the nine brightest cells of the shower: `[N]`."""
    del momentum, point, grid
    cells = jnp.sort(energy.reshape(len(energy), -1), axis=1)
    return cells[:, -9:].sum(axis=1) / jnp.maximum(cells.sum(axis=1), 1e-9)


def radius_90(energy, momentum, point, grid):
    """Distance from the track within which 90 % of S lie, a quantile over cells: `[N]`, in cells."""
    r0 = reference_point(jnp.asarray(momentum), jnp.asarray(point), grid) / grid.unit
    r = jnp.hypot(*(centres[None] - r0[:, axis, None, None] for axis, centres in enumerate(grid.centres())))
    r = r.reshape(len(energy), -1)
    order = jnp.argsort(r, axis=1)
    inside = jnp.cumsum(jnp.take_along_axis(energy.reshape(len(energy), -1), order, axis=1), axis=1)
    first = jnp.argmax(inside >= 0.9 * inside[:, -1:], axis=1)
    return jnp.take_along_axis(jnp.take_along_axis(r, order, axis=1), first[:, None], axis=1)[:, 0]


BLIND = {"discriminator.observables": False}
VARIANTS = {
    "observables in D": (None, (), {}),
    "neither": (None, (), BLIND),
    "multi-task on asymmetries": ("multitask", ASYMMETRIES, BLIND),
    "two-step on asymmetries": ("twostep", ASYMMETRIES, BLIND),
    "observables in D and multi-task without gradient": ("multitask", WITHOUT_GRADIENT, {}),
    "observables in D and two-step without gradient": ("twostep", WITHOUT_GRADIENT, {}),
}
"""Name -> (how the regressor is trained, its targets, other changes)."""


def configured(args, how, targets, changes):
    """The anchored config with such a regressor."""
    config = changed(anchored.get_config(args.preset), changes)
    if how:
        config.regressor = {"multitask": aux_multitask, "twostep": aux_twostep}[how].get_config(args.preset).regressor
        config.regressor.update(dict(targets=targets, weights=(1.0,) * len(targets), conditional=True))
    if how == "twostep":
        config.stages = ("prior", "regressor", "gan")
        config.regressor.steps = min(config.regressor.steps, 2_000)
    return config


def columns(showers):
    """{name: values `[N, 1]`} of the quantities without a gradient."""
    return {function.__name__: np.asarray(of_showers(function, showers), float)[:, None]
            for function in (maxima, brightest_nine, radius_90)}


SWEEP = Sweep(
    __doc__, "auxiliary_anchored",
    variants=lambda args: {name: configured(args, *parts) for name, parts in VARIANTS.items()},
    judge=lambda real, other: ablation.compared(real, other) | {"w1": distances(real, other, columns)},
    usual=lambda args: anchored.get_config(args.preset), showers=5_000, steps=1_200)
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    SWEEP.main()
