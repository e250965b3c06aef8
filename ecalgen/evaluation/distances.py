"""Wasserstein-1 distances between the distributions of single observables."""
import numpy as np

from ecalgen.evaluation.bootstrap import interval


def wasserstein_distance(real, other):
    """W1, the mean |a_(i) - b_(i)| of sorted values, in units of the real deviation, as the mean over K numbers.

    Args:
      real: `[N, K]`; a column whose deviation is 0 keeps its own unit.
      other: `[N, K]`.
    """
    deviation = real.std(axis=0)
    distance = np.abs(np.sort(real, axis=0) - np.sort(other, axis=0)).mean(axis=0)
    return float((distance / np.where(deviation > 0, deviation, 1)).mean())


def wasserstein_distances(real, generated, seed=0, bootstrap=200):
    """W1 of each observable, with the moments of both sets.

    For observables of several numbers (sparsity, rings) everything is the mean over them.

    Args:
      real: `{name: [N, K]}`, as from `observable_columns`.
      generated: the same of as many generated showers.
      seed: of the bootstrap.
      bootstrap: resamplings of the showers, for `bootstrap.interval`.

    Returns:
      `{name: {"w1", "w1_interval", "real_mean", "real_std", "generated_mean", "generated_std"}}`, w1 in units of the
      real deviation, moments in those of the observable.
    """
    return {name: _compare(real[name], generated[name], np.random.default_rng(seed), bootstrap) for name in real}


def _compare(real, generated, rng, bootstrap):
    w1 = wasserstein_distance(real, generated)
    drawn = (rng.integers(len(real), size=(2, len(real))) for _ in range(bootstrap))
    resampled = [wasserstein_distance(real[ours], generated[theirs]) for ours, theirs in drawn]
    return {
        "w1": w1, "w1_interval": interval(w1, resampled, bounds=(0, np.inf)),
        "real_mean": float(real.mean()), "real_std": float(real.std(axis=0).mean()),
        "generated_mean": float(generated.mean()), "generated_std": float(generated.std(axis=0).mean()),
    }
