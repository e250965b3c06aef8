"""The ensemble of GANs on the layered calorimeter: quality and cost of its first one, two and three generators.

    taskset -c 0 python -m experiments.sweeps.adagan       # half an hour on one core; a rerun continues
    python -m experiments.sweeps.adagan --preset=test --workdir=runs/x --results=runs/x.json
"""
import shutil

import jax

from configs import adagan
from ecalgen import runs
from ecalgen.data.transforms import make_transform
from ecalgen.evaluation.evaluate import evaluate
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.models.build import build_ensemble
from ecalgen.models.ensemble import name_of
from ecalgen.sampling.sampler import Sampler, load_sampler, make_sampler
from ecalgen.training.recipe import source_of
from experiments.command import absolute, new_parser, write
from experiments.measures import milliseconds, training_seconds
from experiments.sweeps.engine import PRESETS

BATCHES = (1, 1_000)


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "adagan")
    parser.add_argument("--preset", default="cpu", choices=PRESETS, help="of configs/adagan.py; empty: full recipe")
    parser.add_argument("--steps", type=int, help="steps of each GAN (those of the config)")
    parser.add_argument("--workdir", type=absolute, default="runs/adagan", help="folder of the run")
    return parser


def main():
    """Train, judge and time every ensemble, and copy figures and numbers into `results/`."""
    args = make_parser().parse_args()
    host.set_up()
    config = adagan.get_config(args.preset)
    config.train.steps = args.steps or config.train.steps
    runs.prepare(config, args.workdir)
    runs.train(config, args.workdir)
    report = runs.evaluate(config, args.workdir)  # of all generators, with the figures
    whole, source = load_sampler(args.workdir), source_of(config)
    training, real = source.load("train"), source.load("test", config.evaluation.showers)
    members = {}
    for count in range(1, config.ensemble.members + 1):
        sampler = first_members(whole, count)
        generated = runs.generated_like(real, sampler, config.seed, args.workdir)
        members[str(count)] = evaluate(real, generated, training, config.evaluation.protocol, config.seed,
                                       bootstrap=config.evaluation.bootstrap)
        members[str(count)]["costs"] = costs(sampler, training, args.workdir, count)
    write(args.results, {
        "members": members, "training": {"system": config.system, "preset": config.preset, "steps": config.train.steps,
                                         "batch_size": config.train.batch_size},
        "split": "test", "provenance": provenance(config.seed)})
    for figure in ("depth_profile", "response"):
        shutil.copy(args.workdir / "figures" / f"{figure}.png", args.results.with_name(
            f"{args.results.stem}_{figure}.png"))
    print(f"report in {report}, figures in {args.results}")


def first_members(sampler, count):
    """The sampler of the first `count` generators of an ensemble."""
    card = sampler.card | {"members": count}
    params = {name_of(number): sampler.variables["params"][name_of(number)] for number in range(count)}
    generator = build_ensemble(card["generator"], count, sampler.domain)
    sample = make_sampler(generator, make_transform(**card["data"]["transform"]), card["trained_on"], sampler.grid)
    return Sampler(sample, {"params": params}, card)


def costs(sampler, showers, workdir, count):
    """{"parameters", "bytes", "seconds", "milliseconds_per_shower": {batch: ...}} of the first `count` generators."""
    arrays, seconds = jax.tree.leaves(sampler.variables), training_seconds(workdir)
    stages = [f"{kind}{number}" for number in range(count) for kind in ("member", "judge")]
    return {"parameters": sum(array.size for array in arrays), "bytes": sum(array.nbytes for array in arrays),
            "seconds": round(sum(seconds.get(stage, 0) for stage in stages), 1),
            "milliseconds_per_shower": {
                str(batch): milliseconds(lambda n: sampler(showers.momentum[:n], showers.point[:n]), batch, repeats=3)
                for batch in BATCHES}}


if __name__ == "__main__":
    main()
