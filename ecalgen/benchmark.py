"""python -m ecalgen.benchmark [--only NAME ...] [--batches 1,100,10000] [--cores 1] [--out benchmark.json]

Times everything at hand that makes showers, each in a process of its own on the same cores: what ships, runs of your
own, the parametrised shower and, if installed, Geant4. Compilation is timed apart.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

from ecalgen import host
from ecalgen.data.ecal_shashlik import load_split, sample_path
from ecalgen.errors import UserError
from ecalgen.provenance import provenance
from ecalgen.sampler import load_sampler
from ecalgen.simulation.gflash import Gflash
from ecalgen.weights import shipped_models

WARM = 2
"""Calls before the clock starts, one of them compiles."""
ENOUGH = 3.0
"""Seconds after which no further call is timed, once `LEAST` are."""
LEAST, MOST = 3, 100
EVENTS = 20, 80
"""Of Geant4, whose start is taken off by the difference."""


def main(argv=None):
    """Measure, print a table, and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m ecalgen.benchmark", description=__doc__.split("\n\n")[1])
    parser.add_argument("--only", action="append", metavar="NAME",
                        help="a shipped model, a run's folder, gflash or geant4; again for another; all by default")
    parser.add_argument("--batches", type=sizes, default=[1, 100, 10_000], help="showers a call (1,100,10000)")
    parser.add_argument("--cores", type=int, default=1, help="that each process may use (1)")
    parser.add_argument("--out", type=pathlib.Path, help="file for the figures as JSON")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--pin", type=numbers, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.child:
        os.sched_setaffinity(0, args.pin)
        print(json.dumps(time_sampler(args.child, args.batches)))
        return
    try:
        result = measure(args.only or everything(), args.batches, args.cores)
    except UserError as error:
        raise SystemExit(f"error: {error}") from error
    for name, row in result["systems"].items():
        print(f"{name}: {described(row)}")
    if args.out:
        args.out.write_text(json.dumps(result, indent=1) + "\n")
        print(args.out)


def sizes(text):
    """`1,100` as whole numbers above 0."""
    found = numbers(text)
    if min(found) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} holds a batch without showers")
    return found


def numbers(text):
    """`0,1` as whole numbers."""
    return [int(word) for word in text.split(",")]


def measure(names, batches, cores):
    """{"cores", "systems": {name: figures}, "provenance"} of every name, one process after the other.

    Raises:
      UserError: more cores than this process may use, or a name that makes no showers.
    """
    if not 1 <= cores <= host.cores():
        raise UserError(f"--cores is {cores}; this process may use 1 to {host.cores()}")
    pinned = sorted(os.sched_getaffinity(0))[:cores]
    systems = {}
    for name in host.progress(names, desc="benchmark", unit="system"):
        systems[name] = time_geant4(pinned) if name == "geant4" else in_child(name, batches, pinned)
    return {"cores": cores, "systems": systems, "provenance": provenance(0)}


def everything():
    """Names of all that can be timed here."""
    there = importlib.util.find_spec("geant4_pybind") and os.environ.get("GEANT4_DATA_DIR")
    return [*shipped_models("generator"), "gflash", *(["geant4"] if there else [])]


def in_child(name, batches, pinned):
    """`time_sampler` in a process that may use these cores only."""
    command = [sys.executable, "-m", "ecalgen.benchmark", f"--child={name}", f"--pin={','.join(map(str, pinned))}",
               f"--batches={','.join(map(str, batches))}"]
    done = subprocess.run(command, capture_output=True, text=True,
                          env=os.environ | {"OMP_NUM_THREADS": str(len(pinned))})
    if done.returncode:
        raise UserError(f"{name} cannot be timed: {done.stderr.strip().splitlines()[-1] if done.stderr else '?'}")
    return json.loads(done.stdout.splitlines()[-1])


def time_sampler(name, batches):
    """{"load_seconds", "batches": {size: {"first_seconds", "milliseconds_per_shower", "calls"}}} of one system.

    The conditions are those of the test showers, again and again. The first call compiles.
    """
    start = time.perf_counter()
    sampler = Gflash() if name == "gflash" else load_sampler(name)
    result = {"load_seconds": round(time.perf_counter() - start, 3), "batches": {}}
    showers = load_split(str(sample_path()), "test")
    for batch in batches:
        rows = np.arange(batch) % len(showers)
        seconds = call_times(lambda rows=rows: np.asarray(sampler(showers.momentum[rows], showers.point[rows])))
        result["batches"][str(batch)] = {
            "first_seconds": round(seconds[0], 3), "calls": len(seconds) - WARM,
            "milliseconds_per_shower": {kind: round(1000 * float(value(seconds[WARM:])) / batch, 5)
                                        for kind, value in (("least", min), ("median", np.median))}}
    return result


def call_times(call):
    """Seconds of `WARM` calls and then of as many as `ENOUGH`, `LEAST` and `MOST` say."""
    seconds = []
    while len(seconds) < WARM + LEAST or (sum(seconds[WARM:]) < ENOUGH and len(seconds) < WARM + MOST):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return seconds


def time_geant4(pinned):
    """Geant4 on one of these cores, the same beam: milliseconds a shower, its start taken off."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for events in EVENTS:
            pinning = (f"import os, runpy; os.sched_setaffinity(0, {pinned[:1]}); "
                       "runpy.run_module('ecalgen.simulation', run_name='__main__')")
            command = [sys.executable, "-c", pinning, "geant4", f"--events={events}", "--seed=1", "--workers=1",
                       f"--out={folder}/{events}.npz"]
            start = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True)
            seconds.append(time.perf_counter() - start)
            if done.returncode:
                raise UserError(f"geant4 cannot be timed: {done.stderr.strip().splitlines()[-1]}")
    each = 1000 * (seconds[1] - seconds[0]) / (EVENTS[1] - EVENTS[0])
    return {"start_seconds": round(seconds[0] - each * EVENTS[0] / 1000, 2), "milliseconds_per_shower": round(each, 2),
            "events": EVENTS[1]}


def described(row):
    """One line of the table."""
    if "batches" not in row:
        return f"{row['milliseconds_per_shower']:.4g} ms a shower"
    return ", ".join(f"{entry['milliseconds_per_shower']['median']:.4g} ms in batches of {int(batch):,} "
                     f"(first call {entry['first_seconds']:.3g} s)" for batch, entry in row["batches"].items())


if __name__ == "__main__":
    main()
