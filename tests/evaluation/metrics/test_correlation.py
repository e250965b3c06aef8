"""Correlation matrices against NumPy, their distance by hand, and real against broken showers."""
import numpy as np
import pytest

from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.correlation import correlation_distance, correlation_distances, correlations


def test_correlations_are_those_of_numpy():
    rows = np.random.default_rng(0).normal(size=(100, 4)) @ np.random.default_rng(1).normal(size=(4, 4))
    np.testing.assert_allclose(correlations(rows), np.corrcoef(rows, rowvar=False), atol=1e-12)


def test_a_constant_column_is_correlated_with_nothing():
    rows = np.column_stack([np.full(10, 0.1), np.arange(10)])
    np.testing.assert_allclose(correlations(rows), [[0, 0], [0, 1]], atol=1e-12)


def test_distance_by_hand():
    """Correlations 1 and -1: two of four entries differ by 2, so sqrt(8) / 4."""
    x = np.arange(5.0)
    assert correlation_distance(np.column_stack([x, x]), np.column_stack([x, -x])) == pytest.approx(np.sqrt(8) / 4)


def test_lost_correlations_are_seen(showers):
    """Cells shuffled within a shower keep its sparsities, but lose their correlations."""
    shuffled = np.random.default_rng(0).permuted(showers.energy[130:260].reshape(-1, 900), axis=1).reshape(-1, 30, 30)
    other = Showers(shuffled, showers.momentum[130:260], showers.point[130:260])
    result = correlation_distances(showers[:130], other, showers[260:390], bootstrap=20)
    assert result["interval"][0] > result["reference_interval"][1] > result["reference"] > 0
    assert result["definition"] == "Frobenius norm of the difference over the number of entries"
