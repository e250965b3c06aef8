"""What coarser cells measure of an electron, in Geant4's showers and in generated ones at the same particles.

    python -m experiments.reconstruction               # a minute
    python -m experiments.reconstruction --run=runs/mine --showers=200 --results=runs/x.json

Position by logarithmic weights against where the track crosses the reference plane, the energy of the cluster of 3 x 3
cells over the incident one: both for cells of 20, 40 and 60 mm.
"""
import argparse
import pathlib

import numpy as np

from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.observables import of_showers
from ecalgen.data.reconstruction import aggregated, cluster_energy, log_position
from ecalgen.data.showers import Showers, incident_energy, reference_point
from ecalgen.evaluation.metrics.bootstrap import interval, resampled
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import load_sampler
from ecalgen.sampling.weights import shipped_models
from ecalgen.simulation.gflash import Gflash
from experiments.variants import RESULTS, write

FACTORS = (1, 2, 3)
CENTRAL = 0.6827
"""Share of the showers within the quoted half-width, one sigma of a normal distribution."""


def main():
    """Reconstruct every set of showers, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--showers", type=int, default=10_000)
    parser.add_argument("--run", type=pathlib.Path, action="append", default=[], help="a trained run to try as well")
    parser.add_argument("--source", default="ecal_shashlik/electron_5d", help="of the showers; a file wants no TFDS")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS / "reconstruction.json")
    args = parser.parse_args()
    host.set_up()
    real = load_split(args.source, "test")[:args.showers]
    samplers = {name: load_sampler(name) for name in (*shipped_models("generator"), *map(str, args.run))}
    sets = {"geant4": real} | {
        name: Showers(sampler(real.momentum, real.point, seed=0), real.momentum, real.point)
        for name, sampler in (samplers | {"gflash": Gflash()}).items()}
    write(args.results, {"showers": len(real), "split": "test", "provenance": provenance(0),
                         "cells_mm": [20 * f for f in FACTORS],
                         "sets": {name: [measured(showers, factor) for factor in FACTORS]
                                  for name, showers in sets.items()}})


def measured(showers, factor):
    """Half-width of the position's error along x and y (mm), and mean and half-width of the cluster's response."""
    position, cluster = of_showers(
        lambda energy, *_: (log_position(aggregated(energy, factor)), cluster_energy(aggregated(energy, factor))),
        showers)
    off = 10 * (position - np.asarray(reference_point(showers.momentum, showers.point))).ravel()
    response = cluster / (1000 * np.asarray(incident_energy(showers.momentum)))
    return {"position_mm": with_interval(half_width, off), "response": with_interval(np.mean, response),
            "resolution": with_interval(lambda values: half_width(values) / np.mean(values), response)}


def half_width(values):
    """Half the width of the central 68 %."""
    low, high = np.quantile(values, [(1 - CENTRAL) / 2, (1 + CENTRAL) / 2])
    return (high - low) / 2


def with_interval(statistic, values):
    """[value, lowest, highest] with the 95 % interval of a bootstrap."""
    value = float(statistic(values))
    drawn = resampled(lambda first, _: statistic(first), values, values, 100, 0)
    return [value, *interval(value, drawn, (0, np.inf))]


if __name__ == "__main__":
    main()
