"""Our PRD-AUC beside that of the original code, on the same features: seconds and values, both in one run.

    python -m experiments.checks.prd_benchmark prd_score.py --set raw

The original is `prd_score.py` of https://github.com/msmsajjadi/precision-recall-distributions, which is not part of
ecalgen; any copy of it will do. The features are those of test showers of Geant4 and of the shipped baseline.
"""
import hashlib
import importlib.util
import pathlib
import time

import numpy as np

from ecalgen.data.ecal_shashlik import load_split
from ecalgen.evaluation.metrics.features import make_extractor
from ecalgen.evaluation.metrics.prd import prd_auc, prd_score
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from experiments.command import add_showers, new_parser, read, write
from experiments.measures import CLUSTERS, generated


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "prd_benchmark")
    add_showers(parser, 5_000)
    parser.add_argument("original", type=pathlib.Path, help="path of prd_score.py")
    parser.add_argument("--set", choices=("raw", "physics"), default="raw", help="set of features (raw)")
    parser.add_argument("--clusters", type=int, default=CLUSTERS, help=f"clusters of the PRD ({CLUSTERS})")
    parser.add_argument("--runs", type=int, default=10, help="clusterings of the PRD (10)")
    return parser


def main():
    """Time both on one set of features, and add that to the results."""
    args = make_parser().parse_args()
    host.set_up()
    original = load_original(args.original)
    real = load_split(args.source, "test")[:args.showers]
    features = [make_extractor(args.set)(showers) for showers in (real, generated("baseline", real))]
    ours = timed(lambda: prd_score(*features, args.clusters, args.runs, bootstrap=2))
    theirs = timed(lambda: [prd_auc(*original.compute_prd_from_embedding(
        features[1], features[0], num_clusters=args.clusters, num_runs=1)) for _ in range(args.runs)])
    aucs = theirs["value"]
    result = {
        "features": args.set, "showers": len(real), "split": "test", "clusters": args.clusters, "runs": args.runs,
        "ours": {"seconds": ours["seconds"], "auc": ours["value"].auc, "std": ours["value"].std},
        "original": {"seconds": theirs["seconds"], "auc": float(np.mean(aucs)), "std": float(np.std(aucs)),
                     "sha256": hashlib.sha256(args.original.read_bytes()).hexdigest()},
        "times_faster": theirs["seconds"] / ours["seconds"], "provenance": provenance(0)}
    print({name: value for name, value in result.items() if name != "provenance"})
    earlier = read(args.results)["sets"] if args.results.exists() else []
    write(args.results, {"sets": [entry for entry in earlier if entry["features"] != args.set] + [result]})


def load_original(path):
    """The module `prd_score.py`; it needs only numpy, scikit-learn and matplotlib."""
    spec = importlib.util.spec_from_file_location("prd_score", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def timed(function):
    """{"value", "seconds"} of one call."""
    start = time.perf_counter()
    value = function()
    return {"value": value, "seconds": round(time.perf_counter() - start, 2)}


if __name__ == "__main__":
    main()
