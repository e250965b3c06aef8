"""Classifier two-sample tests: how well a classifier tells real from generated showers, overall and where."""
import dataclasses
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from ecalgen.data.showers import incident_energy, reference_point, slopes
from ecalgen.evaluation.bootstrap import interval
from ecalgen.evaluation.convolutional import ConvolutionalClassifier
from ecalgen.evaluation.features import cell_features, observable_features

ENERGIES = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Edges, GeV, of the bins of incident energy."""
ANGLES = (0.0, 6.0, 12.0, 18.0, 90.0)
"""Edges, degrees, of the bins of the angle to the normal."""
AZIMUTHS = (0.0, 90.0, 180.0, 270.0, 360.0)
"""Edges, degrees, of the bins of the azimuth, counted from x to y."""
ENTRIES = (0.0, 0.5, 0.8, 1.1, 30.0)
"""Edges, cm, of the bins of the entry point: how far from the centre its track crosses the reference plane."""
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
    return C2ST(*_auc_with_interval(scores, seed, bootstrap), classifier, names, scores)


def binned(test, showers, seed=0, bootstrap=200):
    """The AUC of a `C2ST` among showers of alike energy, angle, azimuth or entry point, from the scores it gave.

    Args:
      test: of sets of showers whose i-th members have the same condition.
      showers: either set, for the conditions.

    Returns:
      {"energy_gev", "angle_degrees", "azimuth_degrees" or "entry_cm": [{"low", "high", "showers", "auc",
      "interval"}]}, without nearly empty bins.
    """
    slope, track = slopes(showers.momentum), reference_point(showers.momentum, showers.point)
    quantities = {
        "energy_gev": (incident_energy(showers.momentum), ENERGIES),
        "angle_degrees": (np.degrees(np.arctan(np.linalg.norm(slope, axis=1))), ANGLES),
        "azimuth_degrees": (np.degrees(np.arctan2(slope[:, 1], slope[:, 0])) % 360, AZIMUTHS),
        "entry_cm": (np.linalg.norm(track, axis=1), ENTRIES),
    }
    result = {}
    for name, (values, edges) in quantities.items():
        result[name] = []
        for low, high in zip(edges[:-1], edges[1:], strict=True):
            inside = (values >= low) & (values < high)
            if (count := int(inside.sum())) >= SMALLEST_BIN:
                auc, bounds = _auc_with_interval(test.scores[:, inside], seed, bootstrap)
                result[name].append({"low": low, "high": high, "showers": count, "auc": auc, "interval": bounds})
    return result


def cross_validated_scores(classifier, real, generated, folds, seed):
    """Probability of being generated, from the classifier that has not seen the shower: `[N, F]` twice -> `[2, N]`."""
    scores = np.empty((2, len(real)))
    for train, test in KFold(folds, shuffle=True, random_state=seed).split(real):
        labels = np.repeat([0, 1], len(train))
        classifier.fit(np.concatenate([real[train], generated[train]]), labels)
        scores[:, test] = [classifier.predict_proba(rows[test])[:, 1] for rows in (real, generated)]
    return scores


def _auc_with_interval(scores, seed, bootstrap):
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(scores.shape[1], size=scores.shape) for _ in range(bootstrap))
    auc = _auc(scores)
    return auc, interval(auc, [_auc(np.take_along_axis(scores, draw, axis=1)) for draw in drawn])


def _auc(scores):
    """Area under the ROC curve of scores `[2, N]`, real above generated."""
    return float(roc_auc_score(np.repeat([0, 1], scores.shape[1]), scores.ravel()))
