"""Generated showers inside a Geant4 application against its full simulation: time, response and mean energies of cells.

    python -m experiments.checks.inside_geant4                     # 20 events, in full twice: 20 minutes
    python -m experiments.checks.inside_geant4 --events=1 --electrons=10 --results=runs/x.json

The application is examples/inside_geant4.py without its plate, so all time is that of the calorimeters. The electrons
of all simulations are the same. A second full simulation gives the floor of every comparison. Three more events with
the plate show how an event's time splits.
"""
import dataclasses
import json
import subprocess
import sys

import numpy as np

from ecalgen.machine.provenance import provenance
from experiments.command import new_parser, write

FEW = 1.0
"""MeV an event, above which the mean energies of cells are compared."""
ALONE = "from experiments.checks.inside_geant4 import application; application({options!r}, {path!r})"


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "inside_geant4")
    parser.add_argument("--events", type=int, default=20, help="in each simulation (20)")
    parser.add_argument("--electrons", type=int, default=100, help="in an event (100)")
    parser.add_argument("--model", default="anchored", help="shipped model, or the folder of a run (anchored)")
    return parser


def main(argv=None):
    """Simulate both ways, and write the comparison."""
    args = make_parser().parse_args(argv)
    options = [f"--events={args.events}", f"--electrons={args.electrons}", f"--model={args.model}"]
    energies = args.results.with_suffix(".npz")
    args.results.parent.mkdir(parents=True, exist_ok=True)
    counts = alone([*options, "--plate=0", f"--full={args.events}"], energies)
    with np.load(energies) as kept:
        fast, full, other = (kept[f"run{number}"] for number in range(3))
    result = {"model": args.model, "events": args.events, "electrons": args.electrons, "arms": counts, **times(counts),
              "generated": compared(fast, full), "floor": compared(other, full),
              "with_plate": times(alone([options[1], options[2], "--events=3"], energies))}
    energies.unlink()
    write(args.results, result | {"provenance": provenance(1)})
    print(json.dumps({name: value for name, value in result.items() if name != "arms"}, indent=1))


def alone(options, path):
    """Run the application in a process of its own: the statistics of each arm."""
    subprocess.run([sys.executable, "-c", ALONE.format(options=options, path=str(path))], check=True)
    with np.load(path) as kept:
        return json.loads(str(kept["statistics"]))


def application(options, path):
    """Run the application, and write energies `[event, arm, ix, iy]` MeV of its three runs and the statistics."""
    from examples import inside_geant4
    options = inside_geant4.make_parser().parse_args(options)
    _, detector, _, actions = kept = inside_geant4.run(options, full_runs=2)
    runs = {f"run{run}": np.array([[actions.energy[run, event, arm] for arm in inside_geant4.ARMS]
                                   for event in range(count)])
            for run, count in enumerate((options.events, options.full, options.full))}
    statistics = {arm: dataclasses.asdict(fast.statistics) for arm, fast in detector.fast.items()}
    np.savez(path, **runs, statistics=json.dumps(statistics))
    del kept


def times(arms):
    """Seconds an event of both arms, and how often the full simulation takes as long as the fast one."""
    some = next(iter(arms.values()))  # the time of tracking is that of the whole event
    spent = {name: sum(arm[name] for arm in arms.values()) / some["events"] for name in ("sampling", "depositing")}
    spent["tracking"] = some["tracking"] / some["events"]
    if not some["full_events"]:
        return {"seconds_an_event": spent}
    full = some["full_seconds"] / some["full_events"]
    return {"seconds_an_event": spent | {"full": full}, "times_faster": full / sum(spent.values()),
            "times_faster_in_the_calorimeter": full / (spent["sampling"] + spent["depositing"])}


def compared(fast, full):
    """Response and mean energies of cells of the fast simulation relative to the full one.

    Args:
      fast, full: `[events, arms, nx, ny]` MeV, of the same particles.
    """
    response = relative(fast.sum((1, 2, 3)), full.sum((1, 2, 3)))
    value, error = relative(fast, full)
    counted = full.mean(0) > FEW
    off, sigma = np.abs(value[counted] - 1), error[counted]
    return {"response": [float(response[0]), float(response[1])], "cells": int(counted.sum()),
            "energy_in_these_cells": float(full.mean(0)[counted].sum() / full.mean(0).sum()),
            "median_error_of_a_cell": float(np.median(sigma)),
            "cells_within_one_percent_or_their_error": float(np.mean(off <= np.maximum(0.01, sigma))),
            "cells_within_one_percent_or_two_errors": float(np.mean(off <= np.maximum(0.01, 2 * sigma))),
            "expected_within_one_error": 0.683, "energy_weighted_deviation": float(
                np.average(value[counted] - 1, weights=full.mean(0)[counted])),
            "mean_square_of_deviations_over_errors": float(np.mean((off / sigma)**2))}


def relative(fast, full):
    """Ratio of the means over events, and its standard error from paired differences: `[events, ...]` -> `[...]`."""
    mean = full.mean(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return fast.mean(0) / mean, (fast - full).std(0, ddof=1) / np.sqrt(len(full)) / mean


if __name__ == "__main__":
    main()
