"""The PRD-AUC at infinite N, from a straight line through those of all showers, of halves and of quarters.

With few showers a cluster, the noise of the histograms lowers every PRD-AUC. So PRD-AUCs of different N do not compare,
but their limits at infinite N do. The noise of a share is of order 1/sqrt(N), which such extrapolations usually assume.
But sum min(lambda p, q) is linear in p and q wherever it does not switch between them. So its mean is lowered in second
order, as 1/N. Both lines are fitted. The ceiling shows which line to trust: its limit is 1, as both sets are of one
distribution.
"""
import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from ecalgen.evaluation.metrics.prd import prd_score

PARTS = (1, 2, 4)
"""Numbers of disjoint parts into which the showers are cut."""
SHOWERS_PER_CLUSTER = 2
"""Showers of each set that a part needs."""
LINES = {"one_over_sqrt_n": -0.5, "one_over_n": -1.0}
"""Name -> power of N in which the PRD-AUC is taken to be linear."""


def extrapolated(real, generated, whole, seed=0, bootstrap=200):
    """Extrapolate the PRD-AUC to infinite N from the whole sets and their parts.

    An error is the standard deviation of the bootstrap and that of the clusterings in quadrature, each over the root of
    the number of parts and of clusterings. The fit treats the sizes as independent, though they share their showers.

    Args:
      real, generated: `[N, F]` features.
      whole: their `PRD`. Each part gets a tenth of its runs, at least one.
      seed: of clusterings and bootstrap.
      bootstrap: resamplings of each part.

    Returns:
      {"n", "runs" (of all parts together), "auc", "error", and for each of LINES {"auc", "error"}}, the last two None
      where fewer than two sizes have SHOWERS_PER_CLUSTER.
    """
    sizes = {parts: whole.n // parts for parts in PARTS[1:]
             if whole.n // parts >= SHOWERS_PER_CLUSTER * whole.clusters}
    cuts = {parts: [slice(part * n, (part + 1) * n) for part in range(parts)] for parts, n in sizes.items()}
    runs = max(1, whole.runs // 10)
    score = lambda cut: prd_score(real[cut], generated[cut], whole.clusters, runs, seed + cut.start, bootstrap)
    scores = _in_parallel(score, sum(cuts.values(), []))
    points = [(whole.n, whole.runs, whole.auc, _error([whole]))]
    for parts, n in sizes.items():
        mine, scores = scores[:parts], scores[parts:]
        points.append((n, runs * parts, float(np.mean([score.auc for score in mine])), _error(mine, whole)))
    names = "n", "runs", "auc", "error"
    result = dict(zip(names, map(list, zip(*points, strict=True)), strict=True))
    return result | {name: intercept(result["n"], result["auc"], result["error"], power)
                     for name, power in LINES.items()}


def intercept(n, auc, error, power):
    """{"auc", "error"} at infinite N of the weighted straight line in N^power; None for fewer than two sizes."""
    if len(n) < 2:
        return None
    line, covariance = np.polyfit(np.array(n, float) ** power, auc, 1, w=1 / np.array(error), cov="unscaled")
    return {"auc": float(line[1]), "error": float(np.sqrt(covariance[1, 1]))}


def _in_parallel(function, arguments):
    """Apply a function to each argument in parallel, with one thread each; results do not depend on the cores."""
    with threadpool_limits(1):
        return joblib.Parallel(-1, prefer="threads")(joblib.delayed(function)(argument) for argument in arguments)


def _error(scores, whole=None):
    """Error of the mean PRD-AUC of disjoint parts; `whole` has the best standard deviation over clusterings."""
    sampling = np.sqrt(np.mean([np.ptp(score.interval) ** 2 for score in scores])) / 3.92
    clustering = (whole or scores[0]).std / np.sqrt(scores[0].runs)
    return max(float(np.hypot(sampling, clustering) / np.sqrt(len(scores))), 1e-6)
