"""What makes a GAN good: changes of `configs/baseline.py:cpu,recipe=paper`, or of the Wasserstein GAN, at equal time.

    taskset -c 0 python -m experiments.sweeps.search        # on one core; a rerun continues
    taskset -c 0 python -m experiments.sweeps.search --system=wgan --steps=1200 --workdir=runs/search-wgan \\
        --results=experiments/results/search_wgan.json
    python -m experiments.sweeps.search --preset=test --steps=100 --showers=200 --workdir=runs/x --results=runs/x.json

The showers of `validation` judge the variants, so that the choice does not use the test showers.
"""
from configs import baseline, wgan
from experiments.measures import distances, judged
from experiments.sweeps.engine import Sweep, changed, options

CLASSIFIERS = ("observables", "images")
ANNEAL = {"train.constant_fraction": 0.25, "train.final_fraction": 0.01}
OCTANT = {"generator.octant": True, "discriminator.octant": True}
NOISE = {"generator.cell_noise": 2}
ROOT = {"generator.unit": "root", "discriminator.unit": "root"}
USUAL = {"train.generator_rate": 1e-3, "train.discriminator_rate": 2e-3}
HALF = {name: rate / 2 for name, rate in USUAL.items()}
DOUBLE = {"train.generator_rate": 1e-3, "train.discriminator_rate": 1e-3}
GAIN = {"discriminator.gain": 10.0}
LOW_GAIN = {"discriminator.gain": 2.0}
SQUARES = {"discriminator.squares": True}
R1 = {"train.r1": 0.02, "train.r1_every": 8}
WEAK_R1 = {"train.r1": 0.004, "train.r1_every": 8}
PROJECTION = {"discriminator.conditioning": "projection"}
FOUND = PROJECTION | OCTANT | NOISE | ROOT
PLAIN = {
    "paper": {},
    "anneal": ANNEAL,
    "octant": OCTANT,
    "cell noise": NOISE,
    "unit of the root": ROOT,
    "octant, noise, root": OCTANT | NOISE | ROOT,
    "octant, noise, root, anneal": OCTANT | NOISE | ROOT | ANNEAL,
    "energy fractions": {"generator.unit": "energy", "discriminator.unit": "energy", "data.transform.name": "none"},
    "no norm in G": {"generator.spectral_norm": False},
    "no attention": {"generator.attention": 0, "discriminator.attention": 0},
    "projection": PROJECTION,
    "projection, gain 10": PROJECTION | GAIN,
    "projection, octant": PROJECTION | OCTANT,
    "projection, octant, noise, root": FOUND,
    "the same, anneal": FOUND | ANNEAL,
    "the same, gain 10": FOUND | GAIN,
    "the same, EMA 0.999": FOUND | {"train.ema": 0.999},
    "the same, half rates": FOUND | HALF,
    "the same, half rates, gain 10": FOUND | HALF | GAIN,
    "the same, half rates, gain 10, anneal": FOUND | HALF | GAIN | ANNEAL,
    "the same, half rates, gain 2": FOUND | HALF | LOW_GAIN,
    "the same, half rates, gain 2, squares": FOUND | HALF | LOW_GAIN | SQUARES,
    "the same, half rates, gain 2, R1 every eighth step": FOUND | HALF | LOW_GAIN | R1,
    "the same, half rates, gain 2, squares, R1 every eighth step": FOUND | HALF | LOW_GAIN | SQUARES | R1,
    "the same, half rates, gain 2, squares, weak R1 every eighth step": FOUND | HALF | LOW_GAIN | SQUARES | WEAK_R1,
    "the same, half rates, no gain, squares, weak R1 every eighth step": (
        FOUND | HALF | SQUARES | WEAK_R1 | {"discriminator.gain": 1.0}),
    "the same, half rates, squares, weak R1 every eighth step": FOUND | HALF | SQUARES | WEAK_R1,
    "gain 10": GAIN,
    "half rates": HALF,
    "EMA 0.999": {"train.ema": 0.999},
    "batch of 64": {"train.batch_size": 64},
    "half width": {"generator.widths": (32, 32, 16, 8), "discriminator.widths": (16, 32, 64)},
    "double width": {"generator.widths": (128, 128, 64, 32), "discriminator.widths": (64, 128, 256)},
    "attention at 16": {"generator.attention": 16, "discriminator.attention": 16},
    "two steps of D": {"train.discriminator_steps": 2},
    "R1": {"train.r1": 1.0},
    "log1p": {"data.transform.name": "log1p", "data.transform.scale": 1.0},
}
"""Name -> its changes of `configs/baseline.py:cpu,recipe=paper` with the `USUAL` rates."""
WASSERSTEIN = {
    "plain": {},
    "cells of order one": {"data.transform.gain": 0.05},
    "projection": PROJECTION,
    "projection, octant": PROJECTION | OCTANT,
    "the same, double rates": PROJECTION | OCTANT | DOUBLE,
    "the same, five steps of the critic": PROJECTION | OCTANT | {"train.discriminator_steps": 5},
    "the same, steering 10": PROJECTION | OCTANT | {"regressor.steering": 10.0},
}
"""Name -> its changes of `configs/wgan.py:cpu` without projection and octant."""
SYSTEMS = {
    "baseline": (baseline, "recipe=paper", USUAL, PLAIN),
    "wgan": (wgan, "", {"discriminator.conditioning": "concatenation", "generator.octant": False,
                        "discriminator.octant": False}, WASSERSTEIN),
}
"""Name -> (module of its config, options, changes in every variant, the variants)."""


def variants(args):
    """The config of each variant of the system."""
    return {name: configured(args, changes) for name, changes in SYSTEMS[args.system][-1].items()}


def configured(args, changes):
    """The config of the system with these changes."""
    module, chosen, usual, _ = SYSTEMS[args.system]
    return changed(module.get_config(options(args.preset, chosen)), usual | changes)


SWEEP = Sweep(
    __doc__, "search", variants, usual=lambda args: configured(args, {}),
    judge=lambda real, other: judged(real, other, CLASSIFIERS) | {"w1": distances(real, other)},
    flags={"--system": dict(choices=tuple(SYSTEMS), default="baseline", help="system that is changed (baseline)")},
    showers=4_000, split="validation", seeds=(0,), steps=2_500)
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    SWEEP.main()
