"""Train the baseline longer than its `cpu` preset, judge it under the `paper` protocol, and ship it.

    python -m experiments.baseline            # about 20 minutes on two cores; rerun to resume
    python -m experiments.baseline --steps=20 --showers=200 --workdir=runs/x --shipped=runs/x --results=runs/x.json
"""
import argparse
import json
import pathlib
import shutil

from configs import baseline
from ecalgen import host, runs
from ecalgen.training.loop import read_metrics
from ecalgen.weights import SHIPPED

RESULTS = pathlib.Path(__file__).parent / "results"
STEPS = 12_000


def main():
    """Train, evaluate, copy the generator into the package and the figures into `results/`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--showers", type=int, default=10_000)
    parser.add_argument("--workdir", type=pathlib.Path, default=pathlib.Path("runs/baseline"))
    parser.add_argument("--shipped", type=pathlib.Path, default=SHIPPED / "baseline")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS / "baseline.json")
    args = parser.parse_args()
    host.set_up()
    config = baseline.get_config("cpu")
    config.update_from_flattened_dict(
        {"train.steps": args.steps, "train.ema": 0.999, "evaluation.showers": args.showers})
    runs.prepare(config, args.workdir)
    runs.train(config, args.workdir)
    report = runs.evaluate(config, args.workdir)
    result = json.loads((args.workdir / "evaluation.json").read_text())
    monitored = [row for row in read_metrics(args.workdir / "metrics.jsonl") if "w1" in row]
    result["learning_curve"] = [{name: row[name] for name in ("step", "seconds", "w1")} for row in monitored]
    result["config"] = config.to_dict()
    args.results.parent.mkdir(parents=True, exist_ok=True)
    args.results.write_text(json.dumps(result, indent=1) + "\n")
    shutil.copytree(args.workdir / "generator", args.shipped, dirs_exist_ok=True)
    print(f"report in {report}, figures in {args.results}, generator in {args.shipped}")


if __name__ == "__main__":
    main()
