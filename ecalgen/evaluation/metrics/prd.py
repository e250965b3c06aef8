"""Precision and recall for distributions (Sajjadi et al. 2018, arXiv:1806.00035) and the area under their curve.

A PRD-AUC depends on clusters, runs, N and features. `PRD` holds the first three with it.
"""
import dataclasses

import joblib
import numpy as np
from scipy.integrate import trapezoid
from threadpoolctl import threadpool_limits

from ecalgen.evaluation.metrics.bootstrap import interval
from ecalgen.evaluation.metrics.registry import EvaluationError
from ecalgen.machine import host


@dataclasses.dataclass(frozen=True)
class Protocol:
    """Settings of a published PRD score, the smaller of the mean PRD-AUCs of two sets of features."""

    clusters: int
    runs: int
    features: tuple[str, str]


PROTOCOLS = {
    "paper": Protocol(clusters=400, runs=10, features=("raw", "physics")),
    "competition": Protocol(clusters=100, runs=100, features=("embedding", "legacy")),
}


@dataclasses.dataclass(frozen=True)
class PRD:
    """A PRD-AUC and the settings it depends on.

    `auc` and `std` are mean and standard deviation over runs. `precision` and `recall [angles]` are the mean curve.
    """

    auc: float
    std: float
    interval: list[float]
    precision: np.ndarray
    recall: np.ndarray
    clusters: int
    runs: int
    n: int


def prd_curve(p, q, angles=1001):
    """Precision sum min(lambda p, q) and recall, precision / lambda, for lambda = tan(phi) and phi in (0, pi/2).

    Args:
      p: `[K]`, histogram of the real set, summing to 1.
      q: `[K]`, histogram of the generated set, summing to 1.
      angles: how many phi, evenly spaced in [1e-10, pi/2 - 1e-10].

    Returns:
      precision `[angles]`, rising from 0, and recall `[angles]`, falling to 0.
    """
    slope = np.tan(np.linspace(1e-10, np.pi / 2 - 1e-10, angles))
    precision = np.minimum(slope[:, None] * p, q).sum(axis=1)
    return precision.clip(0, 1), (precision / slope).clip(0, 1)


def prd_auc(precision, recall):
    """Area under precision over recall, by trapezoids: 1 for equal distributions, 0 for disjoint ones."""
    return float(-trapezoid(precision, recall))


def ratio(auc, ceiling):
    """Ratio of a PRD-AUC to its ceiling; None where the ceiling is 0."""
    return auc / ceiling if ceiling > 0 else None


def prd_score(real, generated, clusters, runs, seed=0, bootstrap=200, progress=""):
    """PRD of two equally large sets of features, averaged over independent clusterings of their union.

    The interval is that of `bootstrap.interval`. The bootstrap keeps the clusterings. All runs share a resampling,
    because they share their showers. It uses 101 angles, which suffice for a spread.

    Args:
      real: `[N, F]`.
      generated: `[N, F]`.
      clusters: K of the k-means.
      runs: clusterings, each with its own seed derived from `seed`; the result does not depend on the cores.
      bootstrap: resamplings of the showers.
      progress: title of the progress bar; no bar is shown when empty.

    Raises:
      EvaluationError: for sets of different shapes, or fewer showers in both together than clusters.
    """
    if np.shape(real) != np.shape(generated):
        raise EvaluationError(f"PRD needs sets of one shape, not {np.shape(real)} and {np.shape(generated)}")
    if 2 * len(real) < clusters:
        raise EvaluationError(f"{2 * len(real)} showers cannot fill {clusters} clusters; give more of them")
    union = np.ascontiguousarray(in_own_span(np.concatenate([real, generated])), np.float32)
    labels = _cluster(union, clusters, np.random.SeedSequence(seed).generate_state(runs), progress)
    labels = labels.reshape(runs, 2, len(real))
    curves = np.array([prd_curve(*_histograms(pair, clusters)) for pair in labels])
    aucs = [prd_auc(*curve) for curve in curves]
    resampled = [_resampled_auc(labels, clusters, rng) for rng in np.random.default_rng(seed).spawn(bootstrap)]
    auc, (precision, recall) = float(np.mean(aucs)), curves.mean(axis=0)
    return PRD(auc, float(np.std(aucs)), interval(auc, resampled), precision, recall, clusters, runs, len(real))


def in_own_span(features):
    """The same points in coordinates of the space that they span, at the same distances: `[N, F]` -> `[N, min(N, F)]`.

    k-means depends on the distances alone. A thousand blocks of 15,625 cells need a thousand coordinates.
    """
    count, width = features.shape
    return features if width <= count else np.linalg.qr(features.T.astype(np.float64), mode="r").T


def kmeans_plusplus(features, clusters, random_state):
    """Greedy k-means++ centres, with the algorithm and the random draws of scikit-learn.

    scikit-learn computes the distances again for each centre, which takes four fifths of a fit's time on images. Here
    one matrix holds all distances.

    Args:
      features: `[N, F]`.
      clusters: K.
      random_state: a NumPy `RandomState`.

    Returns:
      `[K, F]`, rows of `features`.
    """
    points = features.astype(np.float64)
    norms = (points**2).sum(axis=1)
    distances = -2 * points @ points.T
    distances += norms
    distances += norms[:, None]
    np.maximum(distances, 0, out=distances)
    np.fill_diagonal(distances, 0)
    chosen = [random_state.choice(len(points), p=np.full(len(points), 1 / len(points)))]
    closest = distances[chosen[0]]
    for _ in range(clusters - 1):
        draws = random_state.uniform(size=2 + int(np.log(clusters))) * closest.sum()
        candidates = np.minimum(np.searchsorted(np.cumsum(closest), draws), len(points) - 1)
        trials = np.minimum(closest, distances[candidates])
        best = trials.sum(axis=1).argmin()
        chosen.append(candidates[best])
        closest = trials[best]
    return features[chosen]


def _cluster(features, clusters, seeds, progress):
    """Labels of all rows for each seed: `[runs, N]`.

    Fits run in parallel with one thread each, so that the order of sums does not depend on the cores.
    """
    from sklearn.cluster import MiniBatchKMeans  # slow to import

    def fit(seed):
        with threadpool_limits(1):
            kmeans = MiniBatchKMeans(clusters, init=kmeans_plusplus, n_init=10, random_state=int(seed))
            return kmeans.fit_predict(features)

    with threadpool_limits(1):
        labels = joblib.Parallel(-1, prefer="threads", return_as="generator")(map(joblib.delayed(fit), seeds))
        return np.array(list(host.progress(labels, progress, len(seeds), leave=False, disable=not progress)))


def _histograms(pair, clusters):
    """Shares of the clusters among real and generated showers: labels `[2, N]` -> `[2, K]`."""
    return np.array([np.bincount(labels, minlength=clusters) / len(labels) for labels in pair])


def _resampled_auc(labels, clusters, rng):
    """Mean PRD-AUC over runs, of real and generated showers drawn with replacement: labels `[runs, 2, N]`."""
    drawn = rng.integers(labels.shape[2], size=labels.shape[1:])
    pairs = np.take_along_axis(labels, drawn[None], axis=2)
    return np.mean([prd_auc(*prd_curve(*_histograms(pair, clusters), angles=101)) for pair in pairs])
