"""Showers of a generator written to disk: is the time proportional to their number, and the memory independent of it?

    python -m experiments.checks.streaming              # a quarter of a million, and a million: minutes
    python -m experiments.checks.streaming --events=1000 --events=2000 --out=runs/x --results=runs/x.json
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from experiments.command import new_parser, write


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "streaming")
    parser.add_argument("--events", type=int, action="append",
                        help="showers in a file; repeat the flag for others (250000, 1000000)")
    parser.add_argument("--model", default="anchored", help="folder of a run, or a shipped generator (anchored)")
    parser.add_argument("--out", type=pathlib.Path, help="folder for the files, which are deleted (a temporary one)")
    return parser


def main():
    """Make each file in a process of its own, and measure time, memory and size."""
    args = make_parser().parse_args()
    with tempfile.TemporaryDirectory(dir=args.out) as folder:
        rows = [measured(args.model, events, pathlib.Path(folder) / f"{events}.h5")
                for events in args.events or (250_000, 1_000_000)]
    write(args.results, {"model": args.model, "cores": host.cores(), "rows": rows, "provenance": provenance(1)})
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
