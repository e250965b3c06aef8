"""Production of samples: processes simulate chunks of events, which are kept and joined into one file at the end.

An event depends only on its setup and its index. So a production may be split in any way, killed at any time and
continued, and its file is always the same.
"""
import concurrent.futures
import contextlib
import dataclasses
import functools
import json
import multiprocessing
import os
import pathlib
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np
from tqdm import tqdm

from ecalgen.data.files.formats import format_module
from ecalgen.data.files.writer import ShowerWriter
from ecalgen.data.particles import beside, named
from ecalgen.data.showers import KEYS, Showers
from ecalgen.errors import UserError
from ecalgen.machine import cluster
from ecalgen.machine.chunks import slices
from ecalgen.machine.files import replacing, write_text
from ecalgen.machine.host import progress
from ecalgen.machine.provenance import version, versions
from ecalgen.machine.seeds import NUMBERS
from ecalgen.simulation import geant4
from ecalgen.simulation.beam import PARTICLES, engine_seeds, kinematics
from ecalgen.simulation.geant4 import Setup

VERSIONED = ("ecalgen", "numpy")
"""Packages whose versions a file records in addition to that of the simulation."""


class ProductionError(UserError):
    """A production that cannot start or go on; the message says what to change."""


@dataclasses.dataclass(frozen=True)
class Production:
    """Events `first` to `first + events - 1` of a setup, in chunks of `chunk` events.

    Without `chunk` there are 50 chunks, or more of at most 100 events.

    Raises:
      ProductionError: for a number of events or a chunk below one, or an index below zero or beyond 2^63 - 1.
    """

    setup: Setup
    events: int
    first: int = 0
    chunk: int | None = None

    def __post_init__(self):
        for name, lowest in (("events", 1), ("chunk", 1), ("first", 0)):
            if getattr(self, name) is not None and getattr(self, name) < lowest:
                raise ProductionError(f"{name} is {getattr(self, name)}; give a whole number from {lowest}")
        if self.first + self.events > NUMBERS:
            raise ProductionError(f"the last event is beyond 2^63 - 1, as first is {self.first}; give a smaller one")

    @property
    def chunks(self) -> list[tuple[int, int]]:
        """(first event, number of events) of each chunk."""
        size = self.chunk or min(100, -(-self.events // 50))
        return [(self.first + part.start, part.stop - part.start) for part in slices(self.events, size)]


def produce(production: Production, out: os.PathLike | str, workers: int = 1, data: os.PathLike | str | None = None,
            dtype: str = "float32", scheduler: str | None = None) -> pathlib.Path:
    """Simulate with Geant4 into the file `out`; finished chunks are kept in `out.parts`, so a killed call can go on.

    Args:
      production: what to simulate.
      out: file to write: npz, root or h5, but not root for a calorimeter that is read out in depth.
      workers: number of processes.
      data: folder of Geant4's data, see `geant4.find_data`.
      dtype: of the energies in the file, float32 or float16, which rounds them to 0.05 %.
      scheduler: address of a Dask cluster that simulates in place of `workers`, see `cluster.connect`.

    Raises:
      ProductionError: the file exists, its suffix cannot hold these showers, the folder holds parts of another
        production, a process died, or the cluster's workers cannot do it.
      ClusterError: no cluster, or its workers keep dying.
      NoGeant4: the wheel or the data are missing.
    """
    out = pathlib.Path(out).absolute()
    check_out(out, production.setup.calorimeter, dtype)
    geant4.check_installed(data)
    made_by = {"name": "geant4", "physics": production.setup.physics, "cut": production.setup.cut,
               "tables": geant4.tables(data), "version": version("geant4-pybind")}
    provenance = bookkeeping(production, made_by)
    parts = _open_parts(out.with_name(out.name + ".parts"), {"chunks": production.chunks} | provenance)
    todo = [chunk for chunk in production.chunks if not _part(parts, chunk[0]).exists()]
    if todo:
        pool, task = ((cluster.make_pool(scheduler), simulate_apart) if scheduler else
                      (_processes(min(workers, len(todo))), simulate_chunk))
        _run(production, todo, functools.partial(task, production.setup, parts=parts, data=data), pool)
    write_showers(out, production.setup, _read_parts(production, parts), provenance, dtype)
    shutil.rmtree(parts)
    return out


def parametrise(production: Production, out: os.PathLike | str, dtype: str = "float32") -> pathlib.Path:
    """Simulate with `gflash` into the file `out`; arguments and errors are those of `sample`."""
    from ecalgen.simulation.gflash import Gflash  # needs JAX, which the processes of Geant4 do without

    gflash = Gflash(production.setup.calorimeter, particle=production.setup.beam.particle)
    made_by = {"name": "gflash", "tuning": gflash.tuning._asdict(), "version": version("jax")}
    return sample(production, gflash, made_by, out, dtype)


def generate(production: Production, model: str, out: os.PathLike | str, dtype: str = "float32") -> pathlib.Path:
    """Showers of a trained generator, at the particles of a beam, into the file `out`.

    Args:
      model: a run's folder, or the name of a shipped model.
      production, out, dtype: those of `sample`.

    Raises:
      ProductionError: an error of `sample`, or a calorimeter that no generator was trained on.
      WeightsError: no such model, or its files are damaged.
    """
    from ecalgen.sampling.sampler import load_sampler

    sampler, calorimeter = load_sampler(model), production.setup.calorimeter
    if sampler.grid != calorimeter.grid:
        raise ProductionError(f"{model} makes showers of {sampler.grid} ({sampler.grid.name}), not of the calorimeter "
                              f"{calorimeter.name}; give --calorimeter={sampler.grid.name}, or another generator")
    provenance = sampler.card.get("provenance", {})
    made_by = {"name": str(model), "system": sampler.card["system"], "steps": sampler.card["steps"],
               "trained": {name: provenance[name] for name in ("commit", "seed", "date") if name in provenance},
               "version": version("jax")}
    return sample(production, sampler, made_by, out, dtype)


def sample(production: Production, sampler: Callable, made_by: dict, out: os.PathLike | str,
           dtype: str = "float32") -> pathlib.Path:
    """Write showers of a fast simulation into the file `out`, block by block; a killed call keeps nothing.

    Args:
      production: which particles, in which blocks.
      sampler: (momentum GeV, point cm, seed, first) -> cells in MeV.
      made_by: name, version and settings of the simulation, for the file.
      out, dtype: those of `produce`.

    Raises:
      ProductionError: the file exists, its suffix cannot hold these showers, or a particle misses the calorimeter.
    """
    out, setup = pathlib.Path(out), production.setup
    check_out(out, setup.calorimeter, dtype)
    check_hits(production)

    def blocks():
        with progress(total=production.events, desc=made_by["name"], unit="event") as bar:
            for first, count in production.chunks:
                momentum, point = kinematics(setup.beam, setup.seed, first, count)
                energy = sampler(momentum, point / 10, setup.seed, first)
                yield energy, momentum, point, first + np.arange(count)
                bar.update(count)

    write_showers(out, setup, blocks(), bookkeeping(production, made_by), dtype)
    return out


def check_hits(production: Production) -> None:
    """Check that every particle enters the front face; a fast simulation makes no shower for the others.

    Raises:
      ProductionError: a particle enters outside of it.
    """
    setup, misses = production.setup, []
    for first, count in production.chunks:
        _, point = kinematics(setup.beam, setup.seed, first, count)
        misses.extend(first + np.nonzero(beside(point / 10, setup.calorimeter.grid))[0])
    if misses:
        raise ProductionError(f"{len(misses)} of {production.events} particles (events {named(misses)}) miss the front "
                              f"face of the {setup.calorimeter.name} calorimeter, {setup.calorimeter.width / 10:g} cm "
                              "wide; lower --slope-spread or --track-spread, or change --slope or --track")


def check_out(out: pathlib.Path, calorimeter, dtype: str = "float32") -> None:
    """Check before any work that the file can be written in the end.

    Raises:
      ProductionError: it exists, or its format or `dtype` cannot hold showers of this calorimeter.
      BadShowers: a library that it needs is not installed.
    """
    if out.exists():
        raise ProductionError(f"{out} exists already; remove it, or give another name")
    format_module(out)


def simulate_chunk(setup: Setup, chunk: tuple[int, int], parts: pathlib.Path, data: os.PathLike | str | None) -> int:
    """Simulate the events (first, number) of a chunk into a file of the folder `parts`; return their number."""
    first, count = chunk
    path = _part(parts, first)
    if path.exists():  # when the worker that made it has died since
        return count
    _check_worker(parts)
    momentum, point = kinematics(setup.beam, setup.seed, first, count)
    energy, _ = _engine(setup, data)(momentum, point, engine_seeds(setup.seed, first, count, setup.repeat))
    with replacing(path) as partial, open(partial, "xb") as file:
        np.savez_compressed(file, energy=energy, momentum=momentum, point=point)
    return count


def bookkeeping(production: Production, made_by: dict) -> dict:
    """Everything that the events of a production depend on, for the file.

    Args:
      production: what was simulated.
      made_by: name, version and settings of the simulation.
    """
    setup = production.setup
    return {
        "made_by": made_by, "calorimeter": dataclasses.asdict(setup.calorimeter),
        "beam": dataclasses.asdict(setup.beam), "seed": setup.seed, "repeat": setup.repeat,
        "first": production.first, "events": production.events,
        "units": {KEYS["energy"]: "MeV", KEYS["momentum"]: "GeV", KEYS["point"]: "cm",
                  "calorimeter, beam": "mm, GeV, g/cm3"},
        "versions": versions(VERSIONED),
    }


def write_showers(out, setup, blocks, provenance, dtype):
    """Write blocks of (energy in MeV, momentum in GeV, point in mm, index) into one file, one after the other."""
    pdg = PARTICLES[setup.beam.particle]
    with ShowerWriter(out, provenance, energy_dtype=dtype) as writer:
        for energy, momentum, point, index in blocks:
            codes, grid = np.full(len(index), pdg), setup.calorimeter.grid
            writer.append(Showers(energy, momentum, point / 10, codes, grid), index)


def _run(production, todo, task, pool):
    """Run the task on every chunk of `todo` in the processes of a pool."""
    done = production.events - sum(count for _, count in todo)
    with progress(total=production.events, initial=done, desc=production.setup.calorimeter.name, unit="event") as bar, \
            _interruptible(), pool as executor:
        futures = [executor.submit(task, chunk) for chunk in todo]
        try:
            for future in concurrent.futures.as_completed(futures):
                bar.update(future.result())
        except concurrent.futures.process.BrokenProcessPool as error:
            raise ProductionError("a simulating process died: see Geant4's message above, or, if there is none, give "
                                  "it more memory or fewer --workers; the events finished are kept, and the same "
                                  "command goes on from there") from error


@contextlib.contextmanager
def _processes(workers):
    """A pool of fresh processes; after an error here its waiting work is dropped."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(workers, context, initializer=_set_up_worker) as pool:
        try:
            yield pool
        except BaseException:
            tqdm.write("stopping after the chunks under way", file=sys.stderr)
            pool.shutdown(wait=True, cancel_futures=True)
            raise


@contextlib.contextmanager
def _interruptible():
    """Treat SIGTERM like Ctrl-C."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number, _frame):
    raise KeyboardInterrupt


def _set_up_worker():
    """Leave Ctrl-C to the parent, drop Geant4's banner, and end with the parent even when that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


def _check_worker(parts):
    """Raise a ProductionError if this process cannot add to the folder."""
    described = parts / "production.json"
    if not described.exists():
        raise ProductionError(f"the worker on {socket.gethostname()} does not see {parts}; write to a file system that "
                              "all workers share")
    made_by, here = json.loads(described.read_text()), versions(VERSIONED)
    if (there := made_by["versions"]) != here:
        raise ProductionError(f"the worker on {socket.gethostname()} has {here}, where the production was started with "
                              f"{there}; give them one environment")


@functools.cache
def _engine(setup, data):
    return geant4.start(setup, data)


def simulate_apart(setup: Setup, chunk: tuple[int, int], parts: pathlib.Path, data: os.PathLike | str | None) -> int:
    """`simulate_chunk` in a process that a Dask worker keeps for one setup, as a process builds Geant4 only once."""
    return _own_process(setup).submit(simulate_chunk, setup, chunk, parts, data).result()


@functools.lru_cache(maxsize=1)
def _own_process(_setup):
    multiprocessing.current_process().daemon = False  # or a Dask worker may have no children
    return concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_set_up_worker)


def _open_parts(parts, description):
    """Make the folder of parts, or check that it belongs to the same production."""
    text = json.dumps(description, indent=1)
    described = parts / "production.json"
    if described.exists() and described.read_text() != text:
        raise ProductionError(f"{parts} holds parts of another production, by its settings or versions (see "
                              f"{described}); give those it was started with, or remove it")
    parts.mkdir(parents=True, exist_ok=True)
    write_text(described, text)
    return parts


def _part(parts, first):
    return pathlib.Path(parts) / f"{first:09d}.npz"


def _read_parts(production, parts) -> Iterator[tuple[np.ndarray, ...]]:
    """(energy in MeV, momentum in GeV, point in mm, index) of each chunk."""
    for first, count in production.chunks:
        with np.load(_part(parts, first)) as part:
            yield part["energy"], part["momentum"], part["point"], first + np.arange(count)
