"""Settings of every test: strict shapes, compiled programs shared between tests, and a few real showers."""
import importlib
import os
import pathlib

if "PYTEST_XDIST_WORKER" in os.environ:  # a core each: OpenMP threads of several processes spin while they wait
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(pathlib.Path(__file__).parents[1] / ".jax_cache"))
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # tiny networks: compiling takes longer than running

import jax
import pytest

from ecalgen.data.files.formats import load_showers
from ecalgen.data.sources import sample_path

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)

MAPS = pathlib.Path("/proc/self/maps")
MANY = 30_000
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
    return load_showers(sample_path("electron_5d"))[:400]


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
