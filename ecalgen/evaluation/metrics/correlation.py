"""Distance between the correlation matrices of the observables of generated and of real showers."""
import numpy as np

from ecalgen.evaluation.metrics.bootstrap import interval, resampled
from ecalgen.evaluation.metrics.distances import DISTANCE
from ecalgen.evaluation.metrics.features import observable_features
from ecalgen.evaluation.metrics.registry import Measure, Metric, register
from ecalgen.machine.records import NUMBER, PAIR


def correlation_distances(real, generated, reference, seed=0, bootstrap=200):
    """Distances of the correlation matrices of generated and of other real showers from that of the real ones.

    Args:
      real, generated, reference: `Showers`.
      seed: of the bootstrap.
      bootstrap: resamplings of the showers, for `bootstrap.interval`.

    Returns:
      {"features", "definition", "distance", "interval", "reference", "reference_interval"}.
    """
    (ours, names), (theirs, _), (others, _) = map(observable_features, (real, generated, reference))
    result = {"features": names, "definition": "Frobenius norm of the difference over the number of entries"}
    for prefix, name, rows in (("", "distance", theirs), ("reference_", "reference", others)):
        distance = correlation_distance(ours, rows)
        spread = resampled(correlation_distance, ours, rows, bootstrap, seed)
        result |= {name: distance, f"{prefix}interval": interval(distance, spread, bounds=(0, np.inf))}
    return result


def correlation_distance(first, second):
    """|R1 - R2| / F^2, the Frobenius norm over the number of entries, at most 2 / F, of `[N, F]` and `[M, F]`."""
    return float(np.linalg.norm(correlations(first) - correlations(second)) / first.shape[1] ** 2)


def correlations(rows):
    """Pearson's correlation matrix `[F, F]` of `[N, F]`; entries of constant columns are 0, also on the diagonal."""
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    norm = np.sqrt((centred**2).sum(axis=0))
    constant = norm <= 1e-6 * np.abs(rows).max(axis=0) * np.sqrt(len(rows))
    unit = np.where(constant, 0, centred / np.where(constant, 1, norm))
    return unit.T @ unit


def measures(entry):
    """The distance."""
    names = "distance", "interval", "reference", "reference_interval"
    return {"of correlation matrices": Measure(*map(entry.get, names))}


register(Metric(
    "correlation", lambda sets, settings: correlation_distances(*sets[:3], settings.seed, settings.bootstrap),
    "Correlations of the observables", DISTANCE, measures,
    explain=lambda entry: f"Between the correlation matrices of all observables: {entry['definition']}.",
    record={"distance": NUMBER, "interval": PAIR, "reference": NUMBER, "reference_interval": PAIR}))
