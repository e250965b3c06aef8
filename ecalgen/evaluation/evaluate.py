"""Generated against real showers: every metric with its settings, its uncertainty and its ceiling, as one JSON."""
import json
import numbers
import time

import numpy as np

from ecalgen.data.showers import Showers, slopes
from ecalgen.evaluation.metrics.c2st import JUDGES, binned, c2st
from ecalgen.evaluation.metrics.correlation import correlation_distances
from ecalgen.evaluation.metrics.distances import observable_distances
from ecalgen.evaluation.metrics.extrapolation import extrapolated
from ecalgen.evaluation.metrics.features import condition_columns, make_extractor, observable_columns
from ecalgen.evaluation.metrics.memorisation import memorisation
from ecalgen.evaluation.metrics.physics_distance import physics_distances
from ecalgen.evaluation.metrics.prd import PROTOCOLS, EvaluationError, prd_score, ratio
from ecalgen.evaluation.metrics.profiles import profile_ratios
from ecalgen.evaluation.metrics.response import responses
from ecalgen.evaluation.metrics.stress import stress_points
from ecalgen.evaluation.report.figures import paired
from ecalgen.machine.files import write_text
from ecalgen.machine.host import progress as bar

FORMAT = 4
LEAST = 20
"""Showers a set; fewer leave classifiers nothing to learn from."""
BINNED = "observables_and_conditions"
"""Judge whose verdict is also given in bins of the conditions."""
MATCHED = ("observables", "images")
"""Judges that also compare with Geant4's repetitions of the real showers."""
STEEPEST = 1e4
"""Slope of a track beyond which the metrics overflow."""


def evaluate(real, generated, reference=None, protocol="paper", seed=0, clusters=None, runs=None, bootstrap=200,
             progress=True, repeated=None):
    """All metrics of generated against real showers, beside those of other real showers, as a JSON-able dict.

    Every set is cut to the size of the smallest, recorded as `showers`, because a PRD-AUC and a Wasserstein distance
    depend on it. Only copies are looked for among all showers of `reference`, whose number is recorded as
    `training_showers`.

    Where generated showers stand at the particles of the real ones, a PRD-AUC can exceed its ceiling, which is made of
    other particles. `repeated` gives the ceiling of the same particles, from as many showers as it holds.

    Args:
      real: `Showers`, at the conditions of `generated` or of the same distribution.
      generated: `Showers`.
      reference: other real `Showers`, of which the ceiling, the floor and the reference distances are made; best all
        those that the generator was trained on, since copies of them are looked for. When None, the second half of
        `real` serves, the first half is what `generated` is compared with, and no copies are looked for.
      protocol: one of PROTOCOLS, which fixes the features, clusters and runs of the PRD.
      seed: of clusterings, folds and bootstraps.
      clusters: K in place of the protocol's, for fewer showers than it needs.
      runs: clusterings in place of the protocol's.
      bootstrap: resamplings of each interval.
      progress: show bars.
      repeated: real `Showers` that Geant4 made a second time of the first particles of `real`, in their order. Those
        of `generated` must belong to these particles, too.

    Raises:
      EvaluationError: for an unknown protocol, fewer showers than it needs, what is no `Showers`, showers without any
        energy or with tracks along the face, repeated ones of other particles, or a setting that is no whole number
        from 1.
    """
    _check_settings(protocol, seed, clusters=clusters, runs=runs, bootstrap=bootstrap)
    check_showers(real=real, generated=generated, reference=reference, repeated=repeated)
    settings, chosen = PROTOCOLS[protocol], clusters is not None
    clusters, runs = clusters or settings.clusters, runs or settings.runs
    reference_is = "given" if reference is not None else "second half of real"
    if reference is None:
        half = len(real) // 2
        real, reference = real[:half], real[half:]
    count = min(len(real), len(generated), len(reference))
    _check_enough(count, clusters, "" if chosen else protocol, reference_is)
    sets = [showers[:count] for showers in (real, generated, reference)]
    if repeated is not None:
        repeated = repeated[:count]
        _check_repeated(*sets[:2], repeated, clusters)
    parts = {
        "prd": lambda: _prd(sets, repeated, settings.features, clusters, runs, seed, bootstrap, progress),
        "c2st": lambda: _c2st(sets, repeated, seed, bootstrap, progress),
        "observables": lambda: _distances(map(observable_columns, sets), seed, bootstrap),
        "condition_distances": lambda: _distances(map(condition_columns, sets), seed, bootstrap),
        "physics_distance": lambda: physics_distances(*sets, seed, bootstrap),
        "correlation": lambda: correlation_distances(*sets, seed, bootstrap),
        "response": lambda: responses(*sets, seed, bootstrap),
        "profile": lambda: profile_ratios(*sets, seed, bootstrap),
        "stress": lambda: stress_points(*sets, seed, bootstrap),
    }
    if reference_is == "given":
        parts["memorisation"] = lambda: memorisation(*sets[:2], reference, seed, bootstrap)
    result = {"format": FORMAT, "protocol": protocol, "showers": count, "reference": reference_is,
              "conditions": "matched" if paired(*sets[:2]) else "marginal", "particles": _particles(*sets),
              "seed": seed, "bootstrap": bootstrap}
    seconds = {}
    for name, part in parts.items():
        start = time.perf_counter()
        result[name] = part()
        seconds[name] = round(time.perf_counter() - start, 2)
    return result | {"seconds": seconds}


def write_evaluation(path, result):
    """Write the dict as JSON, whole or not at all."""
    write_text(path, json.dumps(result, indent=1, allow_nan=False) + "\n")


def _check_settings(protocol, seed, **counts):
    """Before any long work."""
    if not isinstance(protocol, str) or protocol not in PROTOCOLS:
        raise EvaluationError(f"no protocol is called {protocol!r}; there are {', '.join(PROTOCOLS)}")
    whole = lambda value: isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole(seed) or not 0 <= seed < 2**32:
        raise EvaluationError(f"seed is {seed!r}; it must be a whole number from 0 to {2**32 - 1}")
    for name, value in counts.items():
        if value is None and name != "bootstrap":
            continue
        if not whole(value) or value < 1:
            raise EvaluationError(f"{name} is {value!r}; it must be a whole number, at least 1")


def check_showers(**sets):
    """Before any long work; `reference` and `repeated` may be None."""
    for name, showers in sets.items():
        if showers is None and name in ("reference", "repeated"):
            continue
        if not isinstance(showers, Showers):
            raise EvaluationError(f"{name} is of type {type(showers).__name__}, not Showers; make them with "
                                  "ecalgen.Showers(energy, momentum, point) or ecalgen.load_showers(path)")
        if not showers.energy.any():
            raise EvaluationError(f"the {name} showers hold no energy in any cell; there is nothing to judge")
        _check_slopes(name, showers)


def _check_slopes(name, showers):
    """The other numbers of `Showers` are bounded when they are made."""
    steepness = np.abs(slopes(showers.momentum.astype(np.float64))).max(axis=1)
    if (steepness > STEEPEST).any():
        event = int((steepness > STEEPEST).argmax())
        raise EvaluationError(f"the {name} showers: the slope of the track is {steepness[event]:.3g} in event {event}, "
                              f"beyond {STEEPEST:g}; leave such events out")


def _check_repeated(real, generated, repeated, clusters):
    """The repeated showers belong to the first particles of both other sets, and are enough for the PRD."""
    count = len(repeated)
    if not paired(real[:count], repeated):
        raise EvaluationError(f"the repeated showers belong to other particles than the first {count} real ones; make "
                              "them anew at the momenta and points of these, in their order")
    if (real.energy[:count] == repeated.energy).all():
        raise EvaluationError("the repeated showers are the real ones themselves; let Geant4 make their particles "
                              "again, with other random numbers")
    if not paired(real[:count], generated[:count]):
        raise EvaluationError("repeated showers want generated ones at the particles of the real showers, one by one; "
                              "generate at their momenta and points, or leave the repeated showers out")
    if count < max(-(-clusters // 2), LEAST):
        raise EvaluationError(f"{count} repeated showers are too few for {clusters} clusters; give at least "
                              f"{max(-(-clusters // 2), LEAST)}")


def _check_enough(count, clusters, protocol, reference_is):
    """Before any long work; `protocol` is empty where the clusters are not its own."""
    least = max(-(-clusters // 2), LEAST)
    if count < least:
        real = least if reference_is == "given" else f"{2 * least} (or {least} and a reference of as many)"
        whose = f"those of the protocol {protocol!r}: " if protocol else "as asked for: "
        protocols = ", ".join(f"{name} ({settings.clusters} clusters)" for name, settings in PROTOCOLS.items())
        raise EvaluationError(
            f"{2 * count} showers cannot fill {clusters} clusters, {whose}give at least {least} generated and {real} "
            f"real ones, or another --protocol; there are {protocols}" if 2 * count < clusters else
            f"{count} showers a set are too few to judge; give at least {LEAST} generated and {real} real ones")


def _particles(real, generated, reference):
    """The particle codes in each set, None where they are not known."""
    sets = {"real": real, "generated": generated, "reference": reference}
    return {name: None if showers.pdg is None else sorted(set(np.asarray(showers.pdg).tolist()))
            for name, showers in sets.items()}


def _prd(sets, repeated, features, clusters, runs, seed, bootstrap, progress):
    def score(real, other, bar):
        return prd_score(real, other, clusters, runs, seed, bootstrap, bar if progress else "")

    result = {}
    for name in features:
        extract = make_extractor(name)
        real, generated, reference = map(extract, sets)
        prd, ceiling = score(real, generated, f"PRD {name}"), score(real, reference, f"PRD {name}, ceiling")
        result[name] = {
            "auc": prd.auc, "std": prd.std, "interval": prd.interval,
            "ceiling": ceiling.auc, "ceiling_std": ceiling.std, "ceiling_interval": ceiling.interval,
            "ratio": ratio(prd.auc, ceiling.auc), "clusters": clusters, "runs": runs, "n": prd.n,
            "curve": _curve(prd), "ceiling_curve": _curve(ceiling),
            "extrapolated": extrapolated(real, generated, prd, seed, bootstrap),
            "ceiling_extrapolated": extrapolated(real, reference, ceiling, seed, bootstrap),
        }
        if repeated is not None:
            result[name] |= _matched_prd(score, name, real, generated, extract(repeated))
    return result | {"score": min(values["auc"] for values in result.values())}


def _matched_prd(score, name, real, generated, repeated):
    """The PRD-AUC at the particles of the repeated showers, and theirs."""
    count = len(repeated)
    prd = score(real[:count], generated[:count], f"PRD {name}, at repeated particles")
    ceiling = score(real[:count], repeated, f"PRD {name}, repeated showers")
    return {"matched_auc": prd.auc, "matched_std": prd.std, "matched_interval": prd.interval,
            "matched_ceiling": ceiling.auc, "matched_ceiling_std": ceiling.std,
            "matched_ceiling_interval": ceiling.interval, "matched_n": count}


def _curve(prd):
    """Every tenth of the 1001 angles."""
    return {"precision": prd.precision[::10].tolist(), "recall": prd.recall[::10].tolist()}


def _c2st(sets, repeated, seed, bootstrap, progress):
    """Every judge's verdict, of one that in bins of the conditions, and of MATCHED that beside repeated showers."""
    (real, generated, reference), result = sets, {}
    for judge in bar(JUDGES, desc="classifiers", leave=False, disable=not progress):
        test, floor = (c2st(real, other, judge, seed, bootstrap) for other in (generated, reference))
        result[judge] = {"auc": test.auc, "interval": test.interval, "floor": floor.auc,
                         "floor_interval": floor.interval, "classifier": test.classifier, "features": test.features}
        if judge == BINNED:
            result[judge]["bins"] = binned(test, real, generated, seed, bootstrap)
        if repeated is not None and judge in MATCHED:
            result[judge] |= _matched_c2st(real, generated, repeated, judge, seed, bootstrap)
    return result


def _matched_c2st(real, generated, repeated, judge, seed, bootstrap):
    """The AUC at the particles of the repeated showers, and theirs."""
    count = len(repeated)
    test, floor = (c2st(real[:count], other, judge, seed, bootstrap) for other in (generated[:count], repeated))
    return {"matched_auc": test.auc, "matched_interval": test.interval, "matched_floor": floor.auc,
            "matched_floor_interval": floor.interval, "matched_n": count}


def _distances(columns, seed, bootstrap):
    real, generated, reference = columns
    result = observable_distances(real, generated, seed, bootstrap)
    for name, values in observable_distances(real, reference, seed, bootstrap).items():
        result[name] |= {f"{metric}_reference{suffix}": values[metric + suffix]
                         for metric in ("w1", "separation") for suffix in ("", "_interval")}
    return result
