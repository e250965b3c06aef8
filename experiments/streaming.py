"""Showers of a generator written to disk: does the time grow in proportion, and the memory not at all?

    python -m experiments.streaming                      # a quarter of a million, and a million: minutes
    python -m experiments.streaming --events=1000 --events=2000 --out=runs/x --results=runs/x.json
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from ecalgen.machine import host
from ecalgen.machine.provenance import provenance

RESULTS = pathlib.Path(__file__).parent / "results"


def main():
    """Make each file in a process of its own, and measure that."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, action="append", help="again for another (250000, 1000000)")
    parser.add_argument("--model", default="anchored", help="a run's folder, or what ships")
    parser.add_argument("--out", type=pathlib.Path, help="folder for the files, which are deleted (a temporary one)")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS / "streaming.json")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.out) as folder:
        rows = [measured(args.model, events, pathlib.Path(folder) / f"{events}.h5")
                for events in args.events or (250_000, 1_000_000)]
    args.results.write_text(json.dumps({"model": args.model, "cores": host.cores(), "rows": rows,
                                        "provenance": provenance(1)}, indent=1) + "\n")
    print(args.results)


def measured(model, events, path):
    """{"events", "seconds", "milliseconds_per_shower", "peak_memory_mb", "file_mb"} of one file."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "ecalgen.simulation", "generator", f"--model={model}",
                                f"--events={events}", "--seed=1", f"--out={path}"])
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"{events} showers: the process failed")
    row = {"events": events, "seconds": round(seconds, 1), "milliseconds_per_shower": round(1000 * seconds / events, 4),
           "peak_memory_mb": round(used.ru_maxrss / 1024), "file_mb": round(path.stat().st_size / 1e6)}
    path.unlink()
    print(json.dumps(row), flush=True)
    return row


if __name__ == "__main__":
    main()
