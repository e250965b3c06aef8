"""95 % intervals of the numbers in an evaluation, from the same numbers of resampled showers."""
import numpy as np


def interval(value, resampled, bounds=(0, 1)):
    """Range of the number that other showers, as many, would give: [value + q2.5 - mean, value + q97.5 - mean].

    Distances between finite samples grow when showers are drawn with replacement, since a second sampling noise comes
    on top of the first. So the plain percentile interval lies on the wrong side of the value, and the basic (reverse
    percentile) one on the other: both leave the value itself out. For a PRD-AUC of 400 clusters and 1,250 real against
    1,250 other real showers the shift is 0.18 and the whole interval 0.05. Only the spread of the resampled numbers is
    used here; tried on disjoint sets of real showers, it is that of the PRD-AUC between them within a factor of 1.5.

    Args:
      value: the number on the showers themselves.
      resampled: `[B]`, the number on each resampling.
      bounds: least and largest value that the number can take.

    Returns:
      [low, high].
    """
    shift = value - np.mean(resampled)
    return np.clip(np.quantile(resampled, [0.025, 0.975]) + shift, *bounds).tolist()


def resampled(metric, first, second, count, seed=0):
    """The metric of `count` pairs of sets drawn with replacement from `[N, ...]` and `[M, ...]`, as large as these."""
    rng = np.random.default_rng(seed)
    drawn = lambda rows: rows[rng.integers(len(rows), size=len(rows))]
    return np.array([metric(drawn(first), drawn(second)) for _ in range(count)])
