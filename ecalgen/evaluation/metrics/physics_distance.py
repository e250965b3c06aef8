"""Frechet and kernel physics distance (Kansal et al. 2023, arXiv:2211.10295), in the definition of JetNet.

Both compare two sets of features. The Frechet distance compares means and covariances, the kernel distance all moments
up to the fourth. They depend on the scale of the features: here, each has mean 0 and standard deviation 1 over the real
showers.
"""
import numpy as np

from ecalgen.evaluation.metrics.bootstrap import interval
from ecalgen.evaluation.metrics.distances import DISTANCE
from ecalgen.evaluation.metrics.features import observable_features
from ecalgen.evaluation.metrics.registry import Measure, Metric, Table, register
from ecalgen.evaluation.wording import bracketed, number
from ecalgen.machine.records import NUMBER, PAIR

POINTS, BATCHES = 10, 20
"""Batch sizes from which the Frechet distance is extrapolated, and batches of each size."""
KERNEL_BATCHES, KERNEL_BATCH = 10, 5000
"""Batches of the kernel distance, and the largest number of showers in one."""
TITLES = {"fpd": "Frechet physics", "kpd": "kernel physics"}
"""Distance -> name of its headline number."""


def physics_distances(real, generated, reference, seed=0, bootstrap=200):
    """Both distances of generated and of other real showers from the real ones, on the standardised observables.

    Args:
      real, generated, reference: `Showers`, N each.
      seed: of batches and bootstrap.
      bootstrap: resamplings of the showers for the interval of the Frechet distance. The interval of the kernel
        distance is that of a normal distribution with its error.

    Returns:
      {"features", "scaling", "fpd" and "kpd": {"value", "error", "interval", the same of the reference, settings}}.
    """
    ours, names = observable_features(real)
    scaled = [standardised(observable_features(showers)[0], ours) for showers in (real, generated, reference)]
    sizes, batch = (max(2, 2 * len(ours) // 5), len(ours)), min(KERNEL_BATCH, len(ours) // 2)
    pairs = [("", scaled[1]), ("reference_", scaled[2])]
    fpd = {"min_samples": sizes[0], "max_samples": sizes[1], "points": POINTS, "batches": BATCHES}
    kpd = {"batch_size": batch, "batches": KERNEL_BATCHES, "kernel": f"(x.y / {len(names)} + 1)^4"}
    for prefix, other in pairs:
        value, error = frechet_physics_distance(scaled[0], other, *sizes, seed=seed)
        spread = [frechet_distance(*batches) for batches in _batches(scaled[0], other, sizes[1], bootstrap, seed)]
        fpd |= _entry(prefix, value, error, interval(value, spread, bounds=(0, np.inf)))
        value, error = kernel_physics_distance(scaled[0], other, batch, seed=seed)
        kpd |= _entry(prefix, value, error, [value - 1.96 * error, value + 1.96 * error])
    return {"features": names, "scaling": "mean 0 and deviation 1 over the real showers", "fpd": fpd, "kpd": kpd}


def standardised(features, real):
    """(x - mean) / deviation with the moments of `real`: `[N, F]`, `[M, F]` -> `[N, F]`; constant columns are 0."""
    deviation = real.std(axis=0, dtype=np.float64)
    constant = deviation <= 1e-6 * np.abs(real).max(axis=0)
    return np.where(constant, 0, (features - real.mean(axis=0, dtype=np.float64)) / np.where(constant, 1, deviation))


def frechet_distance(real, other):
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of the means m and covariances C of two sets: `[N, F]`, `[M, F]`.

    With C = A A^T, tr (C1 C2)^(1/2) is the sum of the singular values of A1^T A2, also where C has no full rank.
    """
    (first, second), shift = (np.cov(rows, rowvar=False) for rows in (real, other)), real.mean(0) - other.mean(0)
    overlap = np.linalg.norm(_root(first).T @ _root(second), "nuc")
    return float(shift @ shift + np.trace(first) + np.trace(second) - 2 * overlap)


def frechet_physics_distance(real, other, min_samples, max_samples, points=POINTS, batches=BATCHES, seed=0):
    """The Frechet distance at infinite N: the intercept of a straight line in 1/N.

    The line is fitted to the mean distance of batches, drawn with replacement, of sizes evenly spaced in 1/N. The bias
    of sets of the given size remains; the distance between two real sets shows it.

    Args:
      real, other: `[N, F]`, `[M, F]`.
      min_samples, max_samples: showers in the smallest and in the largest batch.
      points: sizes between them, both included.
      batches: of each size.
      seed: of the draws.

    Returns:
      The intercept, not below 0, and its error from the scatter about the line.
    """
    sizes = (1 / np.linspace(1 / min_samples, 1 / max_samples, points)).astype(int)
    means = [np.mean([frechet_distance(*pair) for pair in _batches(real, other, size, batches, (seed, size))])
             for size in sizes]
    (_, intercept), covariance = np.polyfit(1 / sizes, means, 1, cov=True)
    return max(float(intercept), 0.0), float(np.sqrt(covariance[1, 1]))


def kernel_distance(real, other):
    """Unbiased MMD^2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y), x != x', y != y', k = (x.y / F + 1)^4."""
    return float(_mean_kernel(real) + _mean_kernel(other) - 2 * _kernel(real, other).mean())


def kernel_physics_distance(real, other, batch_size, batches=KERNEL_BATCHES, seed=0):
    """Median of the kernel distance over batches drawn with replacement, and half of its range from 16 to 84 %."""
    values = [kernel_distance(*pair) for pair in _batches(real, other, batch_size, batches, (seed, batch_size))]
    low, median, high = np.quantile(values, [0.16275, 0.5, 0.83725])
    return float(median), float((high - low) / 2)


def measures(entry):
    """Both distances."""
    return {title: Measure(*(entry[name][field] for field in ("value", "interval", "reference", "reference_interval")))
            for name, title in TITLES.items()}


def tables(entry):
    """Both distances with their errors."""
    rows = [(f"{TITLES[name]} distance".capitalize(), [
        f"{number(found['value'])} ± {number(found['error'])}", bracketed(found["interval"]),
        number(found["reference"]), bracketed(found["reference_interval"])])
        for name, found in ((name, entry[name]) for name in TITLES)]
    return [Table(["Distance", "95 % interval", "Real sets", "Their interval"], rows)]


def explain(entry):
    """How both distances are computed."""
    fpd, kpd, count = entry["fpd"], entry["kpd"], len(entry["features"])
    return (f"Distances in {count} observables, scaled to mean 0 and standard deviation 1 of the real showers. "
            f"Frechet: a straight line in 1/N from {fpd['min_samples']} to {fpd['max_samples']} showers. "
            f"Kernel: (x·y / {count} + 1)⁴, median of {kpd['batches']} batches of {kpd['batch_size']} showers.")


def verdict(entry):
    """The Frechet distance, compared with that between two real sets."""
    fpd = entry["fpd"]
    yield DISTANCE.mark(measures(entry)[TITLES["fpd"]]), (
        f"Frechet physics distance {number(fpd['value'])} against {number(fpd['reference'])} between real sets")


def _entry(prefix, value, error, bounds):
    names = ["reference" if prefix else "value", f"{prefix}error", f"{prefix}interval"]
    return dict(zip(names, (value, error, bounds), strict=True))


def _batches(real, other, size, count, seed):
    """Pairs of batches drawn with replacement."""
    rng = np.random.default_rng(seed)
    return ((rows[rng.integers(len(rows), size=size)] for rows in (real, other)) for _ in range(count))


def _root(covariance):
    """A with A A^T = C."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(values.clip(0))


def _kernel(first, second):
    """(x.y / F + 1)^4 of all pairs: `[N, F]`, `[M, F]` -> `[N, M]`."""
    kernel = first @ second.T
    kernel /= first.shape[1]
    kernel += 1
    for _ in range(2):
        np.square(kernel, out=kernel)
    return kernel


def _mean_kernel(rows):
    """Mean over pairs of different rows."""
    kernel, count = _kernel(rows, rows), len(rows)
    return (kernel.sum() - np.trace(kernel)) / (count * (count - 1))


register(Metric(
    "physics_distance", lambda sets, settings: physics_distances(*sets[:3], settings.seed, settings.bootstrap),
    "All observables at once", DISTANCE, measures, tables, explain, verdict,
    record=dict.fromkeys(TITLES, {"value": NUMBER, "interval": PAIR, "reference": NUMBER,
                                  "reference_interval": PAIR})))
