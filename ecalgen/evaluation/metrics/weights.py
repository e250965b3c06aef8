"""Weights of showers by a calibrated classifier (Das, Krause et al. 2023), and its precision-recall curve (Simon 2019).

The papers are arXiv:2305.16774 and arXiv:1905.05441. The weight w = p(real) / p(generated) of a shower is the ratio of
the densities of real and generated showers there. Without a difference, it is 1 everywhere. Its tails show where a
generator fails: real showers that it makes too seldom have large weights, showers that Geant4 does not make small ones.
"""
import numpy as np

from ecalgen.evaluation.metrics.bootstrap import interval, resampled
from ecalgen.evaluation.metrics.c2st import binned_test
from ecalgen.evaluation.metrics.prd import prd_auc
from ecalgen.evaluation.metrics.registry import Family, Measure, Metric, Table, register
from ecalgen.evaluation.wording import bracketed, number
from ecalgen.machine.records import NUMBER, PAIR

WEIGHTS = Family("Classifier weights", larger_is_better=True)
NAMES = {"effective_share": "effective share", "curve_auc": "precision-recall"}
"""Field -> name of the headline number."""
QUANTILES = (0.01, 0.05, 0.5, 0.95, 0.99)
ANGLES = 201
"""Points of the precision-recall curve."""
CLIP = 1e-6
"""Distance of a score from 0 and 1, so that its logit is finite."""
RECORD = dict.fromkeys(NAMES, {"value": NUMBER, "interval": PAIR, "reference": NUMBER, "reference_interval": PAIR})


def calibrated(scores):
    """Scores `[2, N]` of real and generated showers, mapped by a logistic regression so that they are probabilities.

    Returns:
      scores `[2, N]` and the slope of the map: 1 for scores that were probabilities, below 1 for overconfident ones.
    """
    from sklearn.linear_model import LogisticRegression  # slow to import

    logits = np.log(np.clip(scores, CLIP, 1 - CLIP)) - np.log1p(-np.clip(scores, CLIP, 1 - CLIP))
    fit = LogisticRegression(C=np.inf).fit(logits.reshape(-1, 1), np.repeat([0, 1], scores.shape[1]))
    return fit.predict_proba(logits.reshape(-1, 1))[:, 1].reshape(scores.shape), float(fit.coef_[0, 0])


def weights(scores):
    """w = (1 - s) / s of probabilities s that a shower is generated."""
    scores = np.clip(scores, CLIP, 1 - CLIP)
    return (1 - scores) / scores


def effective_share(of_generated):
    """(mean w)^2 / mean w^2 of the generated showers' weights: the share of them that weighting would leave."""
    return float(of_generated.mean()**2 / (of_generated**2).mean())


def curve(real, generated, angles=ANGLES):
    """Precision a(l) = min_t [l P_real(s >= t) + P_generated(s < t)] and recall a(l) / l of a classifier's scores.

    Args:
      real, generated: scores `[N]`, `[M]`, larger for showers that look generated.
      angles: number of slopes l = tan(phi), phi in (0, pi/2).

    Returns:
      precision `[angles]`, rising, and recall `[angles]`, falling.
    """
    thresholds = np.concatenate([[-np.inf], np.unique(np.concatenate([real, generated])), [np.inf]])
    above = 1 - np.searchsorted(np.sort(real), thresholds, side="left") / len(real)
    below = np.searchsorted(np.sort(generated), thresholds, side="left") / len(generated)
    corners = _lower_corners(above, below)
    slope = np.tan(np.linspace(1e-10, np.pi / 2 - 1e-10, angles))
    precision = (slope[:, None] * above[corners] + below[corners]).min(axis=1)
    return precision.clip(0, 1), (precision / slope).clip(0, 1)


def _lower_corners(above, below):
    """Indices of the points where a minimum of l above + below can lie: those of the lower convex hull."""
    hull = []
    for index in range(len(above)):  # `above` falls, `below` rises
        while len(hull) > 1 and _turns(hull[-2], hull[-1], index, above, below):
            hull.pop()
        hull.append(index)
    return np.array(hull)


def _turns(first, middle, last, above, below):
    """Whether the middle point lies on or above the line from the first to the last."""
    return ((above[first] - above[middle]) * (below[last] - below[first])
            <= (below[middle] - below[first]) * (above[first] - above[last]))


NUMBERS = {"effective_share": lambda ours, theirs: effective_share(weights(calibrated(np.stack([ours, theirs]))[0][1])),
           "curve_auc": lambda ours, theirs: prd_auc(*curve(ours, theirs))}
"""Field -> the number, from scores of real and of generated showers. Each resampling is calibrated anew."""


def compute(sets, settings):
    """The headline numbers with those of other real showers, quantiles of the weights, and the slope of calibration."""
    result = {name: {} for name in NAMES}
    for other, value, bounds in ((sets.generated, "value", "interval"),
                                 (sets.reference, "reference", "reference_interval")):
        test = binned_test(sets.real, other, seed=settings.seed, bootstrap=settings.bootstrap)
        scores, slope = calibrated(test.scores)
        for name, found in NUMBERS.items():
            whole = float(found(*test.scores))
            spread = resampled(found, *test.scores, settings.bootstrap, settings.seed)
            result[name] |= {value: whole, bounds: interval(whole, spread)}
        result["generated" if value == "value" else "other"] = {
            "calibration_slope": slope, "quantiles": list(QUANTILES),
            "real_weights": np.quantile(weights(scores[0]), QUANTILES).tolist(),
            "their_weights": np.quantile(weights(scores[1]), QUANTILES).tolist()}
    return result


def measures(entry):
    """Both headline numbers."""
    return {title: Measure(*(entry[name][field] for field in ("value", "interval", "reference", "reference_interval")))
            for name, title in NAMES.items()}


def tables(entry):
    """Both numbers, and the quantiles of the weights."""
    rows = [(NAMES[name].capitalize(), [number(found["value"]), bracketed(found["interval"]), number(
        found["reference"]), bracketed(found["reference_interval"])]) for name, found in
        ((name, entry[name]) for name in NAMES)]
    quantiles = [(title, [number(weight, 2) for weight in entry[kind][which]]) for title, kind, which in (
        ("Real showers", "generated", "real_weights"), ("Generated showers", "generated", "their_weights"),
        ("Real, against other real ones", "other", "real_weights"),
        ("Other real ones", "other", "their_weights")) if kind in entry]
    heads = [f"{100 * quantile:g} %" for quantile in QUANTILES]
    return [Table(["Value", "95 % interval", "Real sets", "Their interval"], rows),
            Table(heads, quantiles, "Quantile of the weights of", "Weights", narrow=True)]


def explain(entry):
    """How to read the numbers."""
    slope = entry.get("generated", {}).get("calibration_slope")
    return ("Weights are ratios of the densities of real and generated showers, from boosted trees on the observables "
            "and the particle, calibrated by a logistic regression"
            + (f" of slope {number(slope, 2)}" if slope is not None else "") +
            ". The effective share is the share of the generated showers that is left when they are weighted. "
            "Precision-recall is the area under the curve that the classifier's thresholds give. Both are 1 without a "
            "difference.")


def verdict(entry):
    """One sentence on the effective share."""
    found, name = entry["effective_share"], NAMES["effective_share"]
    yield WEIGHTS.mark(measures(entry)[name]), (
        f"{number(found['value'])} of the generated showers are left when a classifier weights them, "
        f"{number(found['reference'])} of other real ones")


register(Metric("weights", compute, "Weights of a calibrated classifier", WEIGHTS, measures, tables, explain, verdict,
                record=RECORD))
