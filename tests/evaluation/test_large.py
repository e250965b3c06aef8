"""The judge with much data: it finds a known distortion, more of it with more showers, and nothing in real showers."""
import dataclasses

import numpy as np
import pytest

from ecalgen.evaluation import large
from ecalgen.evaluation.metrics.neural import NeuralClassifier
from ecalgen.evaluation.metrics.registry import EvaluationError


@pytest.fixture(scope="module")
def sets(showers):
    """Real and wider showers of 200 particles to learn from, and of 200 others to be asked of."""
    def wider(part):
        moved = np.roll(part.energy, 1, axis=1) + np.roll(part.energy, -1, axis=1)
        return dataclasses.replace(part, energy=(0.9 * part.energy + 0.05 * moved).astype(np.float32))
    real, asked = showers[:200], showers[200:400]
    return real, wider(real), asked, wider(asked)


@pytest.fixture
def few_epochs(monkeypatch):
    """Networks of few weights, trained briefly, and few trees."""
    few = lambda seed, grid: large._trees(seed, grid).set_params(max_iter=20, learning_rate=0.2)
    quick = {"trees": dataclasses.replace(large.JUDGES["trees"], make=few)}
    for name in ("cells", "images"):
        def make(seed, grid, old=large.JUDGES[name].make):
            classifier = old(seed, grid)
            network = classifier.network.clone(widths=(8,) * len(classifier.network.widths))
            return NeuralClassifier(network, seed, epochs=2, batch=50)
        quick[name] = dataclasses.replace(large.JUDGES[name], make=make)
    monkeypatch.setattr(large, "JUDGES", quick)


def test_a_known_distortion_is_found_and_real_showers_pass(sets, few_epochs):
    found = large.judge_largely(*sets, seeds=(0, 1), sizes=(50,), bootstrap=20)
    assert list(found) == ["trees", "cells", "images"]
    trees = found["trees"]
    assert trees["auc"] > 0.8 and trees["auc"] == pytest.approx(np.mean(trees["aucs"]))
    assert trees["interval"][0] < trees["auc"] < trees["interval"][1]
    assert trees["floor_interval"][0] < 0.5 < trees["floor_interval"][1]
    assert [size for size, _ in trees["curve"]] == [50, 200] and trees["curve"][0][1] < trees["auc"]
    for entry in found.values():
        assert 0 <= entry["auc"] <= 1 and len(entry["aucs"]) == 2
    assert large.spoken(found).startswith(f"trees: AUC {trees['auc']:.3f} [")


def test_the_interval_has_the_error_of_the_training(sets):
    """Two trainings of AUC 0.6 and 0.7, whose showers have an error of 0.01: 1.96 * 0.0707 / sqrt(2) = 0.098."""
    low, high = large._interval([(0.6, (0.59, 0.61)), (0.7, (0.69, 0.71))])
    assert (low, high) == (pytest.approx(0.65 - np.hypot(0.01, 0.098)), pytest.approx(0.65 + np.hypot(0.01, 0.098)))


def test_conditions_are_in_units_of_the_first_set():
    """A column of one value stays as far from it as it is."""
    first, second = np.arange(12.0, dtype=np.float32).reshape(2, 6), np.zeros((1, 6), np.float32)
    first[:, 5] = 2
    scaled, other = large._scaled([first, second])
    np.testing.assert_allclose(scaled[:, 1:5], [[-1] * 4, [1] * 4])  # mean and deviation of (1, 7), (2, 8), ...: 4, 3
    np.testing.assert_allclose(other[0], [0, -4 / 3, -5 / 3, -2, -7 / 3, -2])
    np.testing.assert_array_equal(scaled[:, 0], [0, 6])


def test_the_highest_cells_are_in_falling_order(showers):
    rows = large._tree_rows(showers[:3])
    ranked = rows[:, -18:-5]
    expected = np.log1p(np.sort(showers.energy[:3].reshape(3, -1), axis=1)[:, :-14:-1] / 0.1)
    np.testing.assert_allclose(ranked, expected, rtol=1e-5)


def test_sets_that_do_not_belong_together_are_refused(sets, showers):
    real, generated, asked, answers = sets
    with pytest.raises(EvaluationError, match="the generated test showers belong to other particles"):
        large.judge_largely(real, generated, asked, real)
    with pytest.raises(EvaluationError, match="100 training showers are too few; give 200"):
        large.judge_largely(real[:100], generated[:100], asked, answers)
