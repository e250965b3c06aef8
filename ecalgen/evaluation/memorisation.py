"""Whether a generator repeats the showers it was trained on: how near its showers come to them."""
import numpy as np

from ecalgen.evaluation.bootstrap import interval, resampled

QUANTILE = 0.01
CHUNK = 1000
"""Showers whose distances are computed at once."""


def memorisation(real, generated, training, seed=0, bootstrap=200):
    """Share of the generated showers that lie closer to a training shower than 1 % of other real showers do.

    It is 0.01 when nothing is memorised. Copies raise it; so may showers that are smoother than real ones, since those
    lie near everything.

    Args:
      real: `Showers` that were not trained on.
      generated: `Showers`.
      training: `Showers` that were.
      seed: of the bootstrap.
      bootstrap: resamplings of the generated and of the real showers, for `bootstrap.interval`.

    Returns:
      {"space", "training_showers", "quantile", "share", "interval", "real_median" and "generated_median" distance}.
    """
    real, generated = (nearest_distances(showers, training) for showers in (real, generated))
    share, spread = _share(real, generated), resampled(_share, real, generated, bootstrap, seed)
    return {"space": "sqrt(e / S) of the 900 cells", "training_showers": len(training), "quantile": QUANTILE,
            "share": share, "interval": interval(share, spread),
            "real_median": float(np.median(real)), "generated_median": float(np.median(generated))}


def nearest_distances(showers, training):
    """Distance |u - v| of each shower to its nearest training shower, u = sqrt(e / S): `[N]`, in [0, sqrt 2].

    u has length 1 at any energy and the Poisson-like fluctuations of its cells are alike, so that a copy is found
    also when it is scaled, and all cells count.
    """
    known = _shapes(training)
    overlap = [(_shapes(showers[first:first + CHUNK]) @ known.T).max(axis=1)
               for first in range(0, len(showers), CHUNK)]
    return np.sqrt(np.maximum(2 - 2 * np.concatenate(overlap), 0))


def _shapes(showers):
    """sqrt(e / S): `[N, 900]`, 0 where S = 0."""
    energy = showers.energy.reshape(len(showers), -1)
    total = energy.sum(axis=1, keepdims=True)
    return np.sqrt(energy / np.where(total > 0, total, 1))


def _share(real, generated):
    return float((generated < np.quantile(real, QUANTILE)).mean())
