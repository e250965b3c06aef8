"""The metrics of an evaluation. Each brings its numbers and, optionally, its headline numbers, tables and verdict.

A module that calls `register` adds a metric to evaluation.json, to the verdict, to the report and to the page that
compares runs. The modules of this folder are found by themselves; import any other before `evaluate`.
"""
import dataclasses
import functools
import importlib
import math
import pkgutil
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ecalgen.data.showers import Showers
from ecalgen.errors import UserError
from ecalgen.machine.records import ANY

ORDER = ("prd", "c2st", "observables", "condition_distances", "physics_distance", "correlation", "response", "profile",
         "stress", "memorisation", "neighbours", "weights", "sliced", "equivalent")
"""Metrics that come first, in evaluation.json and on the pages. Others follow in the order of their registration."""
TAKEN = ("format", "protocol", "showers", "reference", "conditions", "particles", "seed", "bootstrap", "seconds",
         "split", "training", "regressor", "notes", "provenance")
"""Other fields of evaluation.json."""


class EvaluationError(UserError):
    """An evaluation that cannot be made as asked; the message says what to change."""


class Sets(NamedTuple):
    """The showers that are judged. `sets[:3]` are as many of each set.

    `repeated` are real showers that Geant4 made a second time of the first particles of `real`. `training` are all the
    reference showers that were given, more than those of `reference`. Either may be None.
    """

    real: Showers
    generated: Showers
    reference: Showers
    repeated: Showers | None = None
    training: Showers | None = None


class Settings(NamedTuple):
    """Seed, resamplings of each interval, what the PRD depends on, and whether to show progress bars."""

    seed: int
    bootstrap: int
    features: tuple[str, ...]
    clusters: int
    runs: int
    progress: bool


class Measure(NamedTuple):
    """A headline number and that of two real sets, with 95 % intervals [low, high]; None is what is not known."""

    value: float | None
    interval: list[float] | None
    reference: float | None
    reference_interval: list[float] | None


@dataclasses.dataclass(frozen=True)
class Family:
    """Headline numbers of one kind and unit, which share a panel of the figure that compares runs.

    Args:
      title: of the family, with its unit.
      decimals: of its numbers.
      larger_is_better: whether a larger number is better.
      chance: the number of two sets that cannot be told apart, where it is known. A number that reaches it is as good
        as that of real showers, and the interval between real sets is not used.
      logarithmic: whether the axis of the figure is logarithmic.
    """

    title: str
    decimals: int = 3
    larger_is_better: bool = False
    chance: float | None = None
    logarithmic: bool = False

    def ends(self, measure):
        """(value, low, high, bound) with signs such that less is better.

        `bound` is the worst end of the reference, and -inf without a reference.
        """
        sign = -1 if self.larger_is_better else 1
        low, high = sorted(sign * end for end in measure.interval or [measure.value] * 2)
        bounds = measure.reference_interval or [measure.reference]
        if self.chance is not None and None not in bounds:
            bounds = [self.chance, measure.reference]
        return sign * measure.value, low, high, -math.inf if None in bounds else max(sign * end for end in bounds)

    def is_good(self, measure):
        """Whether the interval meets or beats that between two real sets."""
        _, low, _, bound = self.ends(measure)
        return low <= bound

    def mark(self, measure):
        """The label of the verdict: "Good" or "Off"."""
        return "Good" if self.is_good(measure) else "Off"


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of the report: `rows` are (name, [text of each column]).

    Args:
      columns: their heads.
      rows: the rows.
      head: of the column of names.
      title: above the table.
      note: below the table.
      narrow: whether all columns fit beside each other on a phone. Otherwise the cells of a row are stacked there.
    """

    columns: list[str]
    rows: list[tuple[str, list[str]]]
    head: str = ""
    title: str = ""
    note: str = ""
    narrow: bool = False


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric. All functions but `compute` and `applies` take the entry of evaluation.json that `compute` made.

    Args:
      name: of the entry in evaluation.json.
      compute: `(Sets, Settings) -> dict` of numbers, texts, lists and dicts, which JSON can hold.
      title: heading on the report.
      family: of the headline numbers.
      measures: `entry -> {name: Measure}`, the headline numbers. They are compared between runs.
      tables: `entry -> [Table]` of the report. Without it, one table lists the headline numbers.
      explain: `entry -> text` below the first table.
      verdict: `entry -> [(label, sentence)]`; a label is "Good", "Off" or "Beware".
      applies: `Sets -> bool`, whether the metric can be computed.
      record: the kind, as of `ecalgen.machine.records`, that an entry read from a file must have.
    """

    name: str
    compute: Callable[[Sets, Settings], dict]
    title: str = ""
    family: Family | None = None
    measures: Callable[[dict], dict[str, Measure]] = lambda entry: {}
    tables: Callable[[dict], list[Table]] | None = None
    explain: Callable[[dict], str] = lambda entry: ""
    verdict: Callable[[dict], Iterable[tuple[str, str]]] = lambda entry: ()
    applies: Callable[[Sets], bool] = lambda sets: True
    record: Any = ANY


_registered: dict[str, Metric] = {}


def register(metric):
    """Add a metric to every evaluation from now on, and return it. A module may register its own metrics again.

    Raises:
      EvaluationError: the name belongs to a metric of another module, or to another field of evaluation.json.
    """
    module = metric.compute.__module__
    owner = _registered[metric.name].compute.__module__ if metric.name in _registered else module
    if metric.name in TAKEN or owner != module:
        whose = "a field of evaluation.json" if metric.name in TAKEN else f"a metric of {owner}"
        raise EvaluationError(f"{metric.name!r} is {whose} already; give the metric of {module} another name")
    _registered[metric.name] = metric
    return metric


def metrics():
    """Name -> `Metric` of all registered metrics, those of ORDER first."""
    _import_this_folder()
    place = {name: index for index, name in enumerate(ORDER)}
    return dict(sorted(_registered.items(), key=lambda item: place.get(item[0], len(ORDER))))


def entries(evaluation):
    """(metric, entry) of each registered metric that an `evaluation.json` holds."""
    return [(metric, evaluation[name]) for name, metric in metrics().items() if evaluation.get(name) is not None]


def families():
    """Title -> `Family`, in the order of the metrics."""
    return {metric.family.title: metric.family for metric in metrics().values() if metric.family}


@functools.cache
def _import_this_folder():
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{__package__}.{module.name}")
