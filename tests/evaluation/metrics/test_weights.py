"""Weights and curves of classifiers whose scores are known in closed form."""
import numpy as np
import pytest
from scipy.stats import norm

from ecalgen.evaluation.metrics.prd import prd_auc, prd_curve
from ecalgen.evaluation.metrics.weights import calibrated, curve, effective_share, weights


def scores_of(shift, count=200_000, seed=0):
    """Probabilities that x is generated, of real x ~ N(0, 1) and generated x ~ N(shift, 1)."""
    x = np.random.default_rng(seed).normal(size=(2, count)) + [[0], [shift]]
    return norm.pdf(x, shift) / (norm.pdf(x) + norm.pdf(x, shift)), x


def test_weights_are_ratios_of_densities():
    scores, x = scores_of(0.5)
    np.testing.assert_allclose(weights(scores), norm.pdf(x) / norm.pdf(x, 0.5), rtol=1e-6)
    assert np.isfinite(weights(np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.8])
def test_the_effective_share_of_shifted_normals(shift):
    """E w^2 under the generated density is exp(shift^2)."""
    share = effective_share(weights(scores_of(shift)[0][1]))
    assert share == pytest.approx(np.exp(-shift**2), abs=0.02)


def test_overconfident_scores_are_mended():
    """Scores whose logits are three times too large have slope 1/3, and come back as probabilities."""
    scores, _ = scores_of(0.6)
    logits = np.log(scores / (1 - scores))
    mended, slope = calibrated(1 / (1 + np.exp(-3 * logits)))
    assert slope == pytest.approx(1 / 3, rel=0.03)
    np.testing.assert_allclose(mended, scores, atol=0.01)


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_the_curve_is_that_of_the_two_distributions(shift):
    """Along the likelihood ratio, thresholds lose nothing: the curve is that of fine histograms of x."""
    scores, x = scores_of(shift, 20_000)
    edges = np.linspace(-6, 8, 701)
    exact = [np.diff(norm.cdf(edges, at)) for at in (0, shift)]
    expected = prd_curve(*exact, 201)
    found = curve(*scores)
    np.testing.assert_allclose(found[0][:195], expected[0][:195], atol=0.02)  # beyond, single showers decide
    assert prd_auc(*found) == pytest.approx(prd_auc(*expected), abs=0.015)
    assert found[0][100] == pytest.approx(2 * norm.cdf(-shift / 2), abs=0.015)  # at 45 degrees: 1 - total variation


def test_a_curve_by_trying_every_threshold():
    real, generated = np.array([0.1, 0.2, 0.2, 0.7]), np.array([0.2, 0.6, 0.7, 0.9])
    precision, recall = curve(real, generated, 9)
    slopes = np.tan(np.linspace(1e-10, np.pi / 2 - 1e-10, 9))
    for slope, found in zip(slopes, precision, strict=True):
        tried = [slope * np.mean(real >= t) + np.mean(generated < t) for t in (0, 0.15, 0.25, 0.65, 0.8, 1)]
        assert found == pytest.approx(min(1, *tried))
    np.testing.assert_allclose(recall[1:-1], (precision / slopes)[1:-1].clip(0, 1))
