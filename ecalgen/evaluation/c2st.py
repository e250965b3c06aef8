"""Classifier two-sample test: how well boosted trees tell real from generated showers by their observables."""
import dataclasses

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from ecalgen.data.showers import conditions
from ecalgen.evaluation.bootstrap import interval
from ecalgen.evaluation.features import observable_columns

CONDITIONS = ["log_energy", "slope_x", "slope_y", "point_x", "point_y"]


@dataclasses.dataclass(frozen=True)
class C2ST:
    """Area under the ROC curve (0.5: indistinguishable, 1: always told apart), its interval, and who judged on what."""

    auc: float
    interval: list[float]
    classifier: str
    features: list[str]


def c2st_features(showers, with_conditions=False):
    """What the classifier sees, rings as shares of S: `[N, F]` and the F names.

    Args:
      showers: the `Showers`.
      with_conditions: add log E, slopes and point, so that the classifier can judge each condition apart.
    """
    columns = observable_columns(showers)
    total = showers.energy.sum((1, 2), dtype=np.float64)[:, None]
    columns["ring_shares"] = columns.pop("ring_energies") / np.where(total > 0, total, 1)
    names = [name if values.shape[1] == 1 else f"{name}_{k}"
             for name, values in columns.items() for k in range(values.shape[1])]
    features = np.concatenate(list(columns.values()), axis=1)
    if not with_conditions:
        return features, names
    return np.concatenate([features, conditions(showers.momentum, showers.point)], axis=1), names + CONDITIONS


def c2st(real, generated, folds=5, seed=0, bootstrap=200, with_conditions=False):
    """AUC of a classifier, trained and scored by cross-validation, between two equally large sets of showers.

    Real and generated shower i are in one fold: half of each fold is real, and where both have the same condition the
    trees cannot learn from one shower the opposite label of the other, which would push the AUC below 0.5.

    Args:
      real, generated: `Showers`, N each.
      folds: parts of the cross-validation.
      seed: of folds, trees and bootstrap.
      bootstrap: resamplings of the scores, for `bootstrap.interval`.
      with_conditions: let the classifier see the incident particle too.

    Raises:
      ValueError: for sets of different sizes.
    """
    if len(real) != len(generated):
        raise ValueError(f"C2ST needs equally many showers, not {len(real)} real and {len(generated)} generated")
    (ours, names), (theirs, _) = (c2st_features(showers, with_conditions) for showers in (real, generated))
    trees = HistGradientBoostingClassifier(early_stopping=False, random_state=seed)
    scores = cross_validated_scores(trees, ours, theirs, folds, seed)
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(len(real), size=scores.shape) for _ in range(bootstrap))
    resampled = [_auc(np.take_along_axis(scores, draw, axis=1)) for draw in drawn]
    auc = _auc(scores)
    classifier = f"HistGradientBoostingClassifier, {trees.max_iter} trees, {folds} folds"
    return C2ST(auc, interval(auc, resampled), classifier, names)


def cross_validated_scores(classifier, real, generated, folds, seed):
    """Probability of being generated, from the classifier that has not seen the shower: `[N, F]` twice -> `[2, N]`."""
    scores = np.empty((2, len(real)))
    for train, test in KFold(folds, shuffle=True, random_state=seed).split(real):
        labels = np.repeat([0, 1], len(train))
        classifier.fit(np.concatenate([real[train], generated[train]]), labels)
        scores[:, test] = [classifier.predict_proba(rows[test])[:, 1] for rows in (real, generated)]
    return scores


def _auc(scores):
    """Area under the ROC curve of scores `[2, N]`, real above generated."""
    return float(roc_auc_score(np.repeat([0, 1], scores.shape[1]), scores.ravel()))
