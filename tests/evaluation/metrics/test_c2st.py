"""The classifier test does not tell equal sets apart, and tells different ones apart."""
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from threadpoolctl import threadpool_info, threadpool_limits

from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics import c2st as module
from ecalgen.evaluation.metrics.c2st import C2ST, auc_in_bins, c2st, cross_validated_scores, observable_features
from ecalgen.machine import host


def scaled(showers, factor):
    return Showers(showers.energy * factor, showers.momentum, showers.point)


def test_features(showers):
    values, names = observable_features(showers[:9])
    assert values.shape == (9, len(names)) == (9, 31)
    rings = values[:, [names.index(f"ring_shares_{k}") for k in range(4)]]
    assert (rings > 0).all() and (rings.sum(axis=1) <= 1).all()
    with_conditions, more = observable_features(showers[:9], with_conditions=True)
    assert more[:31] == names and with_conditions.shape == (9, len(more)) == (9, 36)


def test_real_showers_cannot_be_told_apart(showers):
    result = c2st(showers[:200], showers[200:], bootstrap=50)
    low, high = result.interval
    assert 0.4 < low < result.auc < high < 0.6
    assert result.classifier == "gradient-boosted trees, 100 of 31 leaves; 5 folds" and len(result.features) == 31


def test_shifted_response_is_seen(showers):
    result = c2st(showers[:200], scaled(showers[200:], 1.1), bootstrap=20)
    assert result.auc > 0.8


def test_copies_do_not_push_the_auc_below_a_half(showers):
    """The same showers on both sides: independent folds would let the trees learn each copy's opposite label."""
    result = c2st(showers[:100], showers[:100], classifier="observables_and_conditions", bootstrap=2)
    assert result.auc == pytest.approx(0.5, abs=1e-6)


def test_cross_validation_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    real, generated = rng.normal(0, 1, (200, 2)), rng.normal(0.7, 1, (200, 2))
    scores = cross_validated_scores(LogisticRegression(), real, generated, folds=5, seed=0)
    labels = np.repeat([0, 1], 200)
    expected = cross_val_predict(LogisticRegression(), np.concatenate([real, generated]), labels, cv=5,
                                 method="predict_proba")[:, 1]
    assert roc_auc_score(labels, scores.ravel()) == pytest.approx(roc_auc_score(labels, expected), abs=0.01)


def test_classifiers_have_the_threads_of_the_free_cores(monkeypatch):
    monkeypatch.setattr(host, "free_cores", lambda: 1)
    seen = []

    class Classifier:
        def fit(self, rows, labels):
            self.note()

        def predict_proba(self, rows):
            self.note()
            return np.full((len(rows), 2), 0.5)

        def note(self):
            seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp")

    with threadpool_limits(3, user_api="openmp"):
        cross_validated_scores(Classifier(), np.zeros((6, 1)), np.zeros((6, 1)), folds=2, seed=0)
    assert seen and set(seen) == {1}


def test_repeats_exactly(showers):
    first, second = (c2st(showers[:60], showers[60:120], seed=3, bootstrap=5) for _ in range(2))
    assert first == second


def test_unequal_sets_are_refused(showers):
    with pytest.raises(ValueError, match="not 5 real and 6 generated"):
        c2st(showers[:5], showers[:6])


def test_an_unknown_classifier_is_refused(showers):
    with pytest.raises(ValueError, match="no classifier is called 'me'; there are observables, observables_and"):
        c2st(showers[:5], showers[:5], classifier="me")


@pytest.mark.parametrize("classifier", ["cells", "images"])
def test_classifiers_of_cells_see_moved_energy(showers, classifier):
    """Cells shuffled within a shower keep its total and its sparsity."""
    shuffled = np.random.default_rng(0).permuted(showers.energy[200:].reshape(-1, 900), axis=1).reshape(-1, 30, 30)
    other = Showers(shuffled, showers.momentum[200:], showers.point[200:])
    assert c2st(showers[:200], other, classifier, bootstrap=2).auc > 0.9
    assert 0.35 < c2st(showers[:200], showers[200:], classifier, bootstrap=2).auc < 0.65


def test_bins_of_direction_and_entry_point_by_hand(showers, monkeypatch):
    """Along (1, 1), (-1, 1) and (1, -1), crossing the plane 15 cm deep 1 cm, 0.6 cm and 0 from the centre."""
    monkeypatch.setattr(module, "SMALLEST_BIN", 1)
    slope = np.array([[0.1, 0.1], [-0.1, 0.1], [0.1, -0.1]])
    track = np.array([[0.6, 0.8], [0.6, 0], [0, 0]])
    momentum = np.column_stack([slope, np.ones(3)]).repeat(2, axis=0)
    point = (track - 15 * slope).repeat(2, axis=0)
    both = [Showers(showers.energy[:6], momentum, point)] * 2
    bins = auc_in_bins(C2ST(0.0, [0.0, 0.0], "", [], np.full((2, 6), 0.5)), *both, bootstrap=2)
    assert [(entry["low"], entry["showers"]) for entry in bins["azimuth_degrees"]] == [(0, 2), (90, 2), (270, 2)]
    assert [(entry["low"], entry["showers"]) for entry in bins["entry_cm"]] == [(0, 2), (0.5, 2), (0.8, 2)]
    assert [(entry["low"], entry["showers"]) for entry in bins["angle_degrees"]] == [(6, 6)]


def test_each_set_is_binned_by_its_own_conditions(showers, monkeypatch):
    """Scores that rise with the energy, of the same showers in another order: in no bin do the sets differ."""
    monkeypatch.setattr(module, "SMALLEST_BIN", 40)
    order = np.random.default_rng(0).permutation(len(showers))
    energy = np.linalg.norm(showers.momentum, axis=1)
    test = C2ST(0.0, [0.0, 0.0], "", [], np.array([energy, energy[order]]) / 200)
    bins = auc_in_bins(test, showers, showers[order], bootstrap=5)
    assert [entry["auc"] for entries in bins.values() for entry in entries] == pytest.approx([0.5] * 16, abs=1e-9)


def test_bins_find_the_bad_corner(showers, monkeypatch):
    """Scores that always tell showers above 10 GeV apart, and never the others."""
    monkeypatch.setattr(module, "SMALLEST_BIN", 40)
    high = np.linalg.norm(showers.momentum, axis=1) >= 10
    scores = np.where(high, [[0.1], [0.9]], 0.5)
    bins = auc_in_bins(C2ST(0.0, [0.0, 0.0], "", [], scores), showers, showers, bootstrap=5)
    assert [(entry["low"], entry["auc"]) for entry in bins["energy_gev"]] == [
        (1, 0.5), (3, 0.5), (10, 1), (30, 1)]
    assert sum(entry["showers"] for entry in bins["energy_gev"]) <= 400
    assert set(bins) == {"energy_gev", "angle_degrees", "azimuth_degrees", "entry_cm"}
    assert len(bins["angle_degrees"]) > 1 and all(0.5 < entry["auc"] < 1 for entry in bins["angle_degrees"])
