r"""Train the anchored generator long, with its learning curve, judge it under the `paper` protocol, and ship it.

    python -m experiments.anchored                 # an hour on one core; rerun to resume
    python -m experiments.anchored --size=light    # the smaller one, for speed
    python -m experiments.anchored --steps=20 --showers=200 --curve=200 --workdir=runs/x --shipped=runs/x \
        --results=runs/x.json
"""
import argparse
import dataclasses
import json
import pathlib
import shutil
import time

from configs import anchored
from ecalgen import runs
from ecalgen.data.ecal_shashlik import load_split
from ecalgen.machine import host
from ecalgen.machine.lock import alone
from ecalgen.sampling.sampler import export_generator, load_sampler
from ecalgen.sampling.weights import SHIPPED
from ecalgen.training.loop import run_stage, trained_state
from ecalgen.training.material import load_material
from ecalgen.training.metrics_log import read_metrics
from experiments.judging import judged, make_showers, physics_prd, reference

RESULTS = pathlib.Path(__file__).parent / "results"
STEPS = 24_000


def main():
    """Train, evaluate, copy the generator into the package and the figures into `results/`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=anchored.SIZES, default="usual", help="of the generator")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--showers", type=int, default=10_000, help="that are judged in the end")
    parser.add_argument("--curve", type=int, default=2_000, help="validation showers of the learning curve")
    parser.add_argument("--workdir", type=pathlib.Path, help="(runs/anchored, runs/anchored_light)")
    parser.add_argument("--shipped", type=pathlib.Path, help="folder for the generator, in the package by default")
    parser.add_argument("--results", type=pathlib.Path, help="(experiments/results/anchored.json, ..._light.json)")
    args = parser.parse_args()
    name = "anchored" if args.size == "usual" else f"anchored_{args.size}"
    args.workdir = args.workdir or pathlib.Path("runs") / name
    args.shipped, args.results = args.shipped or SHIPPED / name, args.results or RESULTS / f"{name}.json"
    host.set_up()
    config = anchored.get_config(f"cpu,size={args.size}")
    config.update_from_flattened_dict({"train.steps": args.steps, "evaluation.showers": args.showers})
    runs.prepare(config, args.workdir)
    validation = load_split(config.data.source, "validation")[:args.curve]
    train(config, args.workdir, validation)
    report = runs.evaluate(config, args.workdir)
    result = json.loads((args.workdir / "evaluation.json").read_text())
    monitored = [row for row in read_metrics(args.workdir / "metrics.jsonl") if "auc" in row]
    result["learning_curve"] = {
        "showers": len(validation), "clusters": 400, "runs": 3,
        "physics_prd_ceiling": physics_prd(validation, reference(validation), 3)["auc"],
        "rows": [{name: row[name] for name in ("stage", "step", "seconds", "w1", "auc", "physics_prd")}
                 for row in monitored]}
    result["milliseconds_per_shower"] = sampling_time(args.workdir)
    result["config"] = config.to_dict()
    args.results.parent.mkdir(parents=True, exist_ok=True)
    args.results.write_text(json.dumps(result, indent=1) + "\n")
    shutil.copytree(args.workdir / "generator", args.shipped, dirs_exist_ok=True)
    print(f"report in {report}, figures in {args.results}, generator in {args.shipped}")


@alone
def train(config, workdir, validation):
    """As `runs.train`, with the classifier AUC and the physics PRD-AUC of the validation showers at each checkpoint."""
    material = load_material(config)
    states = {}
    for stage in material.stages:
        fields = config.generator.to_dict() | {"correction": stage.name == "gan"}

        def monitor(state, stage=stage, fields=fields):
            generated = make_showers(fields, config.data.transform, state.sampled, validation)
            measured = judged(validation, generated, ("observables",), runs=3)
            return stage.monitor(state) | {"auc": measured["auc"]["observables"],
                                           "physics_prd": measured["physics_prd"]["auc"]}

        states[stage.name] = run_stage(dataclasses.replace(stage, monitor=monitor), material.data, config.train,
                                       config.seed, workdir, before=dict(states))
    export_generator(workdir / "generator", trained_state(stage, states[stage.name], workdir), config, material.showers)


def sampling_time(workdir, batch=1_000, repeats=5):
    """Milliseconds a shower at that batch, the best of some calls, with the program compiled."""
    sampler, real = load_sampler(workdir), load_split("ecal_shashlik/electron_5d", "test")[:batch]
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        sampler(real.momentum, real.point)
        seconds.append(time.perf_counter() - start)
    return {"batch": batch, "best": 1000 * min(seconds[1:]) / len(real)}


if __name__ == "__main__":
    main()
