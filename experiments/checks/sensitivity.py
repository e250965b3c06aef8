"""How sensitive each metric is: real showers spoiled in known ways (`distortions.py`), judged by the evaluation.

    taskset -c 0 python -m experiments.checks.sensitivity    # a rerun continues, and adds the numbers of new metrics
    python -m experiments.checks.sensitivity --showers=200 --clusters=20 --results=runs/x.json

A metric's response is its change towards worse from the value for showers that are not spoiled. The unit is its own
standard deviation there, a fourth of its 95 % interval. The spoiled showers are real ones of the training split. They
are compared with those of the test split. Other training showers are the reference, and the source of copies.
"""

import numpy as np

from ecalgen.data.ecal_shashlik import load_split
from ecalgen.evaluation.evaluate import evaluate
from ecalgen.evaluation.metrics.registry import families, metrics
from ecalgen.evaluation.report.measures import measures
from ecalgen.evaluation.report.sensitivity import WHERE
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from experiments.checks.distortions import DISTORTIONS, NONE
from experiments.command import absolute, add_clusters, add_showers, new_parser, read, write

DEVIATIONS = 3.92
"""Width of the 95 % interval of a normal distribution, in standard deviations."""


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "sensitivity")
    add_showers(parser, 5_000)
    add_clusters(parser)
    parser.add_argument("--quoted", type=absolute, default=WHERE, help="file for the responses that reports quote")
    return parser


def main():
    """Judge every distortion that the results do not hold yet, and write the responses that reports quote."""
    args = make_parser().parse_args()
    host.set_up()
    real, training = (load_split(args.source, split) for split in ("test", "train"))
    real, reference, spoiled = real[:args.showers], training[:args.showers], training[args.showers:2 * args.showers]
    if not args.results.exists():
        write(args.results, {"showers": args.showers, "split": "test", "provenance": provenance(0), "rows": []})
    for name, (distort, amount) in DISTORTIONS.items():
        known = read(args.results)
        rows = {row["distortion"]: row for row in known["rows"]}
        before = rows.get(name, {"distortion": name, "seconds": 0, "measures": []})
        if names := missing(before["measures"]):
            generated = distort(spoiled, reference, np.random.default_rng(0), amount)
            found = headlines(evaluate(real, generated, reference, clusters=args.clusters, progress=False, only=names))
            print(name, found["seconds"], flush=True)
            rows[name] = before | {"seconds": round(before["seconds"] + found["seconds"], 1),
                                   "measures": before["measures"] + found["measures"]}
            write(args.results, known | {"rows": list(rows.values())})
    result = read(args.results)
    write(args.quoted, {"showers": result["showers"], "responses": responses(result["rows"])})


def missing(known):
    """Names of the metrics whose headline numbers are not among those that are known."""
    families = {family for family, *_ in known}
    return [name for name, metric in metrics().items() if metric.family and metric.family.title not in families]


def headlines(evaluation):
    """Every headline number of an evaluation with its interval, and the seconds of the evaluation."""
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
            sign = -1 if families()[family].larger_is_better else 1
            result.setdefault(family, {})[name] = {
                row["distortion"]: round(sign * (of(row)[family, name][0] - before) / deviation, 1)
                for row in rows if row["distortion"] != NONE}
    return result


if __name__ == "__main__":
    main()
