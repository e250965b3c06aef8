"""Evaluations with invented numbers, for the tests of the pages."""
import numpy as np

RATIOS = {"real": [1.0, 5.0, 0.0], "generated": [1.0, 4.0, 0.1], "ratio": [1.0, 0.8, None],
          "ratio_interval": [[0.9, 1.1], [0.7, 0.9], [None, None]], "reference_ratio": [1.0, 1.1, None],
          "reference_ratio_interval": [[0.9, 1.1], [0.9, 1.2], [None, None]]}
PROFILE = {"unit": "MeV per GeV", "edges_cells": [-1.0, 1.0], "along": RATIOS, "across": RATIOS}


def curve(power):
    recall = np.linspace(0, 1, 101)
    return {"precision": (1 - recall**power).tolist(), "recall": recall.tolist()}


def feature_set(auc, ceiling):
    return {"auc": auc, "std": 0.004, "interval": [auc - 0.01, auc + 0.01], "ceiling": ceiling, "ceiling_std": 0.003,
            "ceiling_interval": [ceiling - 0.01, ceiling + 0.01], "ratio": auc / ceiling, "clusters": 400, "runs": 10,
            "n": 1250, "curve": curve(2), "ceiling_curve": curve(9),
            "extrapolated": extrapolated(auc), "ceiling_extrapolated": extrapolated(ceiling)}


def distance(w1):
    return {"w1": w1, "w1_interval": [0.9 * w1, 1.1 * w1], "w1_reference": 0.02,
            "w1_reference_interval": [0.015, 0.025], "separation": 0.0123, "separation_interval": [0.01, 0.02],
            "separation_reference": 0.0045, "separation_reference_interval": [0.003, 0.006], "bins": 40,
            "real_mean": -1.25, "real_std": 0.31,
            "generated_mean": -1.5, "generated_std": 0.0}


def extrapolated(auc):
    return {"n": [1250, 625], "runs": [10, 2], "auc": [auc, auc - 0.1], "error": [0.01, 0.02],
            "one_over_n": {"auc": auc + 0.05, "error": 0.015}, "one_over_sqrt_n": None}


def physics_distance(value, reference=0.31):
    """Both distances with the same value."""
    entry = {"value": value, "error": 0.02, "interval": [0.9 * value, 1.1 * value], "reference": reference,
             "reference_error": 0.01, "reference_interval": [0.8 * reference, 1.2 * reference]}
    return {"features": ["delta_x", "delta_y"], "scaling": "",
            "fpd": entry | {"min_samples": 120, "max_samples": 300}, "kpd": entry | {"batch_size": 150, "batches": 10}}


def response(factor=1.0):
    """Two bins of energy; in the second, generated showers are brighter by a factor."""
    value = lambda mean: {"showers": 100, "mean": mean, "mean_interval": [0.99 * mean, 1.01 * mean],
                          "resolution": 0.05, "resolution_interval": [0.04, 0.06]}
    return {"quantity": "visible fraction", "bins": [
        {"low": low, "high": 2 * low, "real": value(0.17), "generated": value(0.17 * scale), "reference": value(0.171)}
        for low, scale in ((1.0, 1.0), (2.0, factor))]}


def stress():
    value = {"mean": 0.1712, "mean_interval": [0.17, 0.172], "resolution": 0.05, "resolution_interval": [0.04, 0.06]}
    observables = {name: value for name in ("visible_fraction", "longitudinal_width", "transverse_width")}
    return {"neighbours": 20, "points": [
        {"energy_gev": 10, "angle_degrees": 15, "track_cm": [0, 0.5], "radius": 0.7, "energies_gev": [7.77, 12.3],
         "angles_degrees": 3.21, "track_distances_cm": 0.456,
         "real": observables, "generated": observables, "reference": observables}]}


def judged():
    return {"auc": 0.981, "interval": [0.977, 0.985], "floor": 0.503, "floor_interval": [0.49, 0.515],
            "classifier": "trees <of> some kind", "features": ["delta_x", "delta_y"]}


def evaluation():
    """An `evaluation.json` of the newest format with all optional fields."""
    observables = {"longitudinal_asymmetry": 0.012, "transverse_asymmetry": 0.0123, "longitudinal_width": 0.2,
                   "transverse_width": 0.351, "sparsity": 0.1, "delta_x": 0.019, "delta_y": 0.04, "ring_shares": 0.05,
                   "visible_fraction": 0.11}
    return {
        "format": 4, "protocol": "paper", "showers": 300, "reference": "given", "seed": 0, "bootstrap": 200,
        "prd": {"raw": feature_set(0.717, 0.723), "physics": feature_set(0.611, 0.927), "score": 0.611},
        "c2st": {"observables": judged(), "observables_and_conditions": judged() | {"bins": {"energy_gev": [
            {"low": 1.0, "high": 3.0, "showers": 1234, "auc": 0.57, "interval": [0.55, 0.59]}]}}},
        "observables": {name: distance(w1) for name, w1 in observables.items()},
        "physics_distance": physics_distance(8.13), "stress": stress(), "response": response(1.1),
        "correlation": {"features": ["delta_x", "delta_y"], "definition": "Frobenius norm", "distance": 0.00512,
                        "interval": [0.0049, 0.0053], "reference": 0.0005, "reference_interval": [0.0004, 0.0006]},
        "condition_distances": {"log_energy": distance(0.02), "slope_x": distance(0)}, "profile": PROFILE,
        "memorisation": {
            "space": "some space", "training_showers": 1250, "quantile": 0.01, "share": 0.0123,
            "interval": [0.009, 0.015], "real_median": 0.25, "generated_median": 0.24},
        "seconds": {"prd": 31.25, "c2st": 2.5},
        "provenance": {"command": "python -m ecalgen.evaluation", "commit": "f9fa4e7", "seed": 0, "device": "cpu",
                       "versions": {"jax": "0.10.2", "flax": "0.12.8"}, "date": "2025-11-22T03:20:11+00:00"},
        "training": {"showers_seen": 1280000, "steps": 20000, "seconds": 612.3456, "preset": None},
    }
