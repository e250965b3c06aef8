"""ecalgen benchmark [--only NAME ...] [--training NAME ...] [--batches 1,100,10000] [--cores 1]
    [--precision float32] [--out FILE]

Times generators of showers, each in a process of its own on the same cores: shipped models, your own runs, the
parametrised shower and, if installed, Geant4. It also times training steps. Compilation is timed separately.

NAME may also be a function of yours, as module:function. For --only the function returns a sampler,
(momentum [N, 3] GeV, point [N, 2] cm) -> [N, nx, ny] MeV; for --training, a function that makes the next steps and
returns their number.
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

import jax
import jax.numpy as jnp
import numpy as np

from ecalgen import recipes
from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.sources import sample_path
from ecalgen.errors import UserError
from ecalgen.machine import host
from ecalgen.machine.files import write_text
from ecalgen.machine.imports import import_named
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import PRECISIONS, load_sampler
from ecalgen.sampling.weights import load_weights, shipped_models
from ecalgen.simulation.gflash import Gflash
from ecalgen.training import parallel
from ecalgen.training.material import load_material
from ecalgen.training.state import init_key

WARM = 2
"""Calls before the timed ones; the first compiles."""
ENOUGH = 3.0
"""Seconds after which no further call is timed, if at least `LEAST` calls are."""
LEAST, MOST = 3, 100
EVENTS = 20, 80
"""Numbers of Geant4's events; the difference of their times is without its start."""


def make_parser():
    """The options; `--help` explains them."""
    parser = argparse.ArgumentParser(prog="ecalgen benchmark", description=__doc__.split("\n\n")[1])
    parser.add_argument("--only", action="append", metavar="NAME",
                        help="a shipped model, a run's folder, gflash, geant4 or module:function; repeat it for more; "
                             "without it and --training, all shipped models, gflash and geant4")
    parser.add_argument("--training", action="append", metavar="NAME", default=[],
                        help="a recipe, such as baseline:cpu, or module:function; repeat it for more")
    parser.add_argument("--batches", type=sizes, default=[1, 100, 10_000], help="showers a call (1,100,10000)")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32",
                        help="of shipped models' and runs' networks (float32)")
    parser.add_argument("--cores", type=int, default=1, help="that each process may use (1)")
    parser.add_argument("--out", type=pathlib.Path, help="file for the figures as JSON")
    parser.add_argument("--child", choices=("sampler", "training"), help=argparse.SUPPRESS)
    parser.add_argument("--pin", type=numbers, help=argparse.SUPPRESS)
    return parser


def main(argv=None):
    """Measure, print a table, and write the JSON file."""
    args = make_parser().parse_args(argv)
    if args.child:
        os.sched_setaffinity(0, args.pin)
        timed = (time_training(args.training[0]) if args.child == "training" else
                 time_sampler(args.only[0], args.batches, args.precision))
        print(json.dumps(timed))
        return
    if args.out and not args.out.parent.is_dir():
        raise SystemExit(f"error: there is no folder {args.out.parent} for --out")
    try:
        result = measure(args.only or ([] if args.training else everything()), args.training, args.batches, args.cores,
                         args.precision)
    except UserError as error:
        raise SystemExit(f"error: {error}") from error
    for name, row in (result["systems"] | result["trainings"]).items():
        print(f"{name}: {described(row)}")
    if args.out:
        write_text(args.out, json.dumps(result, indent=1) + "\n")
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


def measure(names, trainings, batches, cores, precision="float32"):
    """Time one system after the other: {"cores", "precision", "systems", "trainings": {name: figures}, "provenance"}.

    Raises:
      UserError: more cores than this process may use, or a name that makes no showers.
    """
    if not 1 <= cores <= host.cores():
        raise UserError(f"--cores is {cores}; this process may use 1 to {host.cores()}")
    pinned = sorted(os.sched_getaffinity(0))[:cores]
    found = {"sampler": {}, "training": {}}
    todo = [*(("sampler", name) for name in names), *(("training", name) for name in trainings)]
    for kind, name in todo:
        check(kind, name)
    for kind, name in host.progress(todo, desc="benchmark", unit="system"):
        found[kind][name] = (time_geant4(pinned) if name == "geant4" else
                             in_child(kind, name, batches, pinned, precision))
    return {"cores": cores, "precision": precision, "systems": found["sampler"], "trainings": found["training"],
            "provenance": provenance(0)}


def check(kind, name):
    """Check before anything is timed that a name stands for something.

    Raises:
      UserError: the errors of `recipes.load`, `import_named` and `load_weights`.
    """
    if kind == "training" and _is_config(name):
        recipes.load(name)
    elif ":" in name:
        import_named(name)
    elif name not in ("gflash", "geant4"):
        load_weights(name, "generator")


def everything():
    """Names of all systems that can be timed here."""
    there = importlib.util.find_spec("geant4_pybind") and os.environ.get("GEANT4_DATA_DIR")
    return [*shipped_models("generator"), "gflash", *(["geant4"] if there else [])]


def in_child(kind, name, batches, pinned, precision):
    """`time_sampler` or `time_training` in a process that may use only these cores."""
    command = [sys.executable, "-m", "ecalgen.benchmark", f"--child={kind}", f"--pin={','.join(map(str, pinned))}",
               f"--{'only' if kind == 'sampler' else 'training'}={name}", f"--batches={','.join(map(str, batches))}",
               f"--precision={precision}"]
    done = subprocess.run(command, capture_output=True, text=True,
                          env=os.environ | {"OMP_NUM_THREADS": str(len(pinned))})
    if done.returncode:
        raise UserError(f"{name} cannot be timed: {done.stderr.strip().splitlines()[-1] if done.stderr else '?'}")
    return json.loads(done.stdout.splitlines()[-1])


def time_sampler(name, batches, precision="float32"):
    """{"load_seconds", "batches": {size: {"first_seconds", "milliseconds_per_shower", "calls"}}} of one system.

    The conditions are those of the test showers, repeated. The first call compiles.
    """
    start = time.perf_counter()
    sampler = Gflash() if name == "gflash" else import_named(name)() if ":" in name else (
        load_sampler(name, precision))
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


def time_training(name):
    """{"load_seconds", "first_seconds", "steps_per_second": {"most", "median"}, "calls"} of one training."""
    start = time.perf_counter()
    if _is_config(name):
        host.set_up()  # as ecalgen.main does
        steps = make_steps(recipes.load(name))
    else:
        steps = import_named(name)()
    load, made = time.perf_counter() - start, []
    seconds = call_times(lambda: made.append(steps()))
    rate = {kind: round(made[-1] / float(value(seconds[WARM:])), 3)
            for kind, value in (("most", min), ("median", np.median))}
    return {"load_seconds": round(load, 3), "first_seconds": round(seconds[0], 3), "steps_per_second": rate,
            "calls": len(seconds) - WARM}


def make_steps(config):
    """A function that makes the next steps of a config's last stage, as training does, and returns their number.

    Parameters that earlier stages fit have their initial values, which does not change the time of a step.
    """
    material = load_material(config)
    stages, data = material.stages, material.data
    count = parallel.steps_per_call(config.train.log_every)
    advance = parallel.map_steps(stages[-1].step, count, donate=True)
    first = stages[-1].init(init_key(0), None)
    states = [parallel.replicate(jax.tree.map(jnp.copy, first))]
    key, data = parallel.replicate((jax.random.key(0), data))

    def steps():
        states[0], metrics = advance(states[0], data, key)
        jax.block_until_ready((states[0], metrics))
        return count

    return steps


def _is_config(name):
    return name.partition(":")[0].endswith(".py") or name.partition(":")[0] in recipes.names()


def call_times(call):
    """Seconds of `WARM` calls and of the timed calls, whose number `ENOUGH`, `LEAST` and `MOST` limit."""
    seconds = []
    while len(seconds) < WARM + LEAST or (sum(seconds[WARM:]) < ENOUGH and len(seconds) < WARM + MOST):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return seconds


def time_geant4(pinned):
    """Time Geant4 on one of these cores with the same beam: milliseconds a shower, without its start."""
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
    if "steps_per_second" in row:
        return f"{row['steps_per_second']['median']:.4g} steps/s (first one {row['first_seconds']:.3g} s)"
    if "batches" not in row:
        return f"{row['milliseconds_per_shower']:.4g} ms a shower"
    return ", ".join(f"{entry['milliseconds_per_shower']['median']:.4g} ms in batches of {int(batch):,} "
                     f"(first call {entry['first_seconds']:.3g} s)" for batch, entry in row["batches"].items())


if __name__ == "__main__":
    main()
