"""What the experiments measure: classifier AUCs, PRD-AUCs, Wasserstein-1 distances, and times."""
import dataclasses
import functools
import time

import jax
import numpy as np

from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.sources import sample_path
from ecalgen.data.transforms import make_transform
from ecalgen.evaluation.metrics.c2st import CLASSIFIERS, auc_in_bins, c2st
from ecalgen.evaluation.metrics.distances import wasserstein_distance
from ecalgen.evaluation.metrics.features import make_extractor, observable_columns
from ecalgen.evaluation.metrics.prd import prd_score
from ecalgen.machine.chunks import slices
from ecalgen.models.build import build_generator
from ecalgen.sampling.sampler import chunk_size, load_sampler, make_sampler
from ecalgen.simulation.gflash import Gflash
from ecalgen.training.metrics_log import read_metrics

CLUSTERS = 400


@functools.cache
def real_showers(source, split, count):
    """The first `count` real showers of a split; one process loads them once."""
    return load_split(source, split)[:count]


def reference(showers):
    """As many other real showers, from the training split, for ceilings and floors."""
    return load_split(str(sample_path()), "train")[:len(showers)]


def generated(sampler, real, seed=0):
    """Showers of a sampler, at the conditions of real ones.

    Args:
      sampler: a sampler, the folder of a run, the name of a shipped generator, or `gflash`.
      real: the real showers.
      seed: of the generated ones.
    """
    sampler = Gflash() if str(sampler) == "gflash" else sampler
    sampler = sampler if callable(sampler) else load_sampler(sampler)
    return dataclasses.replace(real, energy=sampler(real.momentum, real.point, seed=seed))


def make_showers(fields, domain, transform, variables, real, seed=0):
    """Showers of the generator that `config.generator` describes in a domain, at the conditions of real ones."""
    sample = make_sampler(build_generator(fields, domain), make_transform(**transform))
    parts = [sample(variables, jax.random.key(seed), real.momentum[rows], real.point[rows], rows.start)
             for rows in slices(len(real), chunk_size(real.grid))]
    return dataclasses.replace(real, energy=np.concatenate(parts))


def judged(real, other, classifiers=tuple(CLASSIFIERS), runs=10):
    """{"auc": {classifier: AUC}, "bins": ..., "physics_prd": ..., "showers": N} of other showers against real ones."""
    tests = {name: c2st(real, other, name, bootstrap=20) for name in classifiers}
    result = {"showers": len(real), "auc": {name: round(test.auc, 4) for name, test in tests.items()},
              "physics_prd": prd(real, other, "physics", runs)}
    if "observables_and_conditions" in tests:
        bins = auc_in_bins(tests["observables_and_conditions"], real, other, bootstrap=20)
        result["bins"] = {name: [[entry["low"], entry["high"], round(entry["auc"], 4)] for entry in entries]
                          for name, entries in bins.items()}
    return result


def judged_twice(real, other, classifiers):
    """{"prd": {features: PRD-AUC}, "auc": {classifier: AUC}, "w1": {observable: distance}}, with both PRD-AUCs."""
    return {"prd": {features: prd(real, other, features) for features in ("raw", "physics")},
            "auc": {name: round(c2st(real, other, name, bootstrap=2).auc, 4) for name in classifiers},
            "w1": distances(real, other)}


def prd(real, other, features, runs=10):
    """{"auc", "std", "clusters", "runs", "n"} of the features of that name."""
    extract = make_extractor(features)
    score = prd_score(extract(real), extract(other), CLUSTERS, runs, 0, 2, "")
    return {"auc": round(score.auc, 4), "std": round(score.std, 4), "clusters": CLUSTERS, "runs": runs, "n": score.n}


def distances(real, other, columns=observable_columns):
    """Wasserstein-1 of each observable, in standard deviations of the real one; the mean over its columns.

    Args:
      real: showers.
      other: showers.
      columns: showers -> {name: values `[N, K]`}.
    """
    theirs, ours = columns(real), columns(other)
    return {name: round(wasserstein_distance(theirs[name], ours[name]), 4) for name in theirs}


def training_seconds(workdir):
    """{stage: seconds of its training} of a run."""
    rows = read_metrics(workdir / "metrics.jsonl")
    return {stage: max(row["seconds"] for row in rows if row["stage"] == stage)
            for stage in dict.fromkeys(row["stage"] for row in rows)}


def best_seconds(function, repeats):
    """Seconds of the fastest of some calls, after one that compiles."""
    jax.block_until_ready(function())
    return min(_timed(function) for _ in range(repeats))


def milliseconds(sample, batch, repeats=7):
    """Milliseconds for each shower of `sample(batch)`."""
    return round(1000 * best_seconds(lambda: sample(batch), repeats) / len(sample(batch)), 4)


def _timed(function):
    start = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - start
