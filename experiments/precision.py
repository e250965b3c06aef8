"""What bfloat16 products cost in fidelity: shipped generators at both precisions against Geant4.

    taskset -c 0 python -m experiments.precision       # 20 minutes on one core
    python -m experiments.precision --only=baseline --showers=200 --results=runs/x.json

Rounding is the same on every machine: a CPU says what an accelerator's showers are like, though not how fast they are.
"""
import argparse
import pathlib

from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.showers import Showers
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import PRECISIONS, load_sampler
from ecalgen.sampling.weights import shipped_models
from experiments.auxiliary import distances
from experiments.judging import judged, reference
from experiments.variants import RESULTS, write

JUDGES = ("observables", "cells", "images")


def main():
    """Judge every shipped generator at every precision."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="MODEL", help="again for another; all by default")
    parser.add_argument("--showers", type=int, default=10_000)
    parser.add_argument("--source", default="ecal_shashlik/electron_5d", help="of the showers; a file wants no TFDS")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS / "precision.json")
    args = parser.parse_args()
    host.set_up()
    real = load_split(args.source, "test")[:args.showers]
    compared = lambda other: judged(real, other, JUDGES) | {"w1": distances(real, other)}
    rows = []
    for name in host.progress(args.only or shipped_models("generator"), desc="models", unit="model"):
        for precision in PRECISIONS:
            energy = load_sampler(name, precision)(real.momentum, real.point, seed=0)
            rows.append({"model": name, "precision": precision} | compared(Showers(energy, real.momentum, real.point)))
    write(args.results, {"showers": len(real), "split": "test", "provenance": provenance(0),
                         "real_against_real": compared(reference(real)), "rows": rows})


if __name__ == "__main__":
    main()
