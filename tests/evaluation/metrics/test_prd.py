"""PRD against the original public code, k-means++ against scikit-learn, and the meaning of a score."""
import dataclasses

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.cluster import kmeans_plusplus as sklearn_kmeans_plusplus

from ecalgen.evaluation.metrics.prd import (
    PROTOCOLS,
    EvaluationError,
    in_own_span,
    kmeans_plusplus,
    prd_auc,
    prd_curve,
    prd_score,
)

PINNED_PRECISION = [1e-10, 0.1398908328, 0.2543680284, 0.3635531844, 0.4625215708, 0.5552424061, 0.6453563275,
                    0.7248805144, 0.800406421, 0.8711587956, 1.0]
PINNED_RECALL = [1.0, 0.8832359573, 0.7828642932, 0.7135132989, 0.6366063278, 0.5552424061, 0.4688788177, 0.36934507,
                 0.2600678112, 0.1379779983, 1e-10]
"""Every hundredth of the 1001 angles, as the original public PRD code gives them for `histograms`."""


@pytest.fixture
def histograms():
    rng = np.random.default_rng(7)
    return rng.dirichlet(np.ones(40)), rng.dirichlet(0.7 * np.ones(40))


def blobs(seed, shift=0.0, count=300):
    return np.random.default_rng(seed).normal(shift, 1, (count, 3)).astype(np.float32)


def test_curve_of_the_original_code(histograms):
    precision, recall = prd_curve(*histograms)
    assert precision.shape == recall.shape == (1001,)
    np.testing.assert_allclose(precision[::100], PINNED_PRECISION, rtol=0, atol=1e-9)
    np.testing.assert_allclose(recall[::100], PINNED_RECALL, rtol=0, atol=1e-9)


def test_auc_of_the_original_code(histograms):
    assert prd_auc(*prd_curve(*histograms)) == pytest.approx(0.5579185812429762, abs=1e-12)


def test_auc_of_equal_and_disjoint_histograms(histograms):
    same = histograms[0]
    assert prd_auc(*prd_curve(same, same)) == pytest.approx(1)
    assert prd_auc(*prd_curve(np.array([1.0, 0]), np.array([0, 1.0]))) == pytest.approx(0)


def test_invented_mass_costs_precision_and_dropped_mass_recall():
    """Real showers fill two clusters, generated ones only the first: all of them are real-like, half is missing."""
    precision, recall = prd_curve(np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    assert (precision.max(), recall.max()) == (pytest.approx(1), pytest.approx(0.5))


@pytest.mark.parametrize("seed", range(3))
def test_kmeans_plusplus_is_that_of_scikit_learn(seed):
    points = np.random.default_rng(seed).gamma(1, 1, (500, 30))
    ours = kmeans_plusplus(points, 50, np.random.RandomState(seed))
    np.testing.assert_array_equal(ours, sklearn_kmeans_plusplus(points, 50, random_state=seed)[0])


def test_few_points_of_many_cells_in_their_own_span():
    """Sixty points of three numbers, rotated into five hundred dimensions, keep their distances and scores."""
    turned = np.linalg.qr(np.random.default_rng(5).normal(size=(500, 3)))[0].T
    sets = blobs(0, count=30), blobs(1, 0.5, count=30)
    wide = [points @ turned for points in sets]
    assert in_own_span(wide[0]).shape == (30, 30) and in_own_span(sets[0]) is sets[0]
    np.testing.assert_allclose(pdist(in_own_span(wide[0])), pdist(sets[0]), rtol=1e-5)
    assert prd_score(*wide, 10, 3, bootstrap=5).auc == pytest.approx(prd_score(*sets, 10, 3, bootstrap=5).auc, abs=1e-6)


def test_score_orders_samples_by_quality():
    same, near, far = (prd_score(blobs(0), blobs(1, shift), 20, 2, bootstrap=10).auc for shift in (0, 0.5, 9))
    assert same > 0.9 > near > 0.3
    assert far == pytest.approx(0, abs=1e-6)


def test_score_says_what_it_depends_on():
    result = prd_score(blobs(0), blobs(1), 20, 3, bootstrap=50)
    assert (result.clusters, result.runs, result.n) == (20, 3, 300)
    assert result.precision.shape == result.recall.shape == (1001,)
    low, high = result.interval
    assert low < result.auc < high
    assert 0.01 < high - low < 0.15
    assert 0 < result.std < 0.05


def test_interval_covers_other_samples():
    """Of eight independent pairs of sets, most AUCs lie in the interval of the first."""
    first = prd_score(blobs(0, 0.3), blobs(1), 20, 2, bootstrap=100)
    others = [prd_score(blobs(2 * i, 0.3), blobs(2 * i + 1), 20, 2, bootstrap=2).auc for i in range(1, 9)]
    assert np.mean([first.interval[0] < auc < first.interval[1] for auc in others]) > 0.5


def test_repeats_exactly_on_any_number_of_cores(monkeypatch):
    results = []
    for cores in ("1", "3"):
        monkeypatch.setenv("LOKY_MAX_CPU_COUNT", cores)
        result = prd_score(blobs(0), blobs(1), 20, 4, seed=5, bootstrap=10)
        results.append([np.asarray(value) for value in dataclasses.astuple(result)])
    for one, three in zip(*results, strict=True):
        np.testing.assert_array_equal(one, three)


def test_seed_matters():
    assert prd_score(blobs(0), blobs(1), 20, 1, 0, 1).auc != prd_score(blobs(0), blobs(1), 20, 1, 1, 1).auc


def test_collapsed_generator_scores_nothing():
    assert prd_score(blobs(0), blobs(1)[:1].repeat(300, axis=0), 20, 2, bootstrap=2).auc < 0.2


def test_faults_are_named():
    with pytest.raises(EvaluationError, match="sets of one shape"):
        prd_score(blobs(0), blobs(1, count=299), 20, 1)
    with pytest.raises(EvaluationError, match="600 showers cannot fill 601 clusters"):
        prd_score(blobs(0), blobs(1), 601, 1)


def test_published_protocols():
    assert dataclasses.astuple(PROTOCOLS["paper"]) == (400, 10, ("raw", "physics"))
    assert dataclasses.astuple(PROTOCOLS["competition"]) == (100, 100, ("embedding", "legacy"))
