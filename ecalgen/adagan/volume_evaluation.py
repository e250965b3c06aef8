"""Generated against real showers in a block of cells: distances, classifier, PRD, sampling fraction and profiles."""
import numpy as np

from ecalgen.data.volume_observables import AXES, observables, profile, sampling_fraction
from ecalgen.evaluation.metrics.bootstrap import interval, resampled
from ecalgen.evaluation.metrics.c2st import CLASSIFIERS, auc_with_interval, cross_validated_scores
from ecalgen.evaluation.metrics.distances import observable_distances
from ecalgen.evaluation.metrics.prd import prd_score, ratio

CLUSTERS, RUNS = 100, 10
EDGES = (2.0, 10.0, 20.0, 40.0, 70.0, 100.0, 200.0, 300.0, 400.0, 500.0)
"""GeV, of the bins in which the sampling fraction is given."""
SMALLEST_BIN = 10
"""Showers of each set that a bin needs."""
FORMAT = "volumes 1"


def evaluate_volumes(real, generated, reference, seed=0, bootstrap=200, clusters=CLUSTERS, runs=RUNS):
    """Compare generated with real `Volumes`, and other real ones with the same, as a JSON-able dict.

    All sets are cut to the size of the smallest.

    Args:
      real: at the energies of `generated`.
      generated: as many.
      reference: other real ones.
      seed: of clusterings, folds and bootstraps.
      bootstrap: resamplings of each interval.
      clusters, runs: of the PRD.
    """
    count = min(len(real), len(generated), len(reference))
    sets = [volumes[:count] for volumes in (real, generated, reference)]
    columns = [{name: value[:, None] for name, value in observables(volumes).items()} for volumes in sets]
    distances = observable_distances(columns[0], columns[1], seed, bootstrap)
    for name, values in observable_distances(columns[0], columns[2], seed, bootstrap).items():
        distances[name] |= {f"{metric}_reference{suffix}": values[metric + suffix]
                            for metric in ("w1", "separation") for suffix in ("", "_interval")}
    return {
        "format": FORMAT, "showers": count, "seed": seed, "bootstrap": bootstrap, "observables": distances,
        "c2st": _c2st(sets, columns, seed, bootstrap), "prd": _prd(sets, columns, clusters, runs, seed, bootstrap),
        "sampling_fraction": _fractions(sets, seed, bootstrap),
        "profiles": {axis: _profiles(sets, axis, seed, bootstrap) for axis in AXES}}


def _c2st(sets, columns, seed, bootstrap):
    """AUC of boosted trees on the observables and the incident energy."""
    seen = [np.concatenate([*table.values(), volumes.incident_energy[:, None]], axis=1)
            for table, volumes in zip(columns, sets, strict=True)]
    trees = CLASSIFIERS["observables"]
    test, floor = (auc_with_interval(cross_validated_scores(trees.make(seed), seen[0], other, trees.folds, seed),
                                     seed, bootstrap) for other in seen[1:])
    return {"auc": test[0], "interval": test[1], "floor": floor[0], "floor_interval": floor[1],
            "classifier": f"{trees.description}; {trees.folds} folds", "features": [*columns[0], "incident_energy"]}


def _prd(sets, columns, clusters, runs, seed, bootstrap):
    """PRD-AUC of the cells, and of the observables in standard deviations."""
    features = {"raw": [volumes.energy.reshape(len(volumes), -1) for volumes in sets]}
    scale = {name: value.std() or 1 for name, value in columns[0].items()}
    features["physics"] = [np.concatenate([table[name] / scale[name] for name in table], axis=1) for table in columns]
    result = {}
    for name, (real, generated, reference) in features.items():
        prd, ceiling = (prd_score(real, other, clusters, runs, seed, bootstrap) for other in (generated, reference))
        result[name] = {"auc": prd.auc, "std": prd.std, "interval": prd.interval, "ceiling": ceiling.auc,
                        "ceiling_std": ceiling.std, "ratio": ratio(prd.auc, ceiling.auc), "clusters": clusters,
                        "runs": runs, "n": prd.n}
    return result


def _fractions(sets, seed, bootstrap):
    """Mean and standard deviation of the sampling fraction in bins of the incident energy."""
    result = []
    for low, high in zip(EDGES[:-1], EDGES[1:], strict=True):
        inside = [fractions[(volumes.incident_energy >= low) & (volumes.incident_energy < high)]
                  for fractions, volumes in zip(map(sampling_fraction, sets), sets, strict=True)]
        if min(map(len, inside)) < SMALLEST_BIN:
            continue
        entry = {"low": low, "high": high, "showers": min(map(len, inside))}
        for name, values in zip(("real", "generated", "reference"), inside, strict=True):
            means = resampled(lambda first, _: first.mean(), values, values, bootstrap, seed)
            entry[name] = {"mean": float(values.mean()), "std": float(values.std()),
                           "mean_interval": interval(float(values.mean()), means)}
        result.append(entry)
    return result


def _profiles(sets, axis, seed, bootstrap):
    """Mean share of the energy in each plane across an axis, and generated over real with its interval."""
    real, generated, reference = (profile(volumes.energy, axis) for volumes in sets)
    ratio = lambda first, second: second.mean(0) / np.maximum(first.mean(0), 1e-9)
    bounds = np.quantile(resampled(ratio, real, generated, bootstrap, seed), [0.025, 0.975], axis=0).T
    return {"real": real.mean(0).tolist(), "generated": generated.mean(0).tolist(),
            "ratio": ratio(real, generated).tolist(), "ratio_interval": bounds.tolist(),
            "reference_ratio": ratio(real, reference).tolist()}
