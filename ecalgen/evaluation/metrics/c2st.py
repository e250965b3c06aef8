"""Classifier two-sample tests: how well a classifier tells generated from real showers, overall and in bins."""
import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from ecalgen.data.showers import incident_energy, reference_point, slopes
from ecalgen.evaluation.metrics.bootstrap import interval, resampled
from ecalgen.evaluation.metrics.features import cell_features, image_features, observable_features
from ecalgen.evaluation.metrics.neural import image_classifier
from ecalgen.evaluation.metrics.registry import Family, Measure, Metric, Table, register
from ecalgen.evaluation.wording import bracketed, number, text, words
from ecalgen.machine import host
from ecalgen.machine.records import NUMBER, PAIR, Each

AUC = Family("Classifier AUC", chance=0.5)

EDGES = {
    "energy_gev": (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0),
    "angle_degrees": (0.0, 6.0, 12.0, 18.0, 90.0),
    "azimuth_degrees": (0.0, 90.0, 180.0, 270.0, 360.0),
}
"""Quantity -> edges of its bins: the incident energy, the angle to the normal, and the azimuth from x to y."""
ENTRY = (0.0, 0.25, 0.4, 0.55)
"""Edges, in cells, of the bins of the distance of the track from the centre in the reference plane."""
UNITS = {"energy_gev": "GeV", "angle_degrees": "° to the normal", "azimuth_degrees": "° of azimuth",
         "entry_cm": "cm from the centre"}
"""Quantity -> unit of its edges in the report."""
SMALLEST_BIN = 100
"""Showers of each set that a bin needs."""


@dataclasses.dataclass(frozen=True)
class Classifier:
    """A classifier and its input: `make(seed)` -> classifier, `features(showers)` -> (`[N, F]`, names)."""

    make: Callable
    features: Callable
    description: str
    folds: int


def _trees(seed):
    from sklearn.ensemble import HistGradientBoostingClassifier  # slow to import
    return HistGradientBoostingClassifier(early_stopping=False, random_state=seed)


TREES = "gradient-boosted trees, 100 of 31 leaves"
CLASSIFIERS = {
    "observables": Classifier(_trees, observable_features, TREES, 5),
    "observables_and_conditions": Classifier(
        _trees, lambda showers: observable_features(showers, with_conditions=True), TREES, 5),
    "cells": Classifier(_trees, cell_features, TREES, 3),
    "images": Classifier(image_classifier, image_features, "convolutional network, 3 layers", 3),
}
BINNED = "observables_and_conditions"
"""The classifier whose AUC is also given in bins of the conditions."""
MATCHED = ("observables", "images")
"""Classifiers that also compare with showers that Geant4 made a second time of the real particles."""


@dataclasses.dataclass(frozen=True)
class C2ST:
    """Area under the ROC curve (0.5: indistinguishable, 1: always told apart), its interval, and the classifier.

    `scores [2, N]` are the predicted probabilities that real and generated showers are generated.
    """

    auc: float
    interval: list[float]
    classifier: str
    features: list[str]
    scores: np.ndarray = dataclasses.field(repr=False, compare=False)


def c2st(real, generated, classifier="observables", seed=0, bootstrap=200):
    """AUC of a classifier, trained and scored by cross-validation, between two equally large sets of showers.

    Real and generated shower i are in the same fold, so that half of each fold is real. Where both belong to the same
    particle, the classifier cannot learn from one of them the opposite label of the other. That would push the AUC
    below 0.5.

    Args:
      real, generated: `Showers`, N each.
      classifier: one of CLASSIFIERS.
      seed: of folds, classifier and bootstrap.
      bootstrap: resamplings of the scores, for `bootstrap.interval`.

    Raises:
      ValueError: for sets of different sizes, or an unknown classifier.
    """
    if len(real) != len(generated):
        raise ValueError(f"C2ST needs equally many showers, not {len(real)} real and {len(generated)} generated")
    if classifier not in CLASSIFIERS:
        raise ValueError(f"no classifier is called {classifier!r}; there are {', '.join(CLASSIFIERS)}")
    chosen = CLASSIFIERS[classifier]
    (ours, names), (theirs, _) = (chosen.features(showers) for showers in (real, generated))
    scores = cross_validated_scores(chosen.make(seed), ours, theirs, chosen.folds, seed)
    description = f"{chosen.description}; {chosen.folds} folds"
    return C2ST(*auc_with_interval(scores, seed, bootstrap), description, names, scores)


@functools.lru_cache(maxsize=2)
def binned_test(real, generated, seed, bootstrap):
    """The `C2ST` of the classifier BINNED. The last two are kept for the metrics that take more than an AUC from it."""
    return c2st(real, generated, BINNED, seed, bootstrap)


def auc_in_bins(test, real, generated, seed=0, bootstrap=200):
    """The AUC of a `C2ST` in bins of energy, angle, azimuth and entry point, from its scores.

    Args:
      test: the `C2ST` of these sets.
      real, generated: `Showers`. Each shower is sorted into the bins by its own particle.

    Returns:
      {"energy_gev", "angle_degrees", "azimuth_degrees" or "entry_cm": [{"low", "high", "showers" (of the smaller set),
      "auc", "interval"}]}, without bins in which either set has fewer than SMALLEST_BIN.
    """
    ours, theirs = _quantities(real), _quantities(generated)
    bins = edges_of(real.grid)
    result = {name: [] for name in bins}
    for name, edges in bins.items():
        for low, high in zip(edges[:-1], edges[1:], strict=True):
            inside = [scores[(values[name] >= low) & (values[name] < high)]
                      for scores, values in zip(test.scores, (ours, theirs), strict=True)]
            if (count := min(map(len, inside))) >= SMALLEST_BIN:
                auc, bounds = auc_with_interval(inside, seed, bootstrap)
                result[name].append({"low": low, "high": high, "showers": count, "auc": auc, "interval": bounds})
    return result


def edges_of(grid):
    """Quantity -> edges of its bins: those of EDGES, and "entry_cm", rounded to mm."""
    return EDGES | {"entry_cm": (*(round(edge * grid.unit, 1) for edge in ENTRY), round(max(grid.half_face)))}


def _quantities(showers):
    """The quantities of `edges_of` each shower: `{name: [N]}`."""
    slope, track = slopes(showers.momentum), reference_point(showers.momentum, showers.point, showers.grid)
    return {
        "energy_gev": np.asarray(incident_energy(showers.momentum)),
        "angle_degrees": np.degrees(np.arctan(np.linalg.norm(slope, axis=1))),
        "azimuth_degrees": np.degrees(np.arctan2(slope[:, 1], slope[:, 0])) % 360,
        "entry_cm": np.linalg.norm(track, axis=1),
    }


def cross_validated_scores(classifier, real, generated, folds, seed):
    """Probability that a shower is generated, from a classifier that was not trained on it.

    Args:
      classifier: with scikit-learn's `fit` and `predict_proba`.
      real, generated: `[N, F]`, or images.
      folds: of the cross-validation.
      seed: of the folds.

    Returns:
      `[2, N]`, of real and of generated showers.
    """
    from sklearn.model_selection import KFold  # slow to import

    scores = np.empty((2, len(real)))
    for train, test in KFold(folds, shuffle=True, random_state=seed).split(real):
        labels = np.repeat([0, 1], len(train))
        with host.native_threads():
            classifier.fit(np.concatenate([real[train], generated[train]]), labels)
            scores[:, test] = [classifier.predict_proba(rows[test])[:, 1] for rows in (real, generated)]
    return scores


def auc_with_interval(scores, seed, bootstrap):
    """AUC and its interval from the scores of real and of generated showers, `[N]` and `[M]`."""
    auc, spread = _auc(*scores), resampled(_auc, *scores, bootstrap, seed)
    return auc, interval(auc, spread)


def _auc(real, generated):
    """Area under the ROC curve of scores of real and of generated showers."""
    from sklearn.metrics import roc_auc_score  # slow to import

    return float(roc_auc_score(np.repeat([0, 1], [len(real), len(generated)]), np.concatenate([real, generated])))


def compute(sets, settings):
    """{classifier: AUC and that between two real sets}, for BINNED also in bins, for MATCHED at repeated particles."""
    bar = host.progress(CLASSIFIERS, desc="classifiers", leave=False, disable=not settings.progress)
    return {name: _entry(name, sets, settings) for name in bar}


def measures(entry):
    """The AUC of each classifier."""
    return {words([name]): Measure(test["auc"], test["interval"], test["floor"], test["floor_interval"])
            for name, test in entry.items()}


def tables(entry):
    """All classifiers, those at repeated particles last; and the bins of the conditions."""
    cells = lambda test, kind="": [number(test[f"{kind}auc"]), bracketed(test[f"{kind}interval"]),
                                   number(test[f"{kind}floor"]), bracketed(test[f"{kind}floor_interval"])]
    rows = [(words([name]).capitalize(), cells(test)) for name, test in entry.items()]
    rows += [(f"{words([name]).capitalize()}, at {text(test['matched_n'])} particles that Geant4 repeated",
              cells(test, "matched_")) for name, test in entry.items() if "matched_auc" in test]
    found = [Table(["AUC", "95 % interval", "Real sets", "Their interval"], rows, head="Classifier of")]
    if bins := _bin_rows(entry):
        found.append(Table(["Showers", "AUC", "95 % interval"], bins, "Showers of", "In bins of the particle",
                           "The classifier of observables and conditions is trained on all showers and scored in each "
                           "bin. The number of showers is that of the smaller set.", narrow=True))
    return found


def explain(entry):
    """How to read the AUC."""
    del entry
    return ("Area under the ROC curve: 0.5 when the showers cannot be told apart, 1 when they always can. Boosted "
            "trees take the observables, these with the incident particle, or the cells. A convolutional network takes "
            "the images.")


def verdict(entry):
    """One sentence for each classifier."""
    for name, test in entry.items():
        label = AUC.mark(measures({name: test})[words([name])])
        yield label, (f"a classifier {'cannot tell' if label == 'Good' else 'tells'} generated from real by "
                      f"{words([name])} (AUC {number(test['auc'])} {bracketed(test['interval'])}, "
                      f"{number(test['floor'])} between real sets)")


def _entry(name, sets, settings):
    """The entry of one classifier."""
    (real, generated, reference), options = sets[:3], (name, settings.seed, settings.bootstrap)
    make = binned_test if name == BINNED else functools.partial(c2st, classifier=name)
    test, floor = (make(real, other, seed=settings.seed, bootstrap=settings.bootstrap)
                   for other in (generated, reference))
    result = {"auc": test.auc, "interval": test.interval, "floor": floor.auc, "floor_interval": floor.interval,
              "classifier": test.classifier, "features": test.features}
    if name == BINNED:
        result["bins"] = auc_in_bins(test, real, generated, settings.seed, settings.bootstrap)
    if sets.repeated is not None and name in MATCHED:
        result |= _matched(real, generated, sets.repeated, options)
    return result


def _matched(real, generated, repeated, options):
    """The AUC at the particles of the repeated showers, and that of these."""
    count = len(repeated)
    test, floor = (c2st(real[:count], other, *options) for other in (generated[:count], repeated))
    return {"matched_auc": test.auc, "matched_interval": test.interval, "matched_floor": floor.auc,
            "matched_floor_interval": floor.interval, "matched_n": count}


def _bin_rows(entry):
    """(range of the condition, [showers, AUC, interval]) of every classifier that has bins."""
    return [(f"{text(found['low'])} to {text(found['high'])} {UNITS[name]}",
             [text(found["showers"]), number(found["auc"]), bracketed(found["interval"])])
            for test in entry.values() for name, bins in test.get("bins", {}).items() for found in bins]


register(Metric("c2st", compute, "Classifier between real and generated", AUC, measures, tables, explain, verdict,
                record=Each({"auc": NUMBER, "interval": PAIR, "floor": NUMBER, "floor_interval": PAIR})))
