"""Two-sample tests on slices of the observables, by Kolmogorov-Smirnov and by Wasserstein (Grossi et al. 2024).

The paper is arXiv:2409.16336. The standardised observables are projected on random directions. The statistic is the
mean distance of the projected distributions. Its distribution without a difference comes from exchanging labels: within
pairs where both sets have the same particles, at random elsewhere.
"""
import numpy as np

from ecalgen.data.showers import same_particles
from ecalgen.evaluation.metrics.features import observable_features
from ecalgen.evaluation.metrics.physics_distance import standardised
from ecalgen.evaluation.metrics.registry import Family, Measure, Metric, Table, register
from ecalgen.evaluation.wording import number, text
from ecalgen.machine.records import NUMBER, PAIR

DEVIATION = Family("Sliced test, in deviations", decimals=1)
SLICES = 50
NAMES = {"kolmogorov_smirnov": "Kolmogorov-Smirnov", "wasserstein": "Wasserstein"}
"""Field -> name of the headline number."""
RECORD = dict.fromkeys(NAMES, {"value": NUMBER, "interval": PAIR, "reference": NUMBER, "reference_interval": PAIR})


def statistics(real, other, signs, directions):
    """Both mean distances over the slices, for each assignment of labels.

    Args:
      real, other: `[N, F]` each.
      signs: `[B, 2 N]` of +1 (real) and -1 (other), N of each in a row.
      directions: `[S, F]`.

    Returns:
      {"kolmogorov_smirnov", "wasserstein": `[B]`}.
    """
    pooled, count = np.concatenate([real, other]) @ directions.T, len(real)
    totals = {name: np.zeros(len(signs)) for name in NAMES}
    for values in pooled.T:
        order = np.argsort(values, kind="stable")
        steps = np.abs(np.cumsum(signs[:, order], axis=1, dtype=np.int32)) / count  # |F - G| after each value
        gaps = np.diff(values[order], append=values.max())
        totals["kolmogorov_smirnov"] += (steps * (gaps > 0)).max(axis=1)
        totals["wasserstein"] += steps @ gaps
    return {name: total / len(directions) for name, total in totals.items()}


def exchanged(count, times, paired, seed):
    """Labels: the true ones in the first row, exchanged ones in the `times` others: int8 `[1 + times, 2 count]`.

    Args:
      count: showers of each set.
      times: number of exchanges.
      paired: whether shower i of both sets belongs to the same particle; labels are then exchanged within pairs.
      seed: of the exchanges.
    """
    rng, labels = np.random.default_rng(seed), np.repeat(np.int8([1, -1]), count)
    if paired:
        flips = rng.choice(np.int8([1, -1]), (times, count))
        return np.concatenate([labels[None], np.concatenate([flips, -flips], axis=1)])
    return np.stack([labels, *(rng.permutation(labels) for _ in range(times))])


def compute(sets, settings):
    """{test: its statistic in standard deviations, with interval and p-value, and the same of other real showers}."""
    ours = observable_features(sets.real)[0]
    rng = np.random.default_rng(settings.seed)
    found = {name: {"slices": SLICES, "exchanges": settings.bootstrap} for name in NAMES}
    for other, prefix in ((sets.generated, ""), (sets.reference, "reference_")):
        rows = [standardised(features, ours) for features in (ours, observable_features(other)[0])]
        directions = rng.normal(size=(SLICES, ours.shape[1]))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        signs = exchanged(len(ours), settings.bootstrap, same_particles(sets.real, other), settings.seed)
        for name, (value, *others) in statistics(*rows, signs, directions).items():
            mean, deviation = np.mean(others), max(float(np.std(others)), 1e-12)
            off = float((value - mean) / deviation)
            found[name] |= {"reference" if prefix else "value": off, f"{prefix}interval": [off - 1.96, off + 1.96],
                            f"{prefix}statistic": float(value),
                            f"{prefix}p": (1 + int(np.sum(np.array(others) >= value))) / (1 + len(others))}
    return found


def measures(entry):
    """Both statistics, in standard deviations over the exchanges of labels."""
    return {title: Measure(*(entry[name][field] for field in ("value", "interval", "reference", "reference_interval")))
            for name, title in NAMES.items()}


def tables(entry):
    """Both tests with their p-values."""
    rows = [(NAMES[name], [f"{found['statistic']:.3g}", number(found["value"], 1), _p(found["p"], found),
                           number(found["reference"], 1), _p(found["reference_p"], found)])
            for name, found in entry.items()]
    return [Table(["Statistic", "Deviations", "p-value", "Deviations of real sets", "Their p-value"], rows)]


def explain(entry):
    """How the tests are made."""
    found = next(iter(entry.values()))
    return (f"Mean distance of the distributions along {found['slices']} random directions of the standardised "
            f"observables. Deviations are those from the mean of {text(found['exchanges'])} exchanges of the labels, "
            "in their standard deviations. The p-value is the share of exchanges with a larger statistic. It "
            "depends on the number of showers.")


def verdict(entry):
    """One sentence for the test with the larger deviation."""
    name, found = max(entry.items(), key=lambda item: item[1]["value"])
    yield DEVIATION.mark(measures(entry)[NAMES[name]]), (
        f"a sliced {NAMES[name]} test finds {number(found['value'], 1)} deviations (p {_p(found['p'], found)}), "
        f"{number(found['reference'], 1)} between real sets")


def _p(value, found):
    least = 1 / (1 + found["exchanges"])
    return f"< {least:.2g}" if value <= least else f"{value:.2g}"


register(Metric("sliced", compute, "Two-sample tests on slices", DEVIATION, measures, tables, explain, verdict,
                record=RECORD))
