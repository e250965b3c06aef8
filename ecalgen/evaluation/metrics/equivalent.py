"""How many real showers a generator is worth, for each observable (in the sense of Bahl et al. 2025, arXiv:2509.08048).

N real showers fill K bins of probability p with frequencies f, and sum_k (f_k - p_k)^2 / p_k = (K - 1) / N on average.
A generator that can be sampled without end has a bias b = sum_k (q_k - p_k)^2 / p_k instead. So it is worth (K - 1) / b
real showers. A shower library is worth the showers that it holds. A generator can be worth more than its training set.
"""
import math

import numpy as np

from ecalgen.evaluation.metrics.bootstrap import interval
from ecalgen.evaluation.metrics.features import observable_columns
from ecalgen.evaluation.metrics.registry import Family, Measure, Metric, Table, register
from ecalgen.evaluation.wording import words
from ecalgen.machine.records import NUMBER, PAIR, Each

UNIT = 10_000
"""Showers whose mean statistical error is the unit of the headline number."""
BIAS = Family("Squared bias, in that of 10,000 showers", decimals=2)
BINS, FILLED = 40, 10
"""Largest number of bins, and real showers that each of them holds at least."""


def binned(real, other, bins=BINS):
    """Bins of equal numbers of real values: the bin of each value of both sets `[N]`, and their number K.

    Equal values share a bin, so there may be fewer bins.
    """
    bins = max(2, min(bins, len(real) // FILLED))
    edges = np.unique(np.quantile(real, np.linspace(0, 1, bins + 1)[1:-1]))
    ours, theirs = (np.searchsorted(edges, values, side="right") for values in (real, other))
    used, ours = np.unique(ours, return_inverse=True)
    nearest = np.clip(np.searchsorted(used, theirs), 0, len(used) - 1)
    return ours, nearest, len(used)


def bias(ours, theirs, shares):
    """b / (K - 1) without the noise of both samples: 0 on average without a difference.

    The noise is that of the paired differences, so it is right for showers of the same particles, too.

    Args:
      ours, theirs: bins of real and generated showers, `[N]` each.
      shares: p, the shares of the bins among all real showers, `[K]`.
    """
    count, bins = len(ours), len(shares)
    if bins < 2:
        return 0.0
    real, other, both = (np.bincount(which, minlength=bins) / count for which in (ours, theirs, ours[ours == theirs]))
    difference = other - real
    variance = (real + other - 2 * both - difference**2) / (count - 1)
    return float(np.sum((difference**2 - variance) / shares) / (bins - 1))


def worth(bias):
    """Number of real showers that a bias is worth; infinity for none or a negative one."""
    return 1 / bias if bias > 0 else math.inf


def compute(sets, settings):
    """{observable: bias, its interval, that of other real showers, the bins, and the worth in showers with its limit}.

    Biases are in units of 10,000 showers: a value of 2 is worth 5,000 of them. A worth is None where no bias is found.
    """
    ours, *others = map(observable_columns, sets[:3])
    found = {}
    for name, values in ours.items():
        for column in range(values.shape[1]):
            key = name if values.shape[1] == 1 else f"{name}_{column}"
            entry = {}
            for other, prefix in zip(others, ("value", "reference"), strict=True):
                *codes, bins = binned(values[:, column], other[name][:, column])
                shares = np.bincount(codes[0]) / len(values)
                whole = bias(*codes, shares)
                spread = [bias(*(which[rows] for which in codes), shares) for rows in _draws(len(values), settings)]
                bounds = interval(whole, spread, (-np.inf, np.inf))
                entry |= {prefix: UNIT * whole, f"{prefix}_interval" if prefix == "reference" else "interval":
                          [UNIT * bound for bound in bounds], "bins": bins}
            found[key] = entry | {"worth": _number(entry["value"]), "worth_at_least": _number(entry["interval"][1])}
    return found


def _number(value):
    """The worth of a bias in units of `UNIT`, for JSON."""
    showers = worth(value / UNIT)
    return None if math.isinf(showers) else showers


def _draws(count, settings):
    """Rows of each resampling."""
    rng = np.random.default_rng(settings.seed)
    return (rng.integers(count, size=count) for _ in range(settings.bootstrap))


def measures(entry):
    """The largest bias, and the largest bias between two real sets."""
    worst = max(entry.values(), key=lambda found: found["value"])
    other = max(entry.values(), key=lambda found: found["reference"])
    return {"largest": Measure(worst["value"], worst["interval"], other["reference"], other["reference_interval"])}


def tables(entry):
    """What each observable is worth in showers, the worst one first."""
    rows = [(words([name]), [*_worth(found["value"], found["interval"]),
                             *_worth(found["reference"], found["reference_interval"])])
            for name, found in sorted(entry.items(), key=lambda item: -item[1]["value"])]
    return [Table(["Worth, showers", "At least", "Real sets", "At least"], rows, "Observable")]


def explain(entry):
    """How to read the numbers."""
    bins = max(found["bins"] for found in entry.values())
    return (f"The generator's distribution of an observable, in up to {bins} bins, is as far from Geant4's as that of "
            "so many real showers. The lower limit is that of a 95 % interval. A dash stands where no bias is found; "
            "the limit then depends on the number of showers that are judged.")


def verdict(entry):
    """One sentence for the worst observable."""
    name, found = max(entry.items(), key=lambda item: item[1]["value"])
    value, least = _worth(found["value"], found["interval"])
    yield BIAS.mark(measures(entry)["largest"]), (
        f"by {words([name])}, the worst observable, generated showers are worth {value} real ones (at least {least})")


def _worth(value, bounds):
    """A number of showers and its lower limit, to two digits."""
    return [_rounded(worth(bias / UNIT)) for bias in (value, bounds[1])]


def _rounded(showers):
    if math.isinf(showers):
        return "–"
    digits = 1 - math.floor(math.log10(showers))
    return f"{int(round(showers, digits)):,}"


register(Metric("equivalent", compute, "Equivalent real showers", BIAS, measures, tables, explain, verdict,
                record=Each({"value": NUMBER, "interval": PAIR, "reference": NUMBER, "reference_interval": PAIR})))
