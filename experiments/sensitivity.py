"""What each metric can see: real showers spoiled in known ways (`distortions.py`), judged by the evaluation.

    taskset -c 0 python -m experiments.sensitivity    # rerun to go on
    python -m experiments.sensitivity --showers=200 --clusters=20 --results=runs/x.json

A metric's response is how far it moves from its value for showers that are not spoiled, in units of its own deviation
there (a fourth of its 95 % interval), towards worse. The showers spoiled are real ones of the training split; what they
are compared with, those of the test split; and other training showers are the reference, of which copies are made.
"""
import argparse
import pathlib

import numpy as np

from ecalgen.data.ecal_shashlik import load_split
from ecalgen.evaluation.evaluate import evaluate
from ecalgen.evaluation.report.measures import PRD, measures
from ecalgen.evaluation.report.sensitivity import WHERE
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from experiments.distortions import DISTORTIONS, NONE
from experiments.variants import RESULTS, read, write

DEVIATIONS = 3.92
"""Of a normal distribution, that its 95 % interval is wide."""


def main():
    """Judge every distortion that the results do not hold yet, and write what the reports quote."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--showers", type=int, default=5_000, help="of each set")
    parser.add_argument("--clusters", type=int, help="of the PRD, for fewer showers than its 400 need")
    parser.add_argument("--source", default="ecal_shashlik/electron_5d", help="of the showers; a file wants no TFDS")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS / "sensitivity.json")
    parser.add_argument("--quoted", type=pathlib.Path, default=WHERE, help="the file that reports quote")
    args = parser.parse_args()
    host.set_up()
    real, training = (load_split(args.source, split) for split in ("test", "train"))
    real, reference, spoiled = real[:args.showers], training[:args.showers], training[args.showers:2 * args.showers]
    if not args.results.exists():
        write(args.results, {"showers": args.showers, "split": "test", "provenance": provenance(0), "rows": []})
    for name, (distort, amount) in DISTORTIONS.items():
        if all(row["distortion"] != name for row in read(args.results)["rows"]):
            generated = distort(spoiled, reference, np.random.default_rng(0), amount)
            row = {"distortion": name} | judged_as(
                evaluate(real, generated, reference, clusters=args.clusters, progress=False))
            print(name, row["seconds"], flush=True)
            known = read(args.results)
            write(args.results, known | {"rows": [*known["rows"], row]})
    result = read(args.results)
    write(args.quoted, {"showers": result["showers"], "responses": responses(result["rows"])})


def judged_as(evaluation):
    """Every headline number of an evaluation with its interval, and the seconds that it took."""
    return {"seconds": round(sum(evaluation["seconds"].values()), 1),
            "measures": [[family, name, found.value, found.interval]
                         for (family, name), found in measures(evaluation).items()]}


def responses(rows):
    """Family -> name -> distortion -> response in deviations.

    A measure whose interval for showers that are not spoiled has no width is left out.
    """
    of = lambda row: {(family, name): (value, bounds) for family, name, value, bounds in row["measures"]}
    unspoiled = of(next(row for row in rows if row["distortion"] == NONE))
    result = {}
    for (family, name), (before, bounds) in unspoiled.items():
        deviation = (bounds[1] - bounds[0]) / DEVIATIONS
        if deviation:
            sign = -1 if family == PRD else 1
            result.setdefault(family, {})[name] = {
                row["distortion"]: round(sign * (of(row)[family, name][0] - before) / deviation, 1)
                for row in rows if row["distortion"] != NONE}
    return result


if __name__ == "__main__":
    main()
