"""The interval: where it lies and how wide it is."""
import numpy as np
import pytest
from scipy.stats import norm

from ecalgen.evaluation.metrics.bootstrap import interval, resampled


def test_spread_of_the_resamplings_around_the_value():
    resampled = norm(0.55, 0.01).ppf((np.arange(2000) + 0.5) / 2000)
    assert interval(0.7, resampled) == pytest.approx([0.7 - 0.0196, 0.7 + 0.0196], abs=1e-4)


def test_stays_within_bounds():
    resampled = norm(0.5, 0.1).ppf((np.arange(2000) + 0.5) / 2000)
    assert interval(0.95, resampled)[1] == 1
    assert interval(0.05, resampled, bounds=(0, np.inf))[0] == 0


def test_resampled_differences_spread_as_the_errors_of_both_means():
    rng = np.random.default_rng(0)
    first, second = rng.normal(0, 1, (400, 2)), rng.normal(1, 2, (900, 2))
    differences = resampled(lambda one, other: other.mean(0) - one.mean(0), first, second, 300)
    assert differences.shape == (300, 2)
    np.testing.assert_allclose(differences.mean(0), second.mean(0) - first.mean(0), atol=0.02)
    np.testing.assert_allclose(differences.std(0), np.sqrt(1 / 400 + 4 / 900), rtol=0.15)
