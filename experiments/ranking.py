"""Everything at hand that makes showers, judged alike, from real showers to a generator that is bad on purpose.

    taskset -c 0 python -m experiments.ranking    # rerun to go on; it ends with the page that compares them
    python -m experiments.ranking --run=runs/library              # with that of a run, too
    python -m experiments.ranking --showers=200 --clusters=20 --workdir=runs/x --results=runs/x.json

The bad one takes every cell from another shower of nearly the same energy: it knows what each cell does, and nothing of
what they do together.
"""
import argparse
import json
import pathlib

import numpy as np

from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.showers import Showers
from ecalgen.evaluation.evaluate import evaluate, write_evaluation
from ecalgen.evaluation.report.compare import write_comparison
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import load_sampler
from ecalgen.sampling.weights import shipped_models
from ecalgen.simulation.gflash import Gflash
from experiments.distortions import uncorrelated
from experiments.sensitivity import judged_as
from experiments.variants import RESULTS, write


def generators(real, others, runs):
    """Name -> () -> showers at the conditions of `real`; those of Geant4 and the bad one are made of `others`."""
    given = lambda energy: Showers(energy, real.momentum, real.point)
    sources = {name: name for name in shipped_models("generator")} | {run.name: run for run in runs}
    made = {name: lambda source=source: given(load_sampler(source)(real.momentum, real.point))
            for name, source in sources.items()}
    return {"geant4": lambda: others} | made | {
        "gflash": lambda: given(Gflash()(real.momentum, real.point, seed=0)),
        "cells of other showers": lambda: uncorrelated(others, None, np.random.default_rng(0), 1)}


def main():
    """Judge those that the workdir does not hold yet, and set all of them side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--showers", type=int, default=5_000, help="of each set")
    parser.add_argument("--clusters", type=int, help="of the PRD, for fewer showers than its 400 need")
    parser.add_argument("--run", type=pathlib.Path, action="append", default=[], help="a trained run to judge as well")
    parser.add_argument("--source", default="ecal_shashlik/electron_5d", help="of the showers; a file wants no TFDS")
    parser.add_argument("--workdir", type=pathlib.Path, default=pathlib.Path("runs/ranking"))
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS / "ranking.json")
    args = parser.parse_args()
    host.set_up()
    real, training = (load_split(args.source, split) for split in ("test", "train"))
    real, reference, others = real[:args.showers], training[:args.showers], training[args.showers:2 * args.showers]
    folders = {}
    for name, make in generators(real, others, args.run).items():
        folders[name] = args.workdir / name.replace(" ", "-")
        path = folders[name] / "evaluation.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_evaluation(path, evaluate(real, make(), reference, clusters=args.clusters, progress=False))
            print(name, flush=True)
    page, verdict = write_comparison(list(folders.values()), args.workdir)
    write(args.results, {"showers": args.showers, "split": "test", "provenance": provenance(0), "verdict": verdict,
                         "systems": {name: judged_as(json.loads((folder / "evaluation.json").read_text()))
                                     for name, folder in folders.items()}})
    print(page)


if __name__ == "__main__":
    main()
