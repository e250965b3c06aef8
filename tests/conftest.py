"""Settings of every test: strict shapes, compiled programs shared between tests, and a few real showers."""
import fcntl
import gc
import importlib
import os
import pathlib
import shutil

if "PYTEST_XDIST_WORKER" in os.environ:  # a core each: OpenMP threads of several processes spin while they wait
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(pathlib.Path(__file__).parents[1] / ".jax_cache"))
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # tiny networks: compiling takes longer than running
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.02")
os.environ["XLA_FLAGS"] = " ".join([  # a third of the time to compile, in the processes that tests start, too
    "--xla_cpu_use_fusion_emitters=false", "--xla_cpu_parallel_codegen_split_count=1", os.environ.get("XLA_FLAGS", "")])

import commands
import jax
import judging
import pytest

from ecalgen.data.files.formats import iter_showers
from ecalgen.data.files.writer import save_showers
from ecalgen.data.sources import sample_path

jax.config.update("jax_numpy_rank_promotion", "raise")
gc.set_threshold(50_000)  # traced programs are millions of objects; by default the search for cycles visits them often

MAPS = pathlib.Path("/proc/self/maps")
MANY = 45_000
"""Memory mappings of a process; Linux allows 65,530, and every compiled program takes some."""


@pytest.fixture(scope="module", autouse=True)
def few_mappings():
    """Compiled programs are given up at the end of a module whose process has many of them."""
    yield
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > MANY:
        jax.clear_caches()


@pytest.fixture(scope="session")
def showers():
    """The first 400 shipped Geant4 showers."""
    return next(iter_showers(sample_path("electron_5d"), 400))


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """`shared_folder(name, fill)`: a folder that `fill(folder)` fills once for all workers; tests only read it."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def get(name, fill):
        folder, done = base / name, base / f"{name}.done"
        with open(base / f"{name}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return get


@pytest.fixture(scope="session")
def few_showers(shared_folder):
    """A file of 1,600 shipped showers, 320 of them for the test: much faster to read and to judge with than all."""
    write = lambda folder: save_showers(folder / "few.npz", next(iter_showers(sample_path("electron_5d"), 1_600)))
    return shared_folder("few", write) / "few.npz"


@pytest.fixture(scope="session")
def finished_run(shared_folder):
    """A finished run of `configs/anchored.py:test`, judged by the whole protocol; tests only read it."""
    def run(folder):
        done = commands.command("ecalgen.main", "--config=configs/anchored.py:test", f"--workdir={folder}")
        assert done.output.strip().splitlines()[-1] == str(folder / "report.html")

    return shared_folder("main", run)


@pytest.fixture
def quick_judge(monkeypatch):
    """Evaluations of this process take few clusters, runs and trees."""
    judging.quick(monkeypatch.setitem)


@pytest.fixture
def recipe(monkeypatch):
    """`recipe("aux_twostep:test,regressor=cnn", **changes)`: a config as the command line reads it, with changes."""
    monkeypatch.syspath_prepend(pathlib.Path(__file__).parents[1])

    def get(name, **changes):
        system, _, preset = name.partition(":")
        config = importlib.import_module(f"configs.{system}").get_config(preset)
        config.update_from_flattened_dict(changes)
        return config

    return get
