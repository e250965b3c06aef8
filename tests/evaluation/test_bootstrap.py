"""The interval: where it lies and how wide it is."""
import numpy as np
import pytest
from scipy.stats import norm

from ecalgen.evaluation.bootstrap import interval


def test_spread_of_the_resamplings_around_the_value():
    resampled = norm(0.55, 0.01).ppf((np.arange(2000) + 0.5) / 2000)
    assert interval(0.7, resampled) == pytest.approx([0.7 - 0.0196, 0.7 + 0.0196], abs=1e-4)


def test_stays_within_bounds():
    resampled = norm(0.5, 0.1).ppf((np.arange(2000) + 0.5) / 2000)
    assert interval(0.95, resampled)[1] == 1
    assert interval(0.05, resampled, bounds=(0, np.inf))[0] == 0
