"""Classifier two-sample tests: how well a classifier tells real from generated showers, overall and where."""
import dataclasses
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from ecalgen.data.showers import incident_energy, reference_point, slopes
from ecalgen.evaluation.metrics.bootstrap import interval, resampled
from ecalgen.evaluation.metrics.convolutional import ConvolutionalClassifier
from ecalgen.evaluation.metrics.features import cell_features, observable_features
from ecalgen.machine import host

EDGES = {
    "energy_gev": (1.0, 3.0, 10.0, 30.0, 100.0),
    "angle_degrees": (0.0, 6.0, 12.0, 18.0, 90.0),
    "azimuth_degrees": (0.0, 90.0, 180.0, 270.0, 360.0),
    "entry_cm": (0.0, 0.5, 0.8, 1.1, 30.0),
}
"""Quantity -> edges of its bins: incident energy; angle to the normal; azimuth, from x to y; and the entry point by how
far from the centre its track crosses the reference plane."""
SMALLEST_BIN = 100
"""Showers of each set that a bin needs."""


@dataclasses.dataclass(frozen=True)
class Judge:
    """A classifier and what it sees: `make(seed)` -> classifier, `features(showers)` -> (`[N, F]`, names)."""

    make: Callable
    features: Callable
    description: str
    folds: int


def _trees(seed):
    return HistGradientBoostingClassifier(early_stopping=False, random_state=seed)


JUDGES = {
    "observables": Judge(_trees, observable_features, "gradient-boosted trees, 100 of 31 leaves", 5),
    "observables_and_conditions": Judge(_trees, lambda showers: observable_features(showers, with_conditions=True),
                                        "gradient-boosted trees, 100 of 31 leaves", 5),
    "cells": Judge(_trees, cell_features, "gradient-boosted trees, 100 of 31 leaves", 3),
    "images": Judge(ConvolutionalClassifier, cell_features, "convolutional network, 3 layers", 3),
}
"""Who judges on what."""


@dataclasses.dataclass(frozen=True)
class C2ST:
    """Area under the ROC curve (0.5: indistinguishable, 1: always told apart), its interval, and who judged on what.

    `scores [2, N]` are the probabilities of being generated, of real and of generated showers.
    """

    auc: float
    interval: list[float]
    classifier: str
    features: list[str]
    scores: np.ndarray = dataclasses.field(repr=False, compare=False)


def c2st(real, generated, judge="observables", seed=0, bootstrap=200):
    """AUC of a classifier, trained and scored by cross-validation, between two equally large sets of showers.

    Real and generated shower i are in one fold: half of each fold is real, and where both have the same condition the
    classifier cannot learn from one shower the opposite label of the other, which would push the AUC below 0.5.

    Args:
      real, generated: `Showers`, N each.
      judge: one of JUDGES.
      seed: of folds, classifier and bootstrap.
      bootstrap: resamplings of the scores, for `bootstrap.interval`.

    Raises:
      ValueError: for sets of different sizes, or an unknown judge.
    """
    if len(real) != len(generated):
        raise ValueError(f"C2ST needs equally many showers, not {len(real)} real and {len(generated)} generated")
    if judge not in JUDGES:
        raise ValueError(f"no judge is called {judge!r}; there are {', '.join(JUDGES)}")
    settings = JUDGES[judge]
    (ours, names), (theirs, _) = (settings.features(showers) for showers in (real, generated))
    scores = cross_validated_scores(settings.make(seed), ours, theirs, settings.folds, seed)
    classifier = f"{settings.description}; {settings.folds} folds"
    return C2ST(*auc_with_interval(scores, seed, bootstrap), classifier, names, scores)


def binned(test, real, generated, seed=0, bootstrap=200):
    """The AUC of a `C2ST` among showers of alike energy, angle, azimuth or entry point, from the scores it gave.

    Args:
      test: of these sets.
      real, generated: the `Showers`, for the conditions; each is sorted into the bins by its own.

    Returns:
      {"energy_gev", "angle_degrees", "azimuth_degrees" or "entry_cm": [{"low", "high", "showers" (of the smaller set),
      "auc", "interval"}]}, without bins in which either set has fewer than SMALLEST_BIN.
    """
    ours, theirs = _binned_quantities(real), _binned_quantities(generated)
    result = {name: [] for name in EDGES}
    for name, edges in EDGES.items():
        for low, high in zip(edges[:-1], edges[1:], strict=True):
            inside = [scores[(values[name] >= low) & (values[name] < high)]
                      for scores, values in zip(test.scores, (ours, theirs), strict=True)]
            if (count := min(map(len, inside))) >= SMALLEST_BIN:
                auc, bounds = auc_with_interval(inside, seed, bootstrap)
                result[name].append({"low": low, "high": high, "showers": count, "auc": auc, "interval": bounds})
    return result


def _binned_quantities(showers):
    """Those of EDGES of each shower: `{name: [N]}`."""
    slope, track = slopes(showers.momentum), reference_point(showers.momentum, showers.point)
    return {
        "energy_gev": np.asarray(incident_energy(showers.momentum)),
        "angle_degrees": np.degrees(np.arctan(np.linalg.norm(slope, axis=1))),
        "azimuth_degrees": np.degrees(np.arctan2(slope[:, 1], slope[:, 0])) % 360,
        "entry_cm": np.linalg.norm(track, axis=1),
    }


def cross_validated_scores(classifier, real, generated, folds, seed):
    """Probability of being generated, from the classifier that has not seen the shower: `[N, F]` twice -> `[2, N]`."""
    scores = np.empty((2, len(real)))
    for train, test in KFold(folds, shuffle=True, random_state=seed).split(real):
        labels = np.repeat([0, 1], len(train))
        with host.native_threads():
            classifier.fit(np.concatenate([real[train], generated[train]]), labels)
            scores[:, test] = [classifier.predict_proba(rows[test])[:, 1] for rows in (real, generated)]
    return scores


def auc_with_interval(scores, seed, bootstrap):
    """Of the scores of real and of generated showers, `[N]` and `[M]`."""
    auc, spread = _auc(*scores), resampled(_auc, *scores, bootstrap, seed)
    return auc, interval(auc, spread)


def _auc(real, generated):
    """Area under the ROC curve, real above generated."""
    return float(roc_auc_score(np.repeat([0, 1], [len(real), len(generated)]), np.concatenate([real, generated])))
