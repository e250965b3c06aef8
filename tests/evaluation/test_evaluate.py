"""The whole evaluation on few showers: its layout, sizes, repeatability and file."""
import json
import subprocess
import sys

import judging
import numpy as np
import pytest

from ecalgen.data.grid import GRIDS, SHASHLIK
from ecalgen.data.observables import OBSERVABLES
from ecalgen.data.showers import Showers
from ecalgen.evaluation.evaluate import evaluate, write_evaluation
from ecalgen.evaluation.metrics.c2st import CLASSIFIERS, c2st, edges_of
from ecalgen.evaluation.metrics.correlation import correlation_distance
from ecalgen.evaluation.metrics.distances import wasserstein_distance
from ecalgen.evaluation.metrics.features import (
    condition_columns,
    make_extractor,
    observable_columns,
    observable_features,
)
from ecalgen.evaluation.metrics.physics_distance import physics_distances
from ecalgen.evaluation.metrics.prd import EvaluationError, prd_score
from ecalgen.evaluation.metrics.profiles import profile_ratios
from ecalgen.evaluation.metrics.response import visible_fractions
from ecalgen.evaluation.report import figures
from ecalgen.evaluation.report.report_page import write_report

REAL_CLASSIFIERS = dict(CLASSIFIERS)
SMALL = dict(clusters=10, runs=2, bootstrap=10, progress=False)


@pytest.fixture(scope="module", autouse=True)
def quick_classifiers():
    """Few trees and epochs: what classifiers find is tested in metrics/test_c2st.py."""
    with pytest.MonkeyPatch.context() as patch:
        judging.quick_classifiers(patch.setitem)
        yield


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
                           "correlation", "response", "profile", "stress", "memorisation", "neighbours", "weights",
                           "sliced", "equivalent", "seconds"}
    assert (result["format"], result["protocol"], result["showers"], result["reference"]) == (4, "paper", 100, "given")
    assert result["conditions"] == "marginal" and set(result["condition_distances"]) == {
        "log_energy", "slope_x", "slope_y", "track_x", "track_y"}
    assert set(result["prd"]) == {"raw", "physics", "score"}
    assert set(result["prd"]["raw"]) == {
        "auc", "std", "interval", "ceiling", "ceiling_std", "ceiling_interval", "ratio", "clusters", "runs", "n",
        "curve", "ceiling_curve", "extrapolated", "ceiling_extrapolated"}
    assert len(result["prd"]["raw"]["curve"]["precision"]) == len(result["prd"]["raw"]["curve"]["recall"]) == 101
    assert set(result["c2st"]) == set(CLASSIFIERS)
    assert set(result["c2st"]["observables_and_conditions"]["bins"]) == set(edges_of(SHASHLIK))
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


def test_ceilings_and_floors_are_those_of_the_other_real_showers(sets, result):
    """Each ceiling and floor is the metric between real and reference showers, without the generated ones."""
    real, reference = sets[0], sets[2][:100]
    for name in ("raw", "physics"):
        extract = make_extractor(name)
        ceiling = prd_score(extract(real), extract(reference), 10, 2, bootstrap=10)
        assert result["prd"][name]["ceiling"] == ceiling.auc
        assert result["prd"][name]["ceiling_curve"]["recall"] == ceiling.recall[::10].tolist()
        assert result["prd"][name]["ceiling_extrapolated"]["auc"][0] == ceiling.auc
    for judge in ("observables", "cells"):
        assert result["c2st"][judge]["floor"] == c2st(real, reference, judge, bootstrap=2).auc
    for columns, distances in ((observable_columns, "observables"), (condition_columns, "condition_distances")):
        ours, others = columns(real), columns(reference)
        for name in ours:
            assert result[distances][name]["w1_reference"] == wasserstein_distance(ours[name], others[name])
    ours, others = (observable_features(showers)[0] for showers in (real, reference))
    assert result["correlation"]["reference"] == correlation_distance(ours, others)
    expected = physics_distances(real, reference, reference, bootstrap=2)
    assert [result["physics_distance"][name]["reference"] for name in ("fpd", "kpd")] == [
        expected[name]["value"] for name in ("fpd", "kpd")]
    assert result["profile"]["along"]["reference_ratio"] == profile_ratios(
        real, reference, reference, bootstrap=2)["along"]["ratio"]
    for entry in result["response"]["bins"]:
        energy = np.linalg.norm(reference.momentum, axis=1)
        inside = (energy >= entry["low"]) & (energy < entry["high"])
        assert entry["reference"]["mean"] == pytest.approx(visible_fractions(reference)[inside].mean())


def test_copies_are_looked_for_among_all_reference_showers(result):
    assert (result["showers"], result["memorisation"]["training_showers"]) == (100, 110)


@pytest.fixture(scope="module")
def repeated(sets):
    """Other showers of sixty of the particles, with every cell drawn again about its energy."""
    real = sets[0][:60]
    energy = np.random.default_rng(0).poisson(5 * real.energy) / 5
    return Showers(energy, real.momentum, real.point)


@pytest.mark.slow
def test_repeated_showers_give_the_ceiling_of_the_same_particles(sets, repeated):
    real, _, reference = sets
    generated = Showers(0.8 * real.energy, real.momentum, real.point)
    result = evaluate(real, generated, reference, repeated=repeated, **SMALL)
    raw = make_extractor("raw")
    entry = result["prd"]["raw"]
    assert entry["matched_n"] == 60 and entry["n"] == 100
    ceiling, prd = (prd_score(raw(real[:60]), raw(other[:60]), 10, 2, bootstrap=10) for other in (repeated, generated))
    assert (entry["matched_ceiling"], entry["matched_ceiling_std"], entry["matched_ceiling_interval"]) == (
        ceiling.auc, ceiling.std, ceiling.interval)
    assert (entry["matched_auc"], entry["matched_std"], entry["matched_interval"]) == (prd.auc, prd.std, prd.interval)
    judges = {judge: test for judge, test in result["c2st"].items() if "matched_n" in test}
    assert set(judges) == {"observables", "images"}
    floor, test = (c2st(real[:60], other[:60], bootstrap=10) for other in (repeated, generated))
    assert (judges["observables"]["matched_floor"], judges["observables"]["matched_floor_interval"]) == (
        floor.auc, floor.interval)
    assert (judges["observables"]["matched_auc"], judges["observables"]["matched_interval"]) == (
        test.auc, test.interval)


def test_repeated_showers_of_other_particles_are_refused(sets, repeated):
    real, other, reference = sets
    matched = Showers(other.energy, real.momentum, real.point)
    with pytest.raises(EvaluationError, match="the repeated showers are the real ones themselves; let Geant4 make"):
        evaluate(*sets, **SMALL, repeated=sets[0][:59])
    with pytest.raises(EvaluationError, match="belong to other particles than the first 59 real ones; make them anew"):
        evaluate(real, matched, reference, repeated=repeated[1:], **SMALL)
    with pytest.raises(EvaluationError, match="need generated ones at the particles of the real showers, one by one"):
        evaluate(real, other, reference, repeated=repeated, **SMALL)
    with pytest.raises(EvaluationError, match="15 repeated showers are too few for 10 clusters; give at least 20"):
        evaluate(real, matched, reference, repeated=repeated[:15], **SMALL)
    with pytest.raises(EvaluationError, match="repeated is of type str, not Showers"):
        evaluate(real, matched, reference, repeated="again.npz", **SMALL)


@pytest.mark.slow
def test_repeats_exactly(sets, result):
    assert evaluate(*sets, **SMALL) | {"seconds": None} == result | {"seconds": None}


def test_without_reference_real_is_split(showers):
    result = evaluate(showers[:81], showers[100:200], **SMALL)
    assert (result["showers"], result["reference"]) == (40, "second half of real")
    assert "memorisation" not in result


def test_faults_are_named(sets):
    with pytest.raises(EvaluationError, match="no protocol is called 'mine'; there are paper, competition"):
        evaluate(*sets, protocol="mine")
    with pytest.raises(EvaluationError, match="100 showers a set cannot fill 400 clusters, those of the protocol "
                       "'paper': give at least 200 generated and 200 real ones, or a --protocol of fewer clusters: "
                       "competition .100.$"):
        evaluate(*sets, progress=False)


def test_no_protocol_is_offered_that_belongs_to_another_grid(sets):
    coarse = [Showers(part.energy[:, ::2, ::2], part.momentum, part.point, grid=GRIDS["shashlik40"]) for part in sets]
    with pytest.raises(EvaluationError, match="give at least 200 generated and 200 real ones$"):
        evaluate(*coarse, progress=False)


@pytest.mark.parametrize("changes, message", [
    (dict(generated="mine.npz"), "generated is of type str, not Showers; make them with ecalgen.Showers"),
    (dict(real=None), "real is of type NoneType, not Showers"),
    (dict(clusters=0), "clusters is 0; it must be a whole number, at least 1"), (dict(runs=0), "runs is 0; it must be"),
    (dict(bootstrap=0), "bootstrap is 0; it must be"), (dict(bootstrap=None), "bootstrap is None; it must be"),
    (dict(clusters=2.5), "clusters is 2.5; it must be a whole number"), (dict(runs="3"), "runs is '3'; it must be a"),
    (dict(seed=-1), "seed is -1; it must be a whole number from 0 to 4294967295"), (dict(seed=0.5), "seed is 0.5; it"),
    (dict(protocol=["paper"]), "no protocol is called .'paper'.; there are paper"),
    (dict(clusters=5_000), "100 showers a set cannot fill 5000 clusters, as asked for: give at least 2500 generated"),
])
def test_what_cannot_be_judged_is_refused_at_once(sets, changes, message):
    given = dict(zip(("real", "generated", "reference"), sets, strict=True)) | SMALL | changes
    with pytest.raises(EvaluationError, match=message):
        evaluate(**given)


def test_tracks_along_the_face_are_refused(sets):
    momentum = sets[1].momentum.copy()
    momentum[3] = [20, 0, 1e-3]
    steep = Showers(sets[1].energy, momentum, sets[1].point)
    with pytest.raises(EvaluationError, match="the generated showers: the slope of the track is 2e.04 in event 3, bey"):
        evaluate(sets[0], steep, sets[2], **SMALL)


def test_showers_without_energy_are_refused(sets):
    nothing = Showers(np.zeros_like(sets[1].energy), sets[1].momentum, sets[1].point)
    with pytest.raises(EvaluationError, match="the generated showers hold no energy in any cell"):
        evaluate(sets[0], nothing, sets[2], **SMALL)


def test_a_handful_of_showers_is_refused_and_fifty_are_judged(sets):
    with pytest.raises(EvaluationError, match="10 showers a set are too few to judge; give at least 20"):
        evaluate(*(showers[:10] for showers in sets), **SMALL | dict(clusters=4))
    few = evaluate(*(showers[:50] for showers in sets), **SMALL)
    assert few["showers"] == 50 and few["particles"]["real"] == [11]


def alike(showers, count):
    """Sixty showers that repeat the first `count`."""
    return showers[np.arange(60) % count]


def in_one_cell(showers):
    """Showers of a particle of 10 GeV straight into the middle, with all energy in one cell."""
    energy = np.zeros_like(showers.energy[:60])
    energy[:, 3, 5] = showers.energy[:60].sum((1, 2))
    return Showers(energy, np.tile([0.0, 0.0, 10.0], (60, 1)), np.zeros((60, 2)), np.where(np.arange(60) % 2, 11, 22))


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [lambda showers: alike(showers, 2), in_one_cell])
def test_showers_that_hardly_differ_are_judged_in_finite_numbers(sets, spoil, tmp_path, monkeypatch):
    """All numbers are finite or None, nothing warns, and the page has all its figures."""
    for name, classifier in REAL_CLASSIFIERS.items():
        monkeypatch.setitem(CLASSIFIERS, name, classifier)
    png = figures.png
    monkeypatch.setattr(figures, "png", lambda figure: png(figure, dpi=20))
    real, generated, reference = map(spoil, sets)
    result = evaluate(real, generated, reference, **SMALL)
    write_evaluation(tmp_path / "evaluation.json", result)
    page = write_report(real, generated, json.loads((tmp_path / "evaluation.json").read_text()), tmp_path)
    assert page.exists()
    if spoil is not in_one_cell:
        assert (result["prd"]["raw"]["ceiling"], result["prd"]["raw"]["ratio"]) == (pytest.approx(0, abs=1e-9), None)


def test_chosen_metrics_alone_are_computed(sets):
    found = evaluate(*sets, bootstrap=2, clusters=8, progress=False, only=["sliced"])
    assert "prd" not in found and list(found["seconds"]) == ["sliced"] and found["sliced"]["wasserstein"]["p"] > 0
    with pytest.raises(EvaluationError, match="no metric is called 'slices'; there are prd, c2st"):
        evaluate(*sets, only=["slices"])
    with pytest.raises(EvaluationError, match=r"only is the text 'sliced'; give a list of names, \['sliced'\]"):
        evaluate(*sets, only="sliced")


def test_written_whole_and_read_back(result, tmp_path):
    write_evaluation(tmp_path / "evaluation.json", result)
    assert json.loads((tmp_path / "evaluation.json").read_text()) == result
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation.json"]


def test_not_a_number_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_evaluation(tmp_path / "evaluation.json", {"auc": np.nan})
    assert not (tmp_path / "evaluation.json").exists()


def test_evaluating_needs_neither_plots_nor_pages():
    """All metrics are found without matplotlib and jinja2, and scikit-learn is imported only where it is used."""
    code = ("import sys; import ecalgen.evaluation.evaluate; from ecalgen.evaluation.metrics.registry import metrics; "
            "assert len(metrics()) >= 10; print([name for name in ('matplotlib', 'mplhep', 'jinja2', 'sklearn') "
            "if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], check=False, text=True, capture_output=True)
    assert done.stdout.strip() == "[]", done.stderr
