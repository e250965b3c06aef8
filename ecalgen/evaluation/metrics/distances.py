"""Wasserstein-1 distance and separation power between the distributions of single observables."""
import numpy as np

from ecalgen.evaluation.metrics.bootstrap import interval
from ecalgen.evaluation.metrics.registry import Family, Measure

WASSERSTEIN = Family("Wasserstein-1", logarithmic=True)
"""Distances between distributions of one quantity, in standard deviations of the real one."""
DISTANCE = Family("Distance", decimals=4, logarithmic=True)
"""Distances between sets of showers in all observables at once."""
BINS = 40
"""Bins of the histograms of the separation power."""
ROUNDING = 1e-6
"""Standard deviation of a constant in units of its size, as float32 may leave it."""


def wasserstein_distance(real, other):
    """W1, the mean |a_(i) - b_(i)| of sorted values over the real standard deviation, averaged over K columns.

    Args:
      real: `[N, K]`; a column whose standard deviation is 0, up to rounding, keeps its own unit.
      other: `[N, K]`.
    """
    deviation = real.std(axis=0)
    constant = deviation <= ROUNDING * np.abs(real).max(axis=0)
    distance = np.abs(np.sort(real, axis=0) - np.sort(other, axis=0)).mean(axis=0)
    return float((distance / np.where(constant, 1, deviation)).mean())


def separation_power(real, other):
    """S^2 = 1/2 sum (h1 - h2)^2 / (h1 + h2) of the shares h of showers per bin: 0 for equal ones, 1 for disjoint ones.

    Args:
      real, other: `[N, K]`, the bin of each shower as from `bin_indices`; the mean over K histograms is returned.
    """
    first, second = _shares(real), _shares(other)
    both = np.where(first + second > 0, first + second, 1)
    return float(((first - second) ** 2 / both).sum() / 2 / real.shape[1])


def bin_indices(values, real):
    """The bin of each value, `[M, K]` -> `[M, K]`: 1 to BINS, 0 for values below these and BINS + 1 for values above.

    The bins of a column are of equal width, from the 0.1 % to the 99.9 % quantile of the column of `real [N, K]`.
    """
    low, high = np.quantile(real, [0.001, 0.999], axis=0)
    position = (values - low) / np.maximum(high - low, 1e-6) * BINS
    return np.clip(np.floor(position), -1, BINS).astype(np.int64) + 1


def observable_distances(real, generated, seed=0, bootstrap=200):
    """W1 and separation power of each observable, with the moments of both sets.

    For observables of several columns (sparsity, rings), each number is the mean over the columns.

    Args:
      real: `{name: [N, K]}`, as from `observable_columns`.
      generated: `{name: [N, K]}` of as many generated showers.
      seed: of the bootstrap.
      bootstrap: resamplings of the showers, for `bootstrap.interval`.

    Returns:
      `{name: {"w1", "w1_interval", "separation", "separation_interval", "bins", "real_mean", "real_std",
      "generated_mean", "generated_std"}}`, w1 in units of the real standard
      deviation, moments in those of the observable.
    """
    return {name: _compare(real[name], generated[name], np.random.default_rng(seed), bootstrap) for name in real}


def distances_with_reference(real, generated, reference, seed=0, bootstrap=200):
    """`observable_distances` of generated showers, and those of other real ones for comparison.

    Args:
      real, generated, reference: `{name: [N, K]}`.
      seed: of the bootstrap.
      bootstrap: resamplings of the showers.

    Returns:
      `{name: ...}` of `observable_distances` with "w1_reference", "separation_reference" and their intervals.
    """
    result = observable_distances(real, generated, seed, bootstrap)
    for name, values in observable_distances(real, reference, seed, bootstrap).items():
        result[name] |= {f"{metric}_reference{suffix}": values[metric + suffix]
                         for metric in ("w1", "separation") for suffix in ("", "_interval")}
    return result


def w1_measure(entry):
    """The headline number of an entry of `distances_with_reference`; fields that old formats lack are None."""
    return Measure(entry["w1"], *map(entry.get, ("w1_interval", "w1_reference", "w1_reference_interval")))


def _compare(real, generated, rng, bootstrap):
    histograms = bin_indices(real, real), bin_indices(generated, real)
    w1, separation = wasserstein_distance(real, generated), separation_power(*histograms)
    drawn = [rng.integers(len(real), size=(2, len(real))) for _ in range(bootstrap)]
    distances = [wasserstein_distance(real[ours], generated[theirs]) for ours, theirs in drawn]
    separations = [separation_power(histograms[0][ours], histograms[1][theirs]) for ours, theirs in drawn]
    return {
        "w1": w1, "w1_interval": interval(w1, distances, bounds=(0, np.inf)),
        "separation": separation, "separation_interval": interval(separation, separations), "bins": BINS,
        "real_mean": float(real.mean()), "real_std": float(real.std(axis=0).mean()),
        "generated_mean": float(generated.mean()), "generated_std": float(generated.std(axis=0).mean()),
    }


def _shares(bins):
    """Share of the showers in each bin, for all columns in one row: `[N, K]` -> `[K (BINS + 2)]`."""
    offsets = (BINS + 2) * np.arange(bins.shape[1])
    return np.bincount((bins + offsets).ravel(), minlength=(BINS + 2) * bins.shape[1]) / len(bins)
