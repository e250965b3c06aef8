"""What makes the plain GAN good: changes of `configs/baseline.py:cpu,recipe=paper`, at equal time on one core.

    taskset -c 0 python -m experiments.search              # rerun to go on
    python -m experiments.search --steps=100 --showers=200 --seeds=0 --workdir=runs/x --results=runs/x.json

Judged on validation showers, so that the test showers stay unseen by what is chosen.
"""
import functools

from configs import baseline
from ecalgen import host, runs
from ecalgen.data.showers import Showers
from ecalgen.provenance import provenance
from ecalgen.sampler import load_sampler
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
GAIN = {"discriminator.gain": 10.0}
LOW_GAIN = {"discriminator.gain": 2.0}
SQUARES = {"discriminator.squares": True}
R1 = {"train.r1": 0.02, "train.r1_every": 8}
WEAK_R1 = {"train.r1": 0.004, "train.r1_every": 8}
PROJECTION = {"discriminator.conditioning": "projection"}
FOUND = PROJECTION | OCTANT | NOISE | ROOT
VARIANTS = {
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
"""Name -> what it changes."""


def main():
    """Train and judge every variant that the results do not hold yet."""
    parser = make_parser(__doc__, "search", showers=4_000)
    parser.set_defaults(seeds=[0])
    parser.add_argument("--steps", type=int, default=2_500, help="of the usual recipe")
    args = parser.parse_args()
    host.set_up()
    real = functools.partial(real_showers, args.source, "validation", args.showers)

    variants = {name: changed(changes, args.source) for name, changes in VARIANTS.items()}

    def head():
        other = reference(real())
        return {"steps": equal_steps(variants, changed({}, args.source), args.steps),
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
        return ({"steps": config.train.steps, "changes": VARIANTS[name], "w1": distances(showers, generated)}
                | judged(showers, generated, JUDGES))

    if args.results.exists():  # by a search that had fewer variants
        result = read(args.results)
        missing = {name: config for name, config in variants.items() if name not in result["steps"]}
        steps = equal_steps(missing, changed({}, args.source), args.steps) if missing else {}
        write(args.results, result | {"steps": result["steps"] | steps})
    run_all(args, VARIANTS, head, run)


def changed(changes, source):
    """The recipe with these changes, on that source of showers."""
    config = baseline.get_config("cpu,recipe=paper")
    config.update_from_flattened_dict(USUAL | changes | {"data.source": source})
    return config


if __name__ == "__main__":
    main()
