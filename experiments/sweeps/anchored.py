r"""Train the anchored generator long, with its learning curve, judge it under the `paper` protocol, and ship it.

    python -m experiments.sweeps.anchored                 # an hour on one core; a rerun continues
    python -m experiments.sweeps.anchored --size=light    # the smaller one, for speed
    python -m experiments.sweeps.anchored --preset=test --steps=20 --showers=200 --curve=200 --workdir=runs/x \
        --shipped=runs/x --results=runs/x.json
"""
import dataclasses
import pathlib

from configs import anchored
from ecalgen import runs
from ecalgen.data.ecal_shashlik import load_split
from ecalgen.machine import host
from ecalgen.machine.lock import alone
from ecalgen.sampling.sampler import export_generator, load_sampler
from ecalgen.training.loop import run_stage, trained_state
from ecalgen.training.material import begin_training
from ecalgen.training.metrics_log import read_metrics
from experiments import judge
from experiments.command import absolute, add_showers, new_parser
from experiments.measures import CLUSTERS, judged, make_showers, milliseconds, prd, reference
from experiments.sweeps.engine import PRESETS, changed, options

ROWS = ("stage", "step", "seconds", "w1", "auc", "physics_prd")
"""Columns of the learning curve."""
RUNS = 3
"""Clusterings of each PRD of the learning curve."""


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__)
    add_showers(parser)
    parser.add_argument("--size", choices=anchored.SIZES, default="usual", help="size of the generator")
    parser.add_argument("--preset", default="cpu", choices=PRESETS, help="preset of the config; empty: full recipe")
    parser.add_argument("--steps", type=int, default=24_000, help="steps of the GAN (24,000)")
    parser.add_argument("--curve", type=int, default=2_000, help="validation showers of the learning curve (2,000)")
    parser.add_argument("--workdir", type=pathlib.Path, help="folder of the run (runs/anchored, runs/anchored_light)")
    parser.add_argument("--shipped", type=pathlib.Path, help="folder for the generator (its folder in the package)")
    parser.add_argument("--results", type=absolute, help="(experiments/results/anchored.json, ..._light.json)")
    return parser


def main():
    """Train, evaluate, copy the generator into the package and the figures into `results/`."""
    args = make_parser().parse_args()
    name = "anchored" if args.size == "usual" else f"anchored_{args.size}"
    args.workdir = args.workdir or pathlib.Path("runs") / name
    host.set_up()
    config = changed(anchored.get_config(options(args.preset, f"size={args.size}")),
                     {"train.steps": args.steps, "evaluation.showers": args.showers, "data.source": args.source})
    runs.prepare(config, args.workdir)
    validation = load_split(config.data.source, "validation")[:args.curve]
    train(config, args.workdir, validation)
    judge.ship_run(args, name, config, {"learning_curve": learning_curve(args.workdir, validation),
                                        "milliseconds_per_shower": sampling_time(args.workdir, validation)})


@alone
def train(config, workdir, validation):
    """Train as `runs.train`; each checkpoint is judged by the classifier AUC and the physics PRD-AUC as well."""
    material = begin_training(config, workdir)
    states = {}
    for stage in material.stages:
        judging = dataclasses.replace(stage, monitor=monitor(stage, config, material.domain, validation))
        states[stage.name] = run_stage(judging, material.data, config.train, config.seed, workdir, before=dict(states))
    state = trained_state(stage, states[stage.name], workdir)
    export_generator(workdir / "generator", state, config, material.showers, material.domain)


def monitor(stage, config, domain, validation):
    """The monitor of a stage, with the classifier AUC and the physics PRD-AUC of the validation showers."""
    fields = config.generator.to_dict() | {"correction": stage.name == "gan"}

    def measure(state):
        made = make_showers(fields, domain, config.data.transform, state.sampled, validation)
        measured = judged(validation, made, ("observables",), RUNS)
        return stage.monitor(state) | {"auc": measured["auc"]["observables"],
                                       "physics_prd": measured["physics_prd"]["auc"]}

    return measure


def learning_curve(workdir, validation):
    """The measurements at each checkpoint, with their settings and the ceiling of the PRD-AUC."""
    monitored = [row for row in read_metrics(workdir / "metrics.jsonl") if "auc" in row]
    return {"showers": len(validation), "clusters": CLUSTERS, "runs": RUNS,
            "physics_prd_ceiling": prd(validation, reference(validation), "physics", RUNS)["auc"],
            "rows": [{name: row[name] for name in ROWS} for row in monitored]}


def sampling_time(workdir, showers, batch=1_000):
    """Milliseconds for each shower of a batch at these particles."""
    sampler, showers = load_sampler(workdir), showers[:batch]
    return {"batch": len(showers),
            "best": milliseconds(lambda count: sampler(showers.momentum[:count], showers.point[:count]), batch, 5)}


if __name__ == "__main__":
    main()
