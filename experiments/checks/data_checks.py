"""Check the shipped samples against each other, against physics and against the literature, for their data card.

    python -m experiments.checks.data_checks       # five minutes on two cores; needs Geant4: see `ecalgen.simulation`
"""
import concurrent.futures
import dataclasses
import multiprocessing
import time

import numpy as np
from scipy.optimize import curve_fit

from ecalgen.data.ecal_shashlik import SHIPPED, sample_path
from ecalgen.data.files.formats import load_showers
from ecalgen.data.grid import SHASHLIK
from ecalgen.data.observables import observables
from ecalgen.data.showers import incident_energy
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.simulation import geant4
from ecalgen.simulation.beam import BEAMS, engine_seeds, kinematics
from ecalgen.simulation.geant4 import Setup
from experiments.command import new_parser, write

EDGES = np.array([1, 2, 4, 8, 16, 32, 64, 100])
"""Edges of the bins of energy, GeV."""
CONTAINMENT_ENERGIES = (5, 20, 80)
"""GeV."""


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "data_checks")
    parser.add_argument("--events", type=int, default=100, help="events that are simulated at each point (100)")
    parser.add_argument("--data", help="folder of Geant4's data")
    return parser


def main():
    """Write `results/data_checks.json`."""
    args = make_parser().parse_args()
    host.set_up()
    geant4.check_installed(args.data)
    result = {"samples": {name: check_sample(load_showers(sample_path(name))) for name in SHIPPED},
              "containment": [contained(energy, args.events, args.data) for energy in CONTAINMENT_ENERGIES],
              "physics": {name: physics_list(name, args.events, args.data) for name in geant4.PHYSICS},
              "provenance": provenance(Setup().seed)}
    write(args.results, result)
    print(args.results.read_text())


def check_sample(showers):
    """Linearity and resolution in bins of energy, the resolution's fit, and mean widths and sparsity."""
    energy, visible = np.asarray(incident_energy(showers.momentum)), showers.energy.sum((1, 2), dtype=np.float64) / 1000
    inside = [(low <= energy) & (energy < high) for low, high in zip(EDGES[:-1], EDGES[1:], strict=True)]
    bins = [{"energy": float(energy[mask].mean()), "showers": int(mask.sum()), **response(energy[mask], visible[mask])}
            for mask in inside]
    (stochastic, constant), covariance = curve_fit(
        lambda e, a, b: np.hypot(a / np.sqrt(e), b), [b["energy"] for b in bins], [b["resolution"] for b in bins],
        sigma=[b["resolution_error"] for b in bins], p0=(0.08, 0.005), absolute_sigma=True)
    values = observables(showers.energy, showers.momentum, showers.point)
    return {"showers": len(showers), "bins": bins,
            "resolution": {"stochastic": abs(stochastic), "constant": abs(constant),
                           "errors": np.sqrt(np.diag(covariance)).tolist()},
            "occupied": float((showers.energy > 0).mean()),
            "transverse_width_cells": float(np.mean(values["transverse_width"])),
            "transverse_width_cm": float(np.mean(values["transverse_width"])) * SHASHLIK.unit}


def response(energy, visible):
    """Visible fraction and resolution, with their statistical errors, of showers of about one energy (GeV)."""
    fraction = visible / energy
    mean, deviation, count = fraction.mean(), fraction.std(ddof=1), len(fraction)
    return {"visible_fraction": float(mean), "visible_fraction_error": float(deviation / np.sqrt(count)),
            "resolution": float(deviation / mean), "resolution_error": float(deviation / mean / np.sqrt(2 * count))}


def contained(energy, events, data):
    """Shares of the energy (GeV) of electrons straight into the middle: in lead and tiles, and near the axis."""
    beam = dataclasses.replace(BEAMS["1d"], energy=(energy, energy))
    (cells, absorbed), _ = simulate(Setup(beam=beam, seed=1), events, data, True)
    total = cells.sum((1, 2), dtype=np.float64)
    square = lambda half: cells[:, 15 - half:15 + half, 15 - half:15 + half].sum((1, 2), dtype=np.float64) / total
    return {"energy": energy, "events": events, "deposited": float(((total + absorbed) / (1000 * energy)).mean()),
            "visible_within": {f"{half * SHASHLIK.unit:.2f} cm": float(square(half).mean()) for half in (1, 2, 3, 4)}}


def physics_list(name, events, data):
    """Response, width and time of 10 GeV electrons straight into the middle, with one list of physics."""
    (cells, _), seconds = simulate(Setup(beam=dataclasses.replace(BEAMS["1d"], energy=(10, 10)), seed=2, physics=name),
                                   events, data, False)
    momentum = np.tile([0, 0, 10.0], (events, 1))
    width = observables(cells, momentum, np.zeros((events, 2)))["transverse_width"]
    return {"events": events, **response(np.full(events, 10.0), cells.sum((1, 2), dtype=np.float64) / 1000),
            "transverse_width_cells": float(np.mean(width)), "milliseconds_per_gev": 1000 * seconds / (10 * events)}


def simulate(setup, events, data, score_absorber):
    """((energy, absorbed), seconds) of some events, in a process of their own, as each process builds Geant4 once."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_simulate, setup, events, data, score_absorber).result()


def _simulate(setup, events, data, score_absorber):
    run = geant4.start(setup, data, score_absorber)
    start = time.perf_counter()
    found = run(*kinematics(setup.beam, setup.seed, 0, events), engine_seeds(setup.seed, 0, events))
    return found, time.perf_counter() - start


if __name__ == "__main__":
    main()
