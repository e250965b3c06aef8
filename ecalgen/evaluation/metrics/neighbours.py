"""Precision and recall by nearest neighbours, density and coverage.

They are those of Kynkaanniemi et al. 2019 (arXiv:1904.06991) and of Naeem et al. 2020 (arXiv:2002.09797). The ball of a
shower reaches to its k-th nearest neighbour in its own set. The space is that of all cells, as log(1 + e / 0.1 MeV).
"""
from typing import NamedTuple

import numpy as np

from ecalgen.evaluation.metrics.bootstrap import interval, resampled
from ecalgen.evaluation.metrics.registry import Family, Measure, Metric, Table, register
from ecalgen.evaluation.wording import bracketed, number
from ecalgen.machine.chunks import slices
from ecalgen.machine.records import NUMBER, PAIR

SHARE = Family("Share by nearest neighbours", larger_is_better=True)
NEIGHBOURS = 5
FAINT = 0.1
"""MeV, below which the energy of a cell counts for little."""
ROWS = 1_000
"""Showers whose distances to all others are held at once."""
MEANINGS = {"precision": "generated showers inside the ball of a real one", "recall": "real showers inside the ball of "
            "a generated one", "density": "real balls around a generated shower, over k",
            "coverage": "real showers with a generated one in their ball"}
"""Name of a number -> the showers that it counts."""
RECORD = dict.fromkeys(MEANINGS, {"value": NUMBER, "interval": PAIR, "reference": NUMBER, "reference_interval": PAIR})


class Shares(NamedTuple):
    """What each shower adds to a number, which is their mean: precision, density `[M]`, recall, coverage `[N]`."""

    precision: np.ndarray
    recall: np.ndarray
    density: np.ndarray
    coverage: np.ndarray


def log_cells(showers):
    """log(1 + e / 0.1 MeV) of all cells: float32 `[N, cells]`."""
    return np.log1p(showers.energy.reshape(len(showers), -1) / np.float32(FAINT)).astype(np.float32)


def shares(real, generated, neighbours=NEIGHBOURS, balls=None):
    """The `Shares` of features.

    Args:
      real, generated: `[N, F]`, `[M, F]`.
      neighbours: k.
      balls: the `radii` of the real showers, where they are known.
    """
    balls = radii(real, neighbours) if balls is None else balls
    others = radii(generated, neighbours)
    inside = np.zeros((2, len(generated)), np.float64)
    recalled, covered = np.zeros(len(real), bool), np.zeros(len(real), bool)
    for rows in slices(len(generated), ROWS):
        squares = squared_distances(generated[rows], real)
        within = squares <= balls
        inside[:, rows] = within.any(axis=1), within.sum(axis=1) / neighbours
        covered |= within.any(axis=0)
        recalled |= (squares <= others[rows, None]).any(axis=0)
    return Shares(inside[0], recalled.astype(float), inside[1], covered.astype(float))


def radii(rows, neighbours):
    """Squared distance of each row to its k-th nearest neighbour: `[N, F]` -> `[N]`."""
    k = min(neighbours, len(rows) - 1)  # the nearest one is the row itself
    return np.concatenate([np.partition(squared_distances(rows[some], rows), k, axis=1)[:, k]
                           for some in slices(len(rows), ROWS)])


def squared_distances(rows, others):
    """|x - y|^2 of all pairs: `[N, F]`, `[M, F]` -> `[N, M]`."""
    squares = (rows**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * rows @ others.T
    return np.maximum(squares, 0)


def compute(sets, settings):
    """{number: its value, that of other real showers, and their intervals}."""
    real, generated, reference = map(log_cells, sets[:3])
    found, balls = {name: {"neighbours": NEIGHBOURS} for name in MEANINGS}, radii(real, NEIGHBOURS)
    for other, value, bounds in ((generated, "value", "interval"), (reference, "reference", "reference_interval")):
        for name, each in shares(real, other, balls=balls)._asdict().items():
            mean = float(each.mean())
            spread = resampled(lambda rows, _: rows.mean(), each, each, settings.bootstrap, settings.seed)
            found[name] |= {value: mean, bounds: interval(mean, spread, (0, np.inf if name == "density" else 1))}
    return found


def measures(entry):
    """All four numbers."""
    return {name: Measure(found["value"], found["interval"], found["reference"], found["reference_interval"])
            for name, found in entry.items()}


def tables(entry):
    """All four numbers, and what they are shares of."""
    rows = [(name.capitalize(), [number(found["value"]), bracketed(found["interval"]), number(found["reference"]),
                                 bracketed(found["reference_interval"]), MEANINGS[name]])
            for name, found in entry.items()]
    return [Table(["Value", "95 % interval", "Real sets", "Their interval", "Share of"], rows)]


def explain(entry):
    """How to read the numbers."""
    k = next(iter(entry.values()))["neighbours"]
    return (f"A shower's ball reaches to its {k}th nearest neighbour in its own set, in the cells as "
            f"log(1 + e / {FAINT:g} MeV). Low precision or density: showers that Geant4 does not make. Low recall or "
            "coverage: showers that are missing. Copies of real showers raise all four.")


def verdict(entry):
    """One sentence for coverage, which sees both kinds of faults and has no outliers."""
    found = entry["coverage"]
    yield SHARE.mark(measures(entry)["coverage"]), (
        f"generated showers cover {number(found['value'])} of the real ones, other real showers "
        f"{number(found['reference'])}")


register(Metric("neighbours", compute, "Nearest neighbours", SHARE, measures, tables, explain, verdict, record=RECORD))
