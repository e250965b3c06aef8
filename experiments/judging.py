"""What the anchored experiments measure of a generator: the judges of the classifier test and the physics PRD-AUC."""
import functools

import jax
import numpy as np

from ecalgen.data.ecal_shashlik import load_split, sample_path
from ecalgen.data.showers import Showers
from ecalgen.data.transforms import make_transform
from ecalgen.evaluation.metrics.c2st import CLASSIFIERS, auc_in_bins, c2st
from ecalgen.evaluation.metrics.features import make_extractor
from ecalgen.evaluation.metrics.prd import prd_score
from ecalgen.machine.chunks import slices
from ecalgen.models.build import build_generator
from ecalgen.sampling.sampler import chunk_size, make_sampler

CLUSTERS = 400


def judged(real, generated, judges=tuple(CLASSIFIERS), runs=10):
    """{"auc": {judge: AUC}, "bins": ..., "physics_prd": ..., "showers": N} of generated against real showers."""
    tests = {judge: c2st(real, generated, judge, bootstrap=20) for judge in judges}
    result = {"showers": len(real), "auc": {judge: round(test.auc, 4) for judge, test in tests.items()},
              "physics_prd": physics_prd(real, generated, runs)}
    if "observables_and_conditions" in tests:
        bins = auc_in_bins(tests["observables_and_conditions"], real, generated, bootstrap=20)
        result["bins"] = {name: [[entry["low"], entry["high"], round(entry["auc"], 4)] for entry in entries]
                          for name, entries in bins.items()}
    return result


def physics_prd(real, other, runs=10):
    """`prd` of the `physics` features."""
    return prd(real, other, "physics", runs)


def prd(real, other, features, runs=10):
    """{"auc", "std", "clusters", "runs", "n"} of the features of that name."""
    extract = make_extractor(features)
    score = prd_score(extract(real), extract(other), CLUSTERS, runs, 0, 2, "")
    return {"auc": round(score.auc, 4), "std": round(score.std, 4), "clusters": CLUSTERS, "runs": runs, "n": score.n}


@functools.cache
def real_showers(source, split, count):
    """The first so many real showers of a split, loaded once in a process."""
    return load_split(source, split)[:count]


def reference(showers):
    """As many other real showers, those of the training split, for ceilings and floors."""
    return load_split(str(sample_path()), "train")[:len(showers)]


def make_showers(fields, transform, variables, real, seed=0):
    """Showers of the generator that `config.generator` describes, at the conditions of real ones."""
    sample = make_sampler(build_generator(fields), make_transform(**transform))
    parts = [sample(variables, jax.random.key(seed), real.momentum[rows], real.point[rows], rows.start)
             for rows in slices(len(real), chunk_size())]
    return Showers(np.concatenate(parts), real.momentum, real.point)
