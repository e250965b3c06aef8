"""Settings of every test: strict shapes, and a few real showers."""
import os

os.environ.setdefault("OMP_NUM_THREADS", "2")

import jax
import pytest

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.formats import load_showers

jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(scope="session")
def showers():
    """The first 400 shipped Geant4 showers."""
    return load_showers(sample_path("electron_5d"))[:400]
