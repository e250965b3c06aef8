"""95 % intervals of numbers, from the same numbers of resampled showers."""
import numpy as np


def interval(value, resampled, bounds=(0, 1)):
    """95 % range of the number for as many other showers: [value + q2.5 - mean, value + q97.5 - mean].

    Distances between finite samples grow when showers are drawn with replacement, since this adds a second sampling
    noise. So the percentile interval is shifted to one side of the value, and the basic (reverse percentile) interval
    to the other. Both exclude the value itself. For a PRD-AUC of 400 clusters between two sets of 1,250 real showers,
    the shift is 0.18 and the interval 0.05 wide. Only the spread of the resampled numbers is used here. It agrees with
    the spread of the PRD-AUC between disjoint sets of real showers within a factor of 1.5.

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
    """The metric of `count` pairs of resampled sets: `[count, ...]`.

    Args:
      metric: a function of two sets.
      first, second: `[N, ...]` and `[M, ...]`; N and M rows are drawn from them with replacement.
      count: number of resamplings.
      seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    drawn = lambda rows: rows[rng.integers(len(rows), size=len(rows))]
    return np.array([metric(drawn(first), drawn(second)) for _ in range(count)])
