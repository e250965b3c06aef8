"""The PRD-AUC of sets of features: the smallest is the score, and each brings all that it depends on."""
import numpy as np
import pytest
from evaluations import feature_set

from ecalgen.evaluation.metrics import precision_recall
from ecalgen.evaluation.metrics.features import make_extractor
from ecalgen.evaluation.metrics.prd import prd_score
from ecalgen.evaluation.metrics.registry import Sets, Settings

SETTINGS = Settings(seed=3, bootstrap=5, features=("raw", "physics"), clusters=5, runs=2, progress=False)


def test_an_entry_is_that_of_the_two_sets_and_of_two_real_ones(showers):
    """The last 50 showers are dimmed to nearly nothing: only those of low energies look like them."""
    real, reference, other = showers[:50], showers[50:100], showers[100:150]
    dim = type(other)(1e-3 * other.energy, other.momentum, other.point)
    found = precision_recall.compute(Sets(real, dim, reference), SETTINGS)
    assert set(found) == {"raw", "physics", "score"} and found["score"] == min(
        found["raw"]["auc"], found["physics"]["auc"])
    for name in SETTINGS.features:
        extract = make_extractor(name)
        for field, second in (("auc", dim), ("ceiling", reference)):
            expected = prd_score(extract(real), extract(second), 5, 2, 3, 5, "")
            assert found[name][field] == pytest.approx(expected.auc)
        assert [found[name][field] for field in ("clusters", "runs", "n")] == [5, 2, 50]
    assert found["raw"]["auc"] < 0.75 * found["raw"]["ceiling"]
    assert np.diff(found["raw"]["curve"]["recall"]).size == 100


def test_a_table_has_a_column_for_each_set_and_no_empty_row():
    prd = {"raw": feature_set(0.7, 0.8), "physics": feature_set(0.6, 0.9), "score": 0.6}
    table, = precision_recall.tables(prd)
    rows = dict(table.rows)
    assert rows["PRD-AUC"] == ["0.700 ± 0.004", "0.600 ± 0.004"] and rows["Ratio to the ceiling"] == ["0.875", "0.667"]
    assert rows["N, showers of each set"] == ["1\u202f250", "1\u202f250"] and rows["Clusters"] == ["400", "400"]
    assert not {"N of these", "At infinite N, in 1/√N"} & rows.keys()  # no shower is repeated, no such line is known


def test_a_ratio_below_the_ceiling_is_off_and_the_lowest_comes_first():
    prd = {"raw": feature_set(0.79, 0.8), "physics": feature_set(0.6, 0.9), "score": 0.6}
    said = list(precision_recall.verdict(prd))
    assert [label for label, _ in said] == ["Off", "Good"] and said[0][1].startswith("physics PRD-AUC 0.600")
