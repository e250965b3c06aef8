"""The ensemble of GANs on 25 x 25 x 25 cells: quality and cost of one, two and three generators.

    taskset -c 0 python -m experiments.sweeps.adagan       # half an hour on one core; a rerun continues
    python -m experiments.sweeps.adagan --preset=test --workdir=runs/x --results=runs/x.json
"""
import shutil

import jax

from configs import adagan
from ecalgen.adagan import ensemble_run as runs
from ecalgen.adagan.ensemble_sampler import load_ensemble
from ecalgen.machine import host
from experiments.command import absolute, new_parser, read, write
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
    report = runs.evaluate(config, args.workdir)
    result = read(args.workdir / "evaluation.json")
    for count, found in result["members"].items():
        found["costs"] = costs(config, args.workdir, int(count))
    write(args.results, result)
    for figure in ("profiles", "sampling_fraction"):
        shutil.copy(args.workdir / "figures" / f"{figure}.png", args.results.with_name(
            f"{args.results.stem}_{figure}.png"))
    print(f"report in {report}, figures in {args.results}")


def costs(config, workdir, count):
    """{"parameters", "bytes", "seconds", "milliseconds_per_shower": {batch: ...}} of the first `count` generators."""
    sampler, incident = load_ensemble(workdir), runs.volume_splits(config.data.source)["train"].incident_energy
    arrays = [array for member in sampler.members[:count] for array in jax.tree.leaves(member)]
    seconds = training_seconds(workdir)
    stages = [f"{kind}{number}" for number in range(count) for kind in ("member", "judge")]
    return {"parameters": sum(array.size for array in arrays), "bytes": sum(array.nbytes for array in arrays),
            "seconds": round(sum(seconds.get(stage, 0) for stage in stages), 1),
            "milliseconds_per_shower": {
                str(batch): milliseconds(lambda n: sampler(incident[:n], members=count), batch, repeats=3)
                for batch in BATCHES}}


if __name__ == "__main__":
    main()
