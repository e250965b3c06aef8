"""Conditions of two sets of particles: the same beam, and another one."""
import numpy as np
import pytest

from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics import condition_distances
from ecalgen.evaluation.metrics.registry import Sets, Settings

SETTINGS = Settings(seed=0, bootstrap=20, features=(), clusters=5, runs=1, progress=False)


def beam(seed, energy, count=2_000):
    """Showers without energy, of particles along z of so many GeV, times a log-normal factor of a tenth."""
    rng = np.random.default_rng(seed)
    momentum = np.column_stack([np.zeros((count, 2)), energy * np.exp(rng.normal(0, 0.1, count))])
    return Showers(np.zeros((count, 30, 30)), momentum, rng.normal(size=(count, 2)))


def test_another_energy_is_told_in_standard_deviations():
    """Twice the energy is log 2 / 0.1 = 6.9 standard deviations away in log E; the points are those of one beam."""
    sets = Sets(beam(0, 10.0), beam(1, 20.0), beam(2, 10.0))
    entry = condition_distances.compute(sets, SETTINGS)
    assert entry["log_energy"]["w1"] == pytest.approx(np.log(2) / 0.1, abs=0.2)
    assert entry["track_x"]["w1"] < 0.1 and entry["slope_x"]["w1"] == 0
    (label, said), = condition_distances.verdict(entry)
    assert label == "Beware" and "other particles than the real ones (log energy with Wasserstein-1 " in said


def test_one_beam_is_not_told():
    entry = condition_distances.compute(Sets(beam(0, 10.0), beam(1, 10.0), beam(2, 10.0)), SETTINGS)
    assert not list(condition_distances.verdict(entry))
