"""The PRD-AUC at infinite N: lines against exact ones, and the limit of two real sets."""
import numpy as np
import pytest

from ecalgen.evaluation.metrics.extrapolation import extrapolated, intercept
from ecalgen.evaluation.metrics.prd import prd_score


def blobs(seed, count):
    return np.random.default_rng(seed).normal(0, 1, (count, 3)).astype(np.float32)


@pytest.mark.parametrize("power", [-0.5, -1.0])
def test_a_straight_line_is_met_exactly(power):
    n = [1000, 500, 250]
    line = intercept(n, 0.97 - 3 * np.array(n, float) ** power, [0.01] * 3, power)
    assert line["auc"] == pytest.approx(0.97)


def test_error_of_two_points_by_hand():
    """At x = 1 and 2 the intercept is 2 y1 - y2, of error sqrt(4 + 1) e."""
    line = intercept([1, 4], [0.5, 0.4], [0.01, 0.01], 0.5)
    assert (line["auc"], line["error"]) == (pytest.approx(0.6), pytest.approx(0.01 * np.sqrt(5)))


def test_two_sets_of_one_distribution_reach_one():
    real, other = blobs(0, 2400), blobs(1, 2400)
    whole = prd_score(real, other, 60, 2, bootstrap=50)
    result = extrapolated(real, other, whole, bootstrap=50)
    assert (result["n"], result["runs"]) == ([2400, 1200, 600], [2, 2, 4])
    assert result["auc"][0] == whole.auc > result["auc"][1] > result["auc"][2]
    line = result["one_over_n"]
    assert line["auc"] == pytest.approx(1, abs=3 * line["error"]) and line["error"] < 0.02
    assert result["one_over_sqrt_n"]["auc"] > line["auc"]  # too far: between equal sets the noise enters as 1/N


def test_too_few_showers_are_not_extrapolated():
    real, other = blobs(0, 100), blobs(1, 100)
    result = extrapolated(real, other, prd_score(real, other, 40, 1, bootstrap=5), bootstrap=5)
    assert result["n"] == [100] and result["one_over_n"] is None and result["one_over_sqrt_n"] is None
