"""Sensitivity: what a rerun adds, and responses by hand."""
from ecalgen.evaluation.metrics.registry import metrics
from experiments.checks.sensitivity import NONE, missing, responses


def test_a_rerun_computes_what_is_missing():
    everything = [name for name, metric in metrics().items() if metric.family]
    assert missing([]) == everything
    known = [["Classifier AUC", "cells", 0.5, [0.4, 0.6]], ["Distance", "kernel physics", 0.1, [0, 0.2]]]
    assert missing(known) == [name for name in everything if name not in ("c2st", "physics_distance", "correlation")]


def test_responses_by_hand():
    """The interval of 0.392 is four deviations of 0.1 wide, and less is worse for a PRD-AUC."""
    before = [["PRD-AUC", "raw", 0.9, [0.7, 1.092]], ["Distance", "of means", 1.0, [0.8, 1.192]]]
    after = [["PRD-AUC", "raw", 0.4, [0, 1]], ["Distance", "of means", 1.7, [0, 2]]]
    rows = [{"distortion": NONE, "measures": before}, {"distortion": "noise", "measures": after}]
    assert responses(rows) == {"PRD-AUC": {"raw": {"noise": 5.0}}, "Distance": {"of means": {"noise": 7.0}}}
