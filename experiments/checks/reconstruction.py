"""Reconstruction of electrons with coarser cells, from Geant4's showers and from generated ones at the same particles.

    python -m experiments.checks.reconstruction               # a minute
    python -m experiments.checks.reconstruction --run=runs/mine --showers=200 --results=runs/x.json

The position comes from logarithmic weights, and is compared with the point where the track crosses the reference plane.
The response is the energy of the cluster of 3 x 3 cells over the incident energy. Cells are of 20, 40 and 60 mm.
"""
import pathlib

import numpy as np

from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.grid import SHASHLIK
from ecalgen.data.observables import of_showers
from ecalgen.data.reconstruction import aggregated, cluster_energy, log_position
from ecalgen.data.showers import incident_energy, reference_point
from ecalgen.evaluation.metrics.bootstrap import interval, resampled
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.weights import shipped_models
from experiments.command import add_showers, new_parser, write
from experiments.measures import generated

FACTORS = (1, 2, 3)
CENTRAL = 0.6827
"""Share of the showers within the quoted half-width, one sigma of a normal distribution."""


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "reconstruction")
    add_showers(parser)
    parser.add_argument("--run", type=pathlib.Path, action="append", default=[], help="use this trained run, too")
    return parser


def main():
    """Reconstruct every set of showers, and write the figures."""
    args = make_parser().parse_args()
    host.set_up()
    real = load_split(args.source, "test")[:args.showers]
    names = (*shipped_models("generator"), *map(str, args.run), "gflash")
    sets = {"geant4": real} | {name: generated(name, real) for name in names}
    write(args.results, {"showers": len(real), "split": "test", "provenance": provenance(0),
                         "cells_mm": [20 * f for f in FACTORS],
                         "sets": {name: [measured(showers, factor) for factor in FACTORS]
                                  for name, showers in sets.items()}})


def measured(showers, factor):
    """Half-width of the position's error along x and y (mm), and mean and half-width of the cluster's response."""
    position, cluster = of_showers(
        lambda energy, *_: (log_position(aggregated(energy, factor)), cluster_energy(aggregated(energy, factor))),
        showers)
    off = 10 * (position - np.asarray(reference_point(showers.momentum, showers.point, SHASHLIK))).ravel()
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
