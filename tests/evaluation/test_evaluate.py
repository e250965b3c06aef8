"""The whole evaluation on few showers: its layout, sizes, repeatability and file."""
import json

import numpy as np
import pytest

from ecalgen.data.observables import OBSERVABLES
from ecalgen.data.showers import Showers
from ecalgen.evaluation.c2st import EDGES, JUDGES
from ecalgen.evaluation.evaluate import evaluate, write_evaluation
from ecalgen.evaluation.prd import EvaluationError

SMALL = dict(clusters=10, runs=2, bootstrap=10, progress=False)


@pytest.fixture(scope="module")
def sets(showers):
    real, other, reference = showers[:100], showers[100:200], showers[200:310]
    return real, Showers(other.energy * 1.2, other.momentum, other.point), reference


@pytest.fixture(scope="module")
def result(sets):
    return evaluate(*sets, **SMALL)


def test_layout(result):
    assert set(result) == {"format", "protocol", "showers", "reference", "conditions", "particles", "seed",
                           "bootstrap", "prd", "c2st", "observables", "physics_distance", "condition_distances",
                           "correlation", "response", "profile", "stress", "memorisation", "seconds"}
    assert (result["format"], result["protocol"], result["showers"], result["reference"]) == (4, "paper", 100, "given")
    assert result["conditions"] == "marginal" and set(result["condition_distances"]) == {
        "log_energy", "slope_x", "slope_y", "track_x", "track_y"}
    assert set(result["prd"]) == {"raw", "physics", "score"}
    assert set(result["prd"]["raw"]) == {
        "auc", "std", "interval", "ceiling", "ceiling_std", "ceiling_interval", "ratio", "clusters", "runs", "n",
        "curve", "ceiling_curve", "extrapolated", "ceiling_extrapolated"}
    assert len(result["prd"]["raw"]["curve"]["precision"]) == len(result["prd"]["raw"]["curve"]["recall"]) == 101
    assert set(result["c2st"]) == set(JUDGES)
    assert set(result["c2st"]["observables_and_conditions"]["bins"]) == set(EDGES)
    for test in result["c2st"].values():
        assert set(test) - {"bins"} == {"auc", "interval", "floor", "floor_interval", "classifier", "features"}
    assert set(result["observables"]) == set(OBSERVABLES) - {"ring_energies"} | {"ring_shares"}
    assert set(result["observables"]["delta_x"]) == {
        "w1", "w1_interval", "w1_reference", "w1_reference_interval", "separation", "separation_interval",
        "separation_reference", "separation_reference_interval", "bins", "real_mean", "real_std", "generated_mean",
        "generated_std"}
    assert set(result["seconds"]) == set(result) - {"format", "protocol", "showers", "reference", "conditions",
                                                    "particles", "seed", "bootstrap", "seconds"}


def test_numbers_belong_together(result):
    prd = result["prd"]
    for name in ("raw", "physics"):
        assert (prd[name]["clusters"], prd[name]["runs"], prd[name]["n"]) == (10, 2, 100)
        assert prd[name]["ratio"] == pytest.approx(prd[name]["auc"] / prd[name]["ceiling"])
    assert prd["score"] == min(prd["raw"]["auc"], prd["physics"]["auc"])
    assert result["c2st"]["observables"]["auc"] > 0.8 > result["c2st"]["observables"]["floor"]
    response = result["observables"]["visible_fraction"]
    assert response["w1"] > 2 > 0.5 > response["w1_reference"]
    assert response["generated_mean"] == pytest.approx(1.2 * 0.173, rel=0.02)


def test_repeats_exactly(sets, result):
    assert evaluate(*sets, **SMALL) | {"seconds": None} == result | {"seconds": None}


def test_without_reference_real_is_split(showers):
    result = evaluate(showers[:81], showers[100:200], **SMALL)
    assert (result["showers"], result["reference"]) == (40, "second half of real")
    assert "memorisation" not in result


def test_faults_are_named(sets):
    with pytest.raises(EvaluationError, match="no protocol is called 'mine'; there are paper, competition"):
        evaluate(*sets, protocol="mine")
    with pytest.raises(EvaluationError, match="200 showers cannot fill 400 clusters, those of the protocol 'paper': "
                       "give at least 200 generated and 200 real ones, or another --protocol; .* competition .100 "):
        evaluate(*sets, progress=False)


@pytest.mark.parametrize("changes, message", [
    (dict(generated="mine.npz"), "generated is of type str, not Showers; make them with ecalgen.Showers"),
    (dict(real=None), "real is of type NoneType, not Showers"),
    (dict(clusters=0), "clusters is 0; it must be at least 1"), (dict(runs=0), "runs is 0; it must be at least 1"),
    (dict(bootstrap=0), "bootstrap is 0; it must be at least 1"),
    (dict(clusters=5_000), "200 showers cannot fill 5000 clusters, as asked for: give at least 2500 generated"),
])
def test_what_cannot_be_judged_is_refused_at_once(sets, changes, message):
    given = dict(zip(("real", "generated", "reference"), sets, strict=True)) | SMALL | changes
    with pytest.raises(EvaluationError, match=message):
        evaluate(**given)


def test_showers_without_energy_are_refused(sets):
    nothing = Showers(np.zeros_like(sets[1].energy), sets[1].momentum, sets[1].point)
    with pytest.raises(EvaluationError, match="the generated showers hold no energy in any cell"):
        evaluate(sets[0], nothing, sets[2], **SMALL)


def test_a_handful_of_showers_is_refused_and_fifty_are_judged(sets):
    with pytest.raises(EvaluationError, match="10 showers a set are too few to judge; give at least 20"):
        evaluate(*(showers[:10] for showers in sets), **SMALL | dict(clusters=4))
    few = evaluate(*(showers[:50] for showers in sets), **SMALL)
    assert few["showers"] == 50 and few["particles"]["real"] == [11]


def test_written_whole_and_read_back(result, tmp_path):
    write_evaluation(tmp_path / "evaluation.json", result)
    assert json.loads((tmp_path / "evaluation.json").read_text()) == result
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation.json"]


def test_not_a_number_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_evaluation(tmp_path / "evaluation.json", {"auc": np.nan})
    assert not (tmp_path / "evaluation.json").exists()
