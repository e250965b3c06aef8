"""What makes a GAN good: changes of `configs/baseline.py:cpu,recipe=paper`, or of the Wasserstein GAN, at equal time.

    taskset -c 0 python -m experiments.search                               # on one core; rerun to go on
    taskset -c 0 python -m experiments.search --system=wgan --steps=1200 --workdir=runs/search-wgan \\
        --results=experiments/results/search_wgan.json
    python -m experiments.search --steps=100 --showers=200 --seeds=0 --workdir=runs/x --results=runs/x.json

Judged on validation showers, so that the test showers stay unseen by what is chosen.
"""
import functools

from configs import baseline, wgan
from ecalgen import runs
from ecalgen.data.showers import Showers
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import load_sampler
from experiments.auxiliary import distances
from experiments.equal_time import equal_steps
from experiments.judging import judged, real_showers, reference
from experiments.variants import make_parser, read, run_all, write

JUDGES = ("observables", "images")
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
"""Name -> what it changes of `configs/baseline.py:cpu,recipe=paper` with the `USUAL` rates."""
WASSERSTEIN = {
    "plain": {},
    "cells of order one": {"data.transform.gain": 0.05},
    "projection": PROJECTION,
    "projection, octant": PROJECTION | OCTANT,
    "the same, double rates": PROJECTION | OCTANT | DOUBLE,
    "the same, five steps of the critic": PROJECTION | OCTANT | {"train.discriminator_steps": 5},
    "the same, steering 10": PROJECTION | OCTANT | {"regressor.steering": 10.0},
}
"""Name -> what it changes of `configs/wgan.py:cpu` without projection and octant."""
SYSTEMS = {
    "baseline": (lambda: baseline.get_config("cpu,recipe=paper"), USUAL, PLAIN),
    "wgan": (lambda: wgan.get_config("cpu"), {
        "discriminator.conditioning": "concatenation", "generator.octant": False, "discriminator.octant": False},
        WASSERSTEIN),
}
"""Name -> its config, what is changed of it in every variant, and the variants."""


def main():
    """Train and judge every variant that the results do not hold yet."""
    parser = make_parser(__doc__, "search", showers=4_000, split="validation")
    parser.set_defaults(seeds=[0])
    parser.add_argument("--system", choices=tuple(SYSTEMS), default="baseline")
    parser.add_argument("--steps", type=int, default=2_500, help="of the usual recipe")
    args = parser.parse_args()
    host.set_up()
    real = functools.partial(real_showers, args.source, args.split, args.showers)

    all_changes = SYSTEMS[args.system][2]
    usual = changed(args, {})
    variants = {name: changed(args, changes) for name, changes in all_changes.items()}

    def head():
        other = reference(real())
        return {"steps": equal_steps(variants, usual, args.steps),
                "provenance": provenance(args.seeds[0]),
                "real_against_real": judged(real(), other, JUDGES) | {"w1": distances(real(), other)}}

    def run(name, seed, result):
        config = variants[name]
        config.seed, config.train.steps = seed, result["steps"][name]
        workdir = args.workdir / f"{name.replace(' ', '-')}-{seed}"
        runs.prepare(config, workdir)
        runs.train(config, workdir)
        showers = real()
        generated = load_sampler(workdir)(showers.momentum, showers.point, seed=seed)
        generated = Showers(generated, showers.momentum, showers.point)
        return ({"steps": config.train.steps, "changes": all_changes[name], "w1": distances(showers, generated)}
                | judged(showers, generated, JUDGES))

    if args.results.exists():  # by a search that had fewer variants
        result = read(args.results)
        missing = {name: config for name, config in variants.items() if name not in result["steps"]}
        steps = equal_steps(missing, usual, args.steps) if missing else {}
        write(args.results, result | {"steps": result["steps"] | steps})
    run_all(args, variants, head, run)


def changed(args, changes):
    """The recipe of the system with these changes, on the source of showers that was asked for."""
    recipe, usual, _ = SYSTEMS[args.system]
    config = recipe()
    config.update_from_flattened_dict(usual | changes | {"data.source": args.source})
    return config


if __name__ == "__main__":
    main()
