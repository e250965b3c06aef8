"""Real Geant4 for the tests, where its wheel and data are; built once in a process, it gets one for each call."""
import concurrent.futures
import multiprocessing
import os
import pathlib

import pytest

from ecalgen.simulation import geant4
from ecalgen.simulation.beam import engine_seeds, kinematics

BESIDE = pathlib.Path(__file__).parents[3] / "shared" / "geant4" / "ledata"
"""Data for electrons and photons that may lie beside the clone."""
DATA = None if os.environ.get("GEANT4_DATA_DIR") or not BESIDE.is_dir() else BESIDE


def _missing():
    try:
        geant4.check_installed(DATA)
    except geant4.NoGeant4 as error:
        return str(error)
    return ""


needs_geant4 = pytest.mark.skipif(bool(_missing()), reason=_missing() or "none")


def simulate(setup, first, count, score_absorber=False):
    """(energy, absorbed) of some events, from a process of its own."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_simulate, setup, first, count, score_absorber).result()


def _simulate(setup, first, count, score_absorber):
    run = geant4.start(setup, DATA, score_absorber)
    return run(*kinematics(setup.beam, setup.seed, first, count), engine_seeds(setup.seed, first, count))
