"""Judge the parametrised shower under the `paper` protocol, as the generators are, and measure its speed.

    python -m experiments.gflash                 # some minutes
    python -m experiments.gflash --showers=300 --results=runs/gflash.json
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

from ecalgen.data.ecal_shashlik import load_repeated, load_split
from ecalgen.data.showers import Showers
from ecalgen.evaluation.evaluate import evaluate, write_evaluation
from ecalgen.evaluation.report.verdict import verdict
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.simulation.gflash import SHASHLIK_TUNING, Gflash

RESULTS = pathlib.Path(__file__).parent / "results"
SOURCE = "ecal_shashlik/electron_5d"
SEED = 0


def main():
    """Make showers at the conditions of the test split, evaluate them, and write `results/gflash.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--showers", type=int, default=10_000)
    parser.add_argument("--clusters", type=int, help="of the PRD, for fewer showers than the protocol needs")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS / "gflash.json")
    parser.add_argument("--speed", action="store_true", help="only print the showers a second")
    args = parser.parse_args()
    host.set_up()
    real = load_split(SOURCE, "test", limit=args.showers)
    if args.speed:
        print(json.dumps(speed(real)))
        return
    repeated = load_repeated(SOURCE)
    energy = Gflash()(real.momentum, real.point, seed=SEED)
    generated = Showers(energy, real.momentum, real.point, real.pdg)
    result = evaluate(real, generated, load_split(SOURCE, "train"), protocol="paper", seed=SEED, clusters=args.clusters,
                      repeated=repeated if len(repeated) <= len(real) else None) | {"split": "test"}
    result["training"] = {"system": "gflash"} | tuning()
    result["showers_per_second"] = speeds(len(real))
    result["config"] = {"tuning": SHASHLIK_TUNING._asdict()}
    result["provenance"] = provenance(SEED)
    args.results.parent.mkdir(parents=True, exist_ok=True)
    write_evaluation(args.results, result)
    for label, sentence in verdict(result).items():
        print(f"{label}: {sentence}")
    print(f"figures in {args.results}; {result['showers_per_second']}")


def tuning():
    """What the fit of the corrections took: {"parameters", "showers", "seconds"}."""
    fit = json.loads((RESULTS / "gflash_tuning.json").read_text())
    return {"parameters": len(fit["tuning"]), "showers": fit["showers"], "seconds": fit["seconds"]}


def speeds(showers):
    """Showers a second by the number of cores: one, and all this process may use; each in a process of its own."""
    cores = sorted(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "experiments.gflash", "--speed", f"--showers={showers}"]
    run = lambda count: json.loads(subprocess.run(
        ["taskset", "-c", ",".join(map(str, cores[:count])), *command], check=True, capture_output=True, text=True,
        cwd=RESULTS.parents[1]).stdout)
    return {str(count): run(count) for count in sorted({1, len(cores)})}


def speed(real, repeats=3):
    """Showers a second at these conditions, the best of some calls, with the program compiled."""
    gflash, seconds = Gflash(), []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        gflash(real.momentum, real.point)
        seconds.append(time.perf_counter() - start)
    return round(len(real) / min(seconds[1:]), 1)


if __name__ == "__main__":
    main()
