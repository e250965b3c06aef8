"""Wasserstein distances against SciPy and known shifts."""
import numpy as np
import pytest
from scipy.stats import wasserstein_distance as scipy_wasserstein

from ecalgen.evaluation.distances import wasserstein_distance, wasserstein_distances
from ecalgen.evaluation.features import observable_columns


def test_is_that_of_scipy_in_deviations():
    rng = np.random.default_rng(0)
    real, other = rng.gamma(2, 1, (300, 3)), rng.normal(2, 1, (300, 3))
    expected = np.mean([scipy_wasserstein(real[:, k], other[:, k]) / np.std(real[:, k]) for k in range(3)])
    assert wasserstein_distance(real, other) == pytest.approx(expected, rel=1e-12)


def test_shift_by_one_deviation_is_one():
    real = np.random.default_rng(0).normal(5, 3, (100, 1))
    assert wasserstein_distance(real, real + real.std()) == pytest.approx(1)


def test_constant_column_keeps_its_unit():
    assert wasserstein_distance(np.zeros((10, 1)), np.full((10, 1), 0.25)) == 0.25


def test_each_observable(showers):
    real, generated = observable_columns(showers[:200]), observable_columns(showers[200:])
    result = wasserstein_distances(real, generated, bootstrap=40)
    assert set(result) == set(real)
    for name, values in result.items():
        low, high = values["w1_interval"]
        assert 0 <= low < values["w1"] < high, name
    width = result["longitudinal_width"]
    assert width["real_mean"] == pytest.approx(real["longitudinal_width"].mean())
    assert width["generated_std"] == pytest.approx(generated["longitudinal_width"].std())


def test_interval_covers_a_known_distance():
    """Two normal distributions half a deviation apart, whose distance is exactly 0.5."""
    rng = np.random.default_rng(0)
    result = wasserstein_distances({"x": rng.normal(0, 1, (500, 1))}, {"x": rng.normal(0.5, 1, (500, 1))})
    low, high = result["x"]["w1_interval"]
    assert low < 0.5 < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(2 / 500), rel=0.3)
