"""Is a model better than the baseline? Differences of runs that have the same seed, and what they tell."""
import statistics
from typing import NamedTuple

import scipy.stats

LEVEL = 0.95
"""Credibility of the interval."""


class Difference(NamedTuple):
    """What the seeds tell of the mean difference of two models.

    Args:
      seeds: n, how many seeds both models have.
      mean: of the differences.
      low, high: the two-sided interval of the mean difference; None with fewer than two seeds.
      probability: that the mean difference is above 0; None with fewer than two seeds.
    """

    seeds: int
    mean: float | None
    low: float | None = None
    high: float | None = None
    probability: float | None = None


def difference(ours, theirs):
    """The mean difference of two models, paired by seed.

    With differences d_i of n seeds, their mean d and their standard deviation s, and a prior that is flat in the mean
    and in log s, the mean difference has the posterior d + s / sqrt(n) t, where t is Student's with n - 1 degrees of
    freedom (Gelman et al., Bayesian Data Analysis, section 3.2).

    Args:
      ours, theirs: {seed: figure}; seeds that only one of them has do not count.
    """
    values = [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]
    mean = statistics.mean(values) if values else None
    if len(values) < 2:
        return Difference(len(values), mean)
    width = statistics.stdev(values) / len(values)**0.5
    if width == 0:
        return Difference(len(values), mean, mean, mean, 0.5 + 0.5 * ((mean > 0) - (mean < 0)))
    posterior = scipy.stats.t(len(values) - 1, mean, width)
    return Difference(len(values), mean, *map(float, posterior.interval(LEVEL)), float(posterior.sf(0)))


def verdict(found):
    """A `Difference` in words: the probability of `better`, and whether the interval excludes 0."""
    if found.seeds < 2:
        return "one seed" if found.seeds else "–"
    told = "not told" if found.low <= 0 <= found.high else "better" if found.mean > 0 else "worse"
    return f"{found.probability:.2f}, {told}"
