"""The headline numbers of an evaluation, and the best runs by one of them."""
import evaluations

from ecalgen.evaluation.metrics.c2st import AUC
from ecalgen.evaluation.metrics.distances import WASSERSTEIN
from ecalgen.evaluation.metrics.memorisation import MEMORISED
from ecalgen.evaluation.metrics.precision_recall import PRD_AUC
from ecalgen.evaluation.metrics.registry import Measure
from ecalgen.evaluation.report.measures import leaders, measures


def test_every_headline_number_beside_its_reference():
    found = measures(evaluations.evaluation())
    assert found["PRD-AUC", "physics"] == Measure(0.611, [0.601, 0.621], 0.927, [0.917, 0.927 + 0.01])
    assert found["Classifier AUC", "observables"] == Measure(0.981, [0.977, 0.985], 0.503, [0.49, 0.515])
    assert found["Wasserstein-1", "delta x"].reference_interval == [0.015, 0.025]
    assert found["Distance", "Frechet physics"].value == 8.13
    assert found["Distance", "of correlation matrices"].reference == 0.0005
    assert found[MEMORISED.title, "share of the generated"][::2] == (1.23, 1.0)
    assert len(found) == 2 + 2 + 9 + 3 + 1


def test_what_format_2_lacks_is_left_out():
    old = evaluations.evaluation()
    for name in ("physics_distance", "correlation", "memorisation"):
        del old[name]
    assert {family for family, _ in measures(old)} == {"PRD-AUC", "Classifier AUC", "Wasserstein-1"}


def test_the_best_by_a_distance_and_those_as_good_as_real_showers():
    real = 0.02, [0.01, 0.03]
    runs = {"near": Measure(0.1, [0.09, 0.11], *real), "far": Measure(1, [0.9, 1.1], *real)}
    assert leaders(WASSERSTEIN, runs) == (["near"], [])
    runs["meets"] = Measure(0.12, [0.105, 0.14], *real)
    assert leaders(WASSERSTEIN, runs) == (["near", "meets"], [])
    runs |= {"fair": Measure(0.025, [0.02, 0.031], *real),
             "too good": Measure(0.001, [0, 0.002], *real)}
    assert leaders(WASSERSTEIN, runs) == (["fair", "too good"], ["fair", "too good"])


def test_a_classifier_that_reaches_one_half_is_as_good_as_real_showers():
    floor = 0.43, [0.39, 0.47]
    runs = {"clean": Measure(0.51, [0.48, 0.55], *floor),
            "off": Measure(0.56, [0.52, 0.6], *floor)}
    assert leaders(AUC, runs) == (["clean", "off"], ["clean"])  # their intervals meet


def test_the_best_by_prd_auc_is_the_largest():
    ceiling = 0.95, [0.94, 0.96]
    runs = {"low": Measure(0.5, [0.48, 0.52], *ceiling), "high": Measure(0.9, [0.89, 0.91], *ceiling)}
    assert leaders(PRD_AUC, runs) == (["high"], [])
    assert leaders(PRD_AUC, runs | {"copies": Measure(0.99, None, *ceiling)}) == (["copies"], ["copies"])


def test_numbers_that_could_not_be_had_lead_nothing():
    assert leaders(PRD_AUC, {"none": Measure(None, None, None, None)}) == ([], [])
    runs = {"a": Measure(0.5, None, None, None), "b": Measure(0.6, None, None, None)}
    assert leaders(PRD_AUC, runs) == (["b"], [])
