"""Whether a generator repeats the showers it was trained on: how near its showers come to them."""
import jax
import numpy as np

from ecalgen.data.observables import of_showers
from ecalgen.data.octant import fold_cells
from ecalgen.evaluation.metrics.bootstrap import interval, resampled
from ecalgen.machine.chunks import slices

QUANTILE = 0.01
CHUNK = 1024
"""Showers whose distances are computed at once."""
TRAINING_CHUNK = 8 * CHUNK
"""Training showers that are held in memory at once."""


def memorisation(real, generated, training, seed=0, bootstrap=200):
    """Share of the generated showers that lie closer to a training shower than 1 % of other real showers do.

    It is 0.01 when nothing is memorised. Copies raise it, also those that are scaled, mirrored or turned. So may
    showers that are smoother than real ones, since those lie near everything.

    Args:
      real: `Showers` that were not trained on.
      generated: `Showers`.
      training: all `Showers` that were; a copy of one that is not among them is not found.
      seed: of the bootstrap.
      bootstrap: resamplings of the generated and of the real showers, for `bootstrap.interval`.

    Returns:
      {"space", "training_showers" (how many were searched), "quantile", "share", "interval", "real_median" and
      "generated_median" distance}.
    """
    real, generated = (nearest_distances(showers, training) for showers in (real, generated))
    share, spread = _share(real, generated), resampled(_share, real, generated, bootstrap, seed)
    return {"space": "sqrt(e / S) of the 900 cells, folded into one octant", "training_showers": len(training),
            "quantile": QUANTILE, "share": share, "interval": interval(share, spread),
            "real_median": float(np.median(real)), "generated_median": float(np.median(generated))}


def nearest_distances(showers, training):
    """Distance |u - v| of each shower to its nearest training shower, u = sqrt(e / S): `[N]`, in [0, sqrt 2].

    All showers are seen from the octant px >= py >= 0, each by its own momentum. u has length 1 at any energy, and the
    Poisson-like fluctuations of its cells are alike. So a scaled or mirrored copy is found, and all cells count.
    """
    ours, overlap = _shapes(showers), np.zeros(len(showers), np.float32)
    for rows in slices(len(training), TRAINING_CHUNK):
        known = _shapes(training[rows]).T
        for chunk in slices(len(ours), CHUNK):
            overlap[chunk] = np.maximum(overlap[chunk], (ours[chunk] @ known).max(axis=1))
    return np.sqrt(np.maximum(2 - 2 * overlap, 0))


def _shapes(showers):
    """sqrt(e / S) of the showers in the octant: `[N, 900]`, 0 where S = 0."""
    energy = of_showers(_folded, showers).reshape(len(showers), -1)
    total = energy.sum(axis=1, keepdims=True)
    return np.sqrt(energy / np.where(total > 0, total, 1))


@jax.jit
def _folded(energy, momentum, point):
    """Cells as seen from the octant: `[N, 30, 30]`."""
    del point
    return fold_cells(energy, momentum)


def _share(real, generated):
    return float((generated < np.quantile(real, QUANTILE)).mean())
