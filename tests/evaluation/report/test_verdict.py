"""The verdict of an evaluation: what is good or off, warnings, and differences that chance explains."""
import json

import evaluations
import pytest
from evaluations import distance, feature_set, judged, physics_distance, response

from ecalgen.evaluation.report.verdict import spoken
from ecalgen.evaluation.report.verdict import verdict as verdict_of


@pytest.fixture
def evaluation():
    return evaluations.evaluation()


def test_verdict_quotes_the_numbers(evaluation):
    assert verdict_of(evaluation) == {
        "Good": "raw PRD-AUC 0.717 against a real-versus-real ceiling of 0.723 (ratio 0.99); 3 of 9 observables as "
                "close as two real sets (longitudinal asymmetry, transverse asymmetry, delta x); resolution as in real "
                "showers at all energies.",
        "Off": "physics PRD-AUC 0.611 against a real-versus-real ceiling of 0.927 (ratio 0.66); a classifier tells "
               "generated from real by observables (AUC 0.981 [0.977, 0.985], 0.503 between real sets); a classifier "
               "tells generated from real by observables and conditions (AUC 0.981 [0.977, 0.985], 0.503 between real "
               "sets); 6 of 9 observables are further, the furthest transverse width with Wasserstein-1 0.351 "
               "deviations against 0.020 between real sets; Frechet physics distance 8.130 against 0.310 between real "
               "sets; visible fraction off in 1 of 2 bins of energy, most by 10.0 % at 2 to 4 GeV.",
    }


def test_verdict_of_a_perfect_generator(evaluation):
    evaluation["prd"] = {"embedding": feature_set(0.93, 0.93), "legacy": feature_set(0.94, 0.93), "score": 0.93}
    evaluation["c2st"] = {"cells": judged() | {"auc": 0.51, "interval": [0.495, 0.525]}}
    evaluation["observables"] = {"delta_x": distance(0.02)}
    evaluation["physics_distance"], evaluation["response"] = physics_distance(0.33), response()
    verdict = verdict_of(json.loads(json.dumps(evaluation)))
    assert list(verdict) == ["Good"]
    assert "embedding" in verdict["Good"] and "cannot tell generated from real by cells (AUC 0.510" in verdict["Good"]


def test_verdict_warns_of_copies_and_of_few_showers(evaluation):
    evaluation["prd"] = {"raw": feature_set(0.9, 0.4) | {"n": 300}, "score": 0.9}
    evaluation["memorisation"] |= {"share": 0.05, "interval": [0.04, 0.06]}
    assert verdict_of(evaluation)["Beware"] == (
        "raw PRD-AUC 0.900 against a real-versus-real ceiling of 0.400 (ratio 2.25): it exceeds what other real "
        "showers reach, as is usual where generated showers have the very particles of the real ones, and as copies "
        "would (see the search for copies), and 300 showers a set are too few for 400 clusters to see a difference; "
        "5.0 % of the generated showers lie closer to a training shower than 1 % of "
        "other real ones do, as copies would, and as showers smoother than real ones may.")


@pytest.mark.parametrize("matched, ceiling, label", [
    (0.93, 0.97, "Good"), (0.99, 0.97, "Good"), (0.99, 0.96, "Beware")])
def test_the_ceiling_of_the_same_particles_says_what_exceeds_it(evaluation, matched, ceiling, label):
    """0.95 exceeds the ceiling of other particles, 0.90. Only the ceiling of the same particles counts, within 0.02."""
    around = lambda value: [value - 0.01, value + 0.01]
    entry = feature_set(0.95, 0.9) | {
        "matched_n": 2000, "matched_auc": matched, "matched_std": 0.003, "matched_interval": around(matched),
        "matched_ceiling": ceiling, "matched_ceiling_std": 0.003, "matched_ceiling_interval": around(ceiling)}
    evaluation["prd"] = {"raw": entry, "score": 0.95}
    said = verdict_of(evaluation)
    assert "raw PRD-AUC 0.950 against a real-versus-real ceiling of 0.900" in said[label]
    assert set(said) == {"Good", "Off", label}
    if label == "Beware":
        assert ("at 2\u202f000 particles that Geant4 repeated, 0.990 exceeds the 0.960 of the repeated showers, as "
                "that of copies would") in said[label]


def test_verdict_warns_of_another_beam(evaluation):
    evaluation["condition_distances"]["log_energy"] = distance(0.5)
    assert verdict_of(evaluation)["Beware"].startswith(
        "the generated showers belong to other particles than the real ones (log energy with Wasserstein-1 0.500 ")


def test_verdict_warns_of_what_was_done_to_files_and_of_other_particles(evaluation):
    evaluation["notes"] = ["mine.npz: EnergyDeposit converted from GeV to MeV"]
    evaluation["particles"] = {"real": [11], "generated": [22], "reference": None}
    assert verdict_of(evaluation)["Beware"] == (
        "mine.npz: EnergyDeposit converted from GeV to MeV; particle codes differ: 11 (real), 22 (generated).")


@pytest.mark.parametrize("auc, floor, said", [
    ([0.51, 0.471, 0.551], 0.428, "cannot tell"),  # not told apart, though two real sets happen to lie lower
    ([0.533, 0.515, 0.553], 0.511, "tells"), ([0.52, 0.505, 0.53], 0.52, "cannot tell")])
def test_a_classifier_tells_where_its_interval_leaves_one_half_and_the_floor(evaluation, auc, floor, said):
    evaluation["c2st"] = {"cells": judged() | {"auc": auc[0], "interval": auc[1:], "floor": floor}}
    assert f"a classifier {said} generated from real by cells" in "".join(verdict_of(evaluation).values())


def test_one_of_many_bins_is_off_by_chance(evaluation):
    """A difference of 2.2 errors is off in one bin, but not in one of 20, where the limit is 3.0 errors."""
    value = lambda mean: {"mean": mean, "mean_interval": [mean - 0.00196, mean + 0.00196], "resolution": 0.05,
                          "resolution_interval": [0.04, 0.06]}
    entry = {"low": 1.0, "high": 2.0, "real": value(0.17), "generated": value(0.17 + 2.2 * 0.001 * 2**0.5),
             "reference": value(0.17)}
    for bins, label in ((1, "Off"), (20, "Good")):
        evaluation["response"]["bins"] = [entry] + [entry | {"generated": value(0.17)}] * (bins - 1)
        assert "visible fraction" in verdict_of(evaluation)[label]


def test_verdict_of_a_hopeless_generator(evaluation):
    evaluation["prd"]["raw"] = feature_set(0.1, 0.723)
    evaluation["observables"] = {"delta_x": distance(3.0), "delta_y": distance(4.0)}
    for entry in evaluation["response"]["bins"]:
        entry["generated"] = {"mean": 0.1, "mean_interval": [0.1, 0.1], "resolution": 1, "resolution_interval": [1, 1]}
    verdict = verdict_of(evaluation)
    assert list(verdict) == ["Off"]
    assert verdict["Off"].startswith("raw PRD-AUC 0.100") and "delta y with Wasserstein-1 4.000" in verdict["Off"]


def test_a_resolution_of_repeated_showers_is_no_division_by_zero(evaluation):
    for entry in evaluation["response"]["bins"]:
        for kind in ("real", "reference"):
            entry[kind] |= {"resolution": 0.0, "resolution_interval": [0.0, 0.0]}
    assert "resolution off in 2 of 2 bins of energy, most by – % at 1 to 2 GeV" in verdict_of(evaluation)["Off"]


def test_a_terminal_gets_a_line_a_finding():
    assert spoken({"Good": "a 0.5; b.", "Off": "c."}) == "Good:\n  a 0.5\n  b.\nOff:\n  c."
