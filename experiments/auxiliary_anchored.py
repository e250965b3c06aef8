"""Does a learnt regressor help where the observables can be differentiated? Auxiliary ideas on the anchored generator.

    taskset -c 0 python -m experiments.auxiliary_anchored        # rerun to go on
    python -m experiments.auxiliary_anchored --steps=100 --showers=200 --seeds=0 --workdir=runs/x --results=runs/x.json

Two questions, at equal time and three seeds: the asymmetries, computed in the discriminator or read off by a regressor;
and quantities without a gradient (`maxima`, `brightest_nine`, `radius_90`), which only a regressor can bring in. The
latter are judged by their own Wasserstein-1 distances as well.
"""
import functools

import jax.numpy as jnp
import numpy as np

from configs import anchored, aux_multitask, aux_twostep
from ecalgen.data.observables import POSITIONS, of_showers
from ecalgen.data.showers import PITCH, reference_point
from ecalgen.evaluation.metrics.distances import wasserstein_distance
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from experiments.anchored_ablation import JUDGES, run_variant
from experiments.equal_time import equal_steps
from experiments.judging import judged, real_showers, reference
from experiments.variants import make_parser, run_all

ASYMMETRIES = ("longitudinal_asymmetry", "transverse_asymmetry")
WITHOUT_GRADIENT = tuple(f"experiments.auxiliary_anchored:{name}" for name in ("maxima", "brightest_nine", "radius_90"))


def maxima(energy, momentum, point):
    """Cells of at least 1 % of S that none of their eight neighbours exceeds: `[N]`."""
    del momentum, point
    padded = jnp.pad(energy, ((0, 0), (1, 1), (1, 1)))
    highest = jnp.max(jnp.stack([padded[:, i:i + 30, j:j + 30] for i in range(3) for j in range(3)]), axis=0)
    return jnp.sum((energy == highest) & (energy >= 0.01 * energy.sum((1, 2), keepdims=True)), axis=(1, 2))


def brightest_nine(energy, momentum, point):
    """Share of S in the nine brightest cells, wherever they are: `[N]`."""
    del momentum, point
    cells = jnp.sort(energy.reshape(len(energy), -1), axis=1)
    return cells[:, -9:].sum(axis=1) / jnp.maximum(cells.sum(axis=1), 1e-9)


def radius_90(energy, momentum, point):
    """Distance from the track within which 90 % of S lie, a quantile over cells: `[N]`, in cells."""
    r0 = reference_point(jnp.asarray(momentum), jnp.asarray(point)) / PITCH
    r = jnp.hypot(POSITIONS[None, :, None] - r0[:, 0, None, None], POSITIONS[None, None] - r0[:, 1, None, None])
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
"""Name -> (how a regressor is trained, its targets, other changes)."""


def changed(source, how, targets, changes):
    """The anchored config with such a regressor, on that source of showers."""
    config = anchored.get_config("cpu")
    config.update_from_flattened_dict(changes | {"data.source": source})
    if how:
        source = (aux_multitask if how == "multitask" else aux_twostep).get_config("cpu")
        config.regressor = source.regressor
        config.regressor.update(dict(targets=targets, weights=(1.0,) * len(targets), conditional=True))
        config.stages = ("prior", *(("regressor",) if how == "twostep" else ()), "gan")
        if how == "twostep":
            config.regressor.steps = 2_000
    return config


def main():
    """Train and judge every variant that the results do not hold yet."""
    parser = make_parser(__doc__, "auxiliary_anchored", showers=5_000)
    parser.add_argument("--steps", type=int, default=1_200, help="of the usual GAN, after the other stages")
    args = parser.parse_args()
    host.set_up()
    real = functools.partial(real_showers, args.source, args.split, args.showers)
    variants = {name: changed(args.source, *parts) for name, parts in VARIANTS.items()}
    usual = anchored.get_config("cpu")
    usual.data.source = args.source

    def head():
        other = reference(real())
        return {"gan_steps": equal_steps(variants, usual, args.steps), "provenance": provenance(args.seeds[0]),
                "real_against_real": judged(real(), other, JUDGES) | {"w1": distances(real(), other)}}

    def run(name, seed, result):
        row, generated = run_variant(name, variants[name], seed, args, real(), result["gan_steps"][name])
        return row | {"w1": distances(real(), generated)}

    run_all(args, VARIANTS, head, run)


def distances(real, generated):
    """Wasserstein-1 of the quantities without a gradient, in deviations of the real ones."""
    result = {}
    for function in (maxima, brightest_nine, radius_90):
        theirs, ours = (np.asarray(of_showers(function, showers), float)[:, None] for showers in (real, generated))
        result[function.__name__] = round(wasserstein_distance(theirs, ours), 4)
    return result


if __name__ == "__main__":
    main()
