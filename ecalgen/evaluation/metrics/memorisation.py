"""Whether a generator repeats its training showers: how near its showers are to them."""
import math

import jax
import numpy as np

from ecalgen.data.observables import of_showers
from ecalgen.data.octant import fold_cells
from ecalgen.evaluation.metrics.bootstrap import interval, resampled
from ecalgen.evaluation.metrics.registry import Family, Measure, Metric, register
from ecalgen.evaluation.wording import bracketed, number, text
from ecalgen.machine.chunks import slices
from ecalgen.machine.records import NUMBER, PAIR

MEMORISED = Family("Near to reference showers [%]", decimals=2)
QUANTILE = 0.01
"""Share of the real showers that count as near to a training shower."""
CHUNK = 1024
"""Showers whose distances are computed at once."""
FOLDED = {8: "folded into one octant", 4: "folded into one quadrant", 1: "as they are"}
"""Number of symmetries of the grid -> what is done with the cells."""
TRAINING_CHUNK = 8 * CHUNK
"""Training showers that are held in memory at once."""


def memorisation(real, generated, training, seed=0, bootstrap=200):
    """Share of the generated showers that lie closer to a training shower than 1 % of other real showers do.

    The share is 0.01 when nothing is memorised. Copies raise it, also those that are scaled, mirrored or turned.
    Showers that are smoother than real ones may raise it too, since they are near to all showers.

    Args:
      real: `Showers` on which the generator was not trained.
      generated: `Showers`.
      training: all `Showers` on which it was trained; copies of other showers are not found.
      seed: of the bootstrap.
      bootstrap: resamplings of the generated and of the real showers, for `bootstrap.interval`.

    Returns:
      {"space", "training_showers" (their number), "quantile", "share", "interval", "real_median" and
      "generated_median" distance}.
    """
    real_cells, symmetries = math.prod(real.grid.shape), real.grid.symmetries
    real, generated = (nearest_distances(showers, training) for showers in (real, generated))
    share, spread = _share(real, generated), resampled(_share, real, generated, bootstrap, seed)
    return {"space": f"sqrt(e / S) of the {real_cells} cells, {FOLDED[symmetries]}", "training_showers": len(training),
            "quantile": QUANTILE, "share": share, "interval": interval(share, spread),
            "real_median": float(np.median(real)), "generated_median": float(np.median(generated))}


def nearest_distances(showers, training):
    """Distance |u - v| of each shower to its nearest training shower, u = sqrt(e / S): `[N]`, in [0, sqrt 2].

    All showers are folded into the octant px >= py >= 0, each by its own momentum. u has length 1 at any energy, so
    that scaled and mirrored copies are found. The square root gives the Poisson-like fluctuations of all cells about
    the same size, so that all cells count.
    """
    ours, overlap = _shapes(showers), np.zeros(len(showers), np.float32)
    for rows in slices(len(training), TRAINING_CHUNK):
        known = _shapes(training[rows]).T
        for chunk in slices(len(ours), CHUNK):
            overlap[chunk] = np.maximum(overlap[chunk], (ours[chunk] @ known).max(axis=1))
    return np.sqrt(np.maximum(2 - 2 * overlap, 0))


def measures(entry):
    """The share of near showers in %; for real showers, it is the quantile."""
    share, low, high, expected = (100 * value for value in (entry["share"], *entry["interval"], entry["quantile"]))
    return {"share of the generated": Measure(share, [low, high], expected, None)}


def explain(entry):
    """What was searched, and how."""
    expected = f"{100 * entry['quantile']:g} %"
    return (f"{number(100 * entry['share'], 2)} % {bracketed([100 * end for end in entry['interval']], 2)} of the "
            f"generated showers are closer to one of {text(entry['training_showers'])} reference showers than "
            f"{expected} of the real ones are. Distances are those of {entry['space']}. {expected} is "
            "expected when nothing is repeated. The number tells what the generator has memorised if it was trained "
            "on the reference.")


def verdict(entry):
    """A warning of more near showers than expected."""
    if entry["interval"][0] > entry["quantile"]:
        yield "Beware", (f"{number(100 * entry['share'], 1)} % of the generated showers lie closer to a training "
                         f"shower than {100 * entry['quantile']:g} % of other real ones do, as copies would, and as "
                         "showers smoother than real ones may")


def _shapes(showers):
    """sqrt(e / S) of the folded showers: `[N, cells]`, 0 where S = 0."""
    energy = of_showers(_folded, showers).reshape(len(showers), -1)
    total = energy.sum(axis=1, keepdims=True)
    return np.sqrt(energy / np.where(total > 0, total, 1))


@jax.jit
def _folded(energy, momentum, point, grid):
    """Cells folded by the symmetries of their grid."""
    del point
    return fold_cells(energy, momentum, grid)


def _share(real, generated):
    return float((generated < np.quantile(real, QUANTILE)).mean())


register(Metric(
    "memorisation",
    lambda sets, settings: memorisation(sets.real, sets.generated, sets.training, settings.seed, settings.bootstrap),
    "Memorisation", MEMORISED, measures, explain=explain, verdict=verdict,
    applies=lambda sets: sets.training is not None,
    record={"share": NUMBER, "interval": PAIR, "quantile": NUMBER}))
