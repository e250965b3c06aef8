"""The judge with much data: classifiers trained on the training split, asked of showers that no training has seen.

Classifiers of 10,000 showers flatter a generator. These are trained on all training showers against as many generated
ones at the same particles, and then asked of real test showers and generated ones at their particles. Each is trained
with several seeds, so that its AUC has an error of the training, too, and with fewer showers, which shows whether more
would find more.
"""
import dataclasses
import time
from collections.abc import Callable

import numpy as np

from ecalgen.data.grid import Grid
from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.c2st import auc_with_interval
from ecalgen.evaluation.metrics.features import COORDINATES, condition_columns, observable_features
from ecalgen.evaluation.metrics.neural import CellNetwork, NeuralClassifier, PictureNetwork
from ecalgen.evaluation.metrics.registry import EvaluationError
from ecalgen.machine import host

RANKED = 13
"""The highest cells of a shower whose energies the trees see."""
CONDITIONS = len(COORDINATES)
"""Numbers that describe the particle."""
SIZES = (1_000, 4_000, 16_000)
"""Numbers of training showers of each kind in the learning curve, below all of them."""
SEEDS = (0, 1)
"""Of the trainings on all showers."""
LEAST = 200
"""Showers of each kind that training and questions need."""


@dataclasses.dataclass(frozen=True)
class Judge:
    """A classifier and its input: `make(seed, grid)` -> classifier, `rows(showers)` -> `[N, F]`."""

    make: Callable
    rows: Callable
    description: str


def judge_largely(real: Showers, generated: Showers, asked: Showers, answers: Showers, seeds=SEEDS, sizes=SIZES,
                  bootstrap: int = 200, judges=None) -> dict:
    """AUC of each judge between generated and real showers, trained on one pair of sets and asked of another.

    Args:
      real: Geant4's training showers, [N].
      generated: showers of the generator at the same particles.
      asked: Geant4's test showers, [M].
      answers: showers of the generator at their particles.
      seeds: of the trainings on all showers.
      sizes: numbers of showers of the learning curve; those below N are taken.
      bootstrap: resamplings of the test showers.
      judges: names in `JUDGES`; all when None.

    Returns:
      {judge: {"auc": mean over the seeds, "interval": 95 % from showers and retraining, "aucs": one each seed, "floor":
      two halves of the real training showers, asked of two halves of the real test showers, "floor_interval", "curve":
      [[size, AUC]], "seconds", "description"}}.

    Raises:
      EvaluationError: too few showers, or sets of different particles.
    """
    _check(real, generated, asked, answers)
    found = {}
    for name in judges or JUDGES:
        start, judge = time.monotonic(), JUDGES[name]
        rows = _scaled([np.asarray(judge.rows(showers), np.float32) for showers in (real, generated, asked, answers)])
        score = lambda size, seed, rows=rows, judge=judge: _scores(judge.make(seed, real.grid), *rows, size, seed)
        every = [auc_with_interval(score(len(real), seed), seed, bootstrap) for seed in seeds]
        floor, floor_interval = auc_with_interval(_floor(judge, real.grid, rows[0], rows[2], seeds[0]), 0, bootstrap)
        curve = [[size, auc_with_interval(score(size, seeds[0]), 0, 2)[0]] for size in sizes if size < len(real)]
        aucs = [auc for auc, _ in every]
        found[name] = {"auc": float(np.mean(aucs)), "interval": _interval(every), "aucs": aucs, "floor": floor,
                       "floor_interval": list(floor_interval), "curve": [*curve, [len(real), float(np.mean(aucs))]],
                       "seconds": round(time.monotonic() - start, 1), "description": judge.description}
    return found


def spoken(found):
    """The AUCs as lines of text."""
    return "\n".join(
        f"{name}: AUC {entry['auc']:.3f} [{entry['interval'][0]:.3f}, {entry['interval'][1]:.3f}], "
        f"{entry['floor']:.3f} between real sets ({entry['description']})" for name, entry in found.items())


def _scores(classifier, real, generated, asked, answers, size, seed):
    """Scores of the test showers, real and generated, after a training on the first `size` of each kind."""
    labels = np.repeat([0, 1], size)
    order = np.random.default_rng(seed).permutation(2 * size)
    with host.native_threads():
        classifier.fit(np.concatenate([real[:size], generated[:size]])[order], labels[order])
        return [classifier.predict_proba(rows)[:, 1] for rows in (asked, answers)]


def _floor(judge, grid, real, asked, seed):
    """Scores of real test showers, half of which take the place of generated ones."""
    (first, second), (question, answer) = (np.array_split(rows, 2) for rows in (real, asked))
    return _scores(judge.make(seed, grid), first, second, question, answer, len(second), seed)


def _interval(every):
    """95 % interval of a mean over trainings: the showers' error, and that of the trainings, in quadrature."""
    aucs = np.array([auc for auc, _ in every])
    showers = np.mean([(high - low) / 2 for _, (low, high) in every])
    trainings = 1.96 * aucs.std(ddof=1) / np.sqrt(len(aucs)) if len(aucs) > 1 else 0.0
    half = float(np.hypot(showers, trainings))
    return [float(aucs.mean()) - half, float(aucs.mean()) + half]


def _check(real, generated, asked, answers):
    for kind, ours, theirs in (("training", real, generated), ("test", asked, answers)):
        if len(ours) != len(theirs) or not np.array_equal(ours.momentum, theirs.momentum):
            raise EvaluationError(f"the generated {kind} showers belong to other particles than the real ones; "
                                  "generate one at the momentum and point of each")
        if len(ours) < LEAST:
            raise EvaluationError(f"{len(ours)} {kind} showers are too few; give {LEAST} or more")


def _trees(seed, grid):
    from sklearn.ensemble import HistGradientBoostingClassifier  # slow to import

    del grid
    return HistGradientBoostingClassifier(max_iter=300, learning_rate=0.05, max_leaf_nodes=31, early_stopping=False,
                                          random_state=seed)


def _tree_rows(showers):
    """Observables, the highest cells in falling order as log(1 + e / 0.1 MeV), and conditions."""
    cells = showers.energy.reshape(len(showers), -1)
    ranked = -np.sort(-np.partition(cells, -RANKED, axis=1)[:, -RANKED:], axis=1)
    return np.concatenate([observable_features(showers)[0], np.log1p(ranked / 0.1), _conditions(showers)], axis=1)


def _conditions(showers):
    """log E, slopes and track, the last columns of all rows: `[N, CONDITIONS]`."""
    return np.concatenate(list(condition_columns(showers).values()), axis=1)


def _scaled(sets):
    """The rows of each set, with conditions in units of their standard deviation in the first one, about its mean."""
    given = sets[0][:, -CONDITIONS:]
    centre, spread = given.mean(axis=0), given.std(axis=0)
    for rows in sets:
        rows[:, -CONDITIONS:] = (rows[:, -CONDITIONS:] - centre) / np.where(spread > 0, spread, 1)
    return sets


def _cell_rows(showers):
    """Every cell in MeV, and the conditions."""
    return np.concatenate([showers.energy.reshape(len(showers), -1), _conditions(showers)], axis=1)


def _picture_rows(showers):
    """Every cell in MeV, summed over depth, and the conditions."""
    return np.concatenate([showers.lateral.reshape(len(showers), -1), _conditions(showers)], axis=1)


def _picture_network(grid: Grid):
    return PictureNetwork(CONDITIONS, shape=grid.shape[:2])


JUDGES = {
    "trees": Judge(_trees, _tree_rows, "boosted trees, 300 of 31 leaves, on observables, the 13 highest cells and the "
                   "particle"),
    "cells": Judge(lambda seed, grid: NeuralClassifier(CellNetwork(CONDITIONS), seed, epochs=8, batch=256, rate=1e-3),
                   _cell_rows, "two hidden layers of 512 on cells and the particle"),
    "images": Judge(lambda seed, grid: NeuralClassifier(_picture_network(grid), seed, epochs=10, batch=256),
                    _picture_rows, "three convolutions of stride 2 on the central 24 x 24 cells, and the particle"),
}
"""Name -> `Judge`."""
