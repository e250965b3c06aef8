"""Judge a finished run under the `paper` protocol, and ship it: its generator goes into the package.

    python -m experiments.ship baseline runs/auxiliary/baseline-0    # some minutes on two cores
    python -m experiments.ship mine runs/mine --showers=200 --shipped=runs/x --results=runs/x.json
"""
import argparse
import json
import pathlib
import shutil

import ml_collections

from ecalgen import runs
from ecalgen.machine import host
from ecalgen.sampling.weights import SHIPPED
from ecalgen.training.loop import read_metrics
from experiments.variants import RESULTS, write


def main():
    """Evaluate, copy the generator and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="that `load_sampler` will know")
    parser.add_argument("workdir", type=pathlib.Path, help="of the run")
    parser.add_argument("--showers", type=int, default=10_000, help="that are judged")
    parser.add_argument("--shipped", type=pathlib.Path, help="folder for the generator, in the package by default")
    parser.add_argument("--results", type=pathlib.Path, help="(experiments/results/NAME.json)")
    args = parser.parse_args()
    args.shipped, args.results = args.shipped or SHIPPED / args.name, args.results or RESULTS / f"{args.name}.json"
    host.set_up()
    config = ml_collections.ConfigDict(json.loads((args.workdir / "config.json").read_text()))
    config.evaluation.showers = args.showers
    report = runs.evaluate(config, args.workdir)
    result = json.loads((args.workdir / "evaluation.json").read_text())
    monitored = [row for row in read_metrics(args.workdir / "metrics.jsonl") if "w1" in row]
    result["learning_curve"] = [{name: row[name] for name in ("stage", "step", "seconds", "w1")} for row in monitored]
    write(args.results, result | {"config": config.to_dict()})
    shutil.copytree(args.workdir / "generator", args.shipped, dirs_exist_ok=True)
    print(f"report in {report}, figures in {args.results}, generator in {args.shipped}")


if __name__ == "__main__":
    main()
