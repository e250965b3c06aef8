"""Hostile sets of showers and settings: `evaluate` refuses at once, and single metrics give finite numbers."""
import dataclasses
import functools
import json

import numpy as np
from fuzzing.harness import Trial

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.files.formats import iter_showers
from ecalgen.evaluation import evaluate as evaluation
from ecalgen.evaluation.metrics.correlation import correlation_distances
from ecalgen.evaluation.metrics.distances import observable_distances
from ecalgen.evaluation.metrics.features import condition_columns, make_extractor, observable_columns
from ecalgen.evaluation.metrics.memorisation import memorisation
from ecalgen.evaluation.metrics.physics_distance import physics_distances
from ecalgen.evaluation.metrics.prd import prd_score
from ecalgen.evaluation.metrics.profiles import profile_ratios
from ecalgen.evaluation.metrics.registry import Sets, Settings, metrics
from ecalgen.evaluation.metrics.response import responses
from ecalgen.evaluation.metrics.stress import stress_points
from ecalgen.evaluation.sets import LEAST, check_showers

SIZE = 30
"""Showers of each set."""
FEW = dict(seed=0, bootstrap=5)
WRONG = {
    "protocol": ("mine", "", None, 7, ["paper"], "PAPER"),
    "clusters": (0, -4, 2.5, "10", float("nan"), True, 10**9, [10]),
    "runs": (0, -1, 1.5, "2", float("inf"), False),
    "bootstrap": (0, -3, 0.5, "many", None, float("nan")),
    "seed": (-1, 0.5, "0", None, 2**70, float("nan"), [1]),
    "real": (None, "real.npz", 3, np.zeros((40, 30, 30))),
    "generated": (None, "mine.npz", {}, [1, 2]),
    "reference": ("other.npz", 0, np.ones(3)),
    "repeated": ("again.npz", 0, [1]),
}
"""Argument of `evaluate` -> values that it must refuse."""


def draw(rng, folder):
    """A call of `evaluate` that must be refused, or a metric of sets that it takes."""
    del folder
    kind = str(rng.choice(["setting", "few", "empty", "beyond", "repeated", "metric", "metric", "metric"]))
    if kind == "metric":
        return _metric(rng)
    arguments = dict(zip(("real", "generated", "reference"), (_some(rng) for _ in range(3)), strict=True))
    arguments |= {"clusters": 10, "runs": 1, "bootstrap": 2, "progress": False}
    spoil = {"setting": _wrong, "few": _few, "empty": _empty, "beyond": _beyond, "repeated": _repeated}[kind]
    return Trial(kind, lambda: evaluation.evaluate(**arguments | spoil(rng, arguments)), _never)


def _metric(rng):
    name = str(rng.choice(list(METRICS)))
    count = int(rng.integers(LEAST, SIZE + 1))
    spoils = [str(rng.choice(list(SPOILS))) for _ in range(3)]
    if rng.random() < 0.4:
        spoils = spoils[:1] * 3
    sets = {role: SPOILS[spoil](rng, _some(rng))[:count]
            for role, spoil in zip(("real", "generated", "reference"), spoils, strict=True)}

    def call():
        check_showers(**sets)
        return METRICS[name](**sets)

    return Trial(f"{name} of {spoils[0]} and {spoils[1]}", call, _finite)


def _prd(real, generated, reference):
    del reference
    extract = make_extractor("raw" if len(real) % 2 else "physics")
    score = dataclasses.asdict(prd_score(extract(real), extract(generated), 8, 2, bootstrap=3))
    return {name: np.asarray(value).tolist() for name, value in score.items()}


def _registered(name, real, generated, reference):
    """The entry of a metric of the registry."""
    return metrics()[name].compute(Sets(real, generated, reference), Settings(**FEW, features=(), clusters=8, runs=2,
                                                                              progress=False))


METRICS = {
    "observables": lambda real, generated, reference: observable_distances(
        observable_columns(real), observable_columns(generated), **FEW),
    "conditions": lambda real, generated, reference: observable_distances(
        condition_columns(real), condition_columns(generated), **FEW),
    "prd": _prd,
    "memorisation": lambda real, generated, reference: memorisation(real, generated, reference, **FEW),
    "response": lambda **sets: responses(**sets, **FEW),
    "profiles": lambda **sets: profile_ratios(**sets, **FEW),
    "correlation": lambda **sets: correlation_distances(**sets, **FEW),
    "physics distances": lambda **sets: physics_distances(**sets, **FEW),
    "stress": lambda **sets: stress_points(**sets, **FEW),
    **{name: functools.partial(_registered, name) for name in ("neighbours", "weights", "sliced", "equivalent")},
}
"""Metric -> what it gives of three sets of equal size."""


@functools.cache
def _showers():
    return next(iter_showers(sample_path("electron_5d"), 400))


def _some(rng):
    """SIZE showers of the sample."""
    return _showers()[rng.choice(400, SIZE, replace=False)]


def _with(showers, **changes):
    return dataclasses.replace(showers, **changes)


def _cells(showers, change):
    return _with(showers, energy=change(showers.energy.astype(np.float64)))


def _faint(rng, showers):
    return _cells(showers, lambda energy: energy * 10.0 ** rng.integers(-44, -5))


def _bright(rng, showers):
    return _cells(showers, lambda energy: energy * 10.0 ** rng.integers(1, 9))


def _one_energy(rng, showers):
    length = np.linalg.norm(showers.momentum, axis=1, keepdims=True)
    return _with(showers, momentum=showers.momentum / length * 10.0 ** rng.uniform(-5, 8))


def _one_particle(rng, showers):
    momentum = [*rng.choice([0.0, -1.0, 2.0], 2), 10.0]
    return _with(showers, momentum=np.tile(momentum, (len(showers), 1)), point=np.zeros((len(showers), 2)))


def _grazing(rng, showers):
    momentum = showers.momentum * [10.0 ** rng.integers(0, 6), 1, 1]
    return _with(showers, momentum=momentum)


def _one_cell(rng, showers):
    cell = (np.arange(900) == rng.integers(900)).reshape(1, 30, 30)
    return _cells(showers, lambda energy: energy.sum((1, 2), keepdims=True) * cell)


def _mixed(rng, showers):
    return _with(showers, pdg=rng.choice([11, -11, 22, 211], len(showers)))


SPOILS = {
    "nothing": lambda rng, showers: showers,
    "one shower": lambda rng, showers: showers[np.zeros(len(showers), int)],
    "few showers": lambda rng, showers: showers[rng.integers(int(rng.integers(2, 5)), size=len(showers))],
    "one energy": _one_energy,
    "one particle": _one_particle,
    "grazing": _grazing,
    "one cell": _one_cell,
    "flat": lambda rng, showers: _cells(showers, np.ones_like),
    "mostly empty": lambda rng, showers: _cells(
        showers, lambda energy: energy * (rng.permutation(len(energy)) == 0)[:, None, None]),
    "faint": _faint,
    "bright": _bright,
    "mixed particles": _mixed,
}
"""Name -> what is done to SIZE good showers; all of them are taken, but for some beyond the limits."""


def _wrong(rng, arguments):
    """One argument of a type or a size that cannot be."""
    del arguments
    name = str(rng.choice(list(WRONG)))
    return {name: WRONG[name][int(rng.integers(len(WRONG[name])))]}


def _few(rng, arguments):
    name = str(rng.choice(["real", "generated", "reference"]))
    return {name: arguments[name][:int(rng.integers(1, LEAST))]}


def _empty(rng, arguments):
    name = str(rng.choice(["real", "generated", "reference"]))
    return {name: _cells(arguments[name], np.zeros_like)}


def _beyond(rng, arguments):
    name = str(rng.choice(["real", "generated", "reference"]))
    showers = arguments[name]
    spoiled = [lambda: _cells(showers, lambda energy: energy * 1e16),
               lambda: _with(showers, momentum=showers.momentum * 10.0 ** rng.integers(10, 35)),
               lambda: _with(showers, momentum=showers.momentum * 10.0 ** -rng.integers(9, 35)),
               lambda: _with(showers, momentum=showers.momentum * [1, 1, 1e-9] + [1e-3, 0, 0]),
               lambda: _with(showers, point=showers.point + 10.0 ** rng.integers(7, 35))]
    return {name: spoiled[int(rng.integers(len(spoiled)))]()}


def _repeated(rng, arguments):
    """Of other particles, or where the generated showers belong to others."""
    real = arguments["real"]
    return {"repeated": [_some(rng), real[::-1], real[1:], real, real[:10]][int(rng.integers(5))]}


def _finite(result):
    """Every number is finite or None, and the whole can be written."""
    json.dumps(result, allow_nan=False)


def _never(result):
    del result
    raise AssertionError("the input was accepted")
