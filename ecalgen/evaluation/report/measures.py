"""The headline numbers of an evaluation, of any format, each beside that of two real sets."""
import math
from typing import NamedTuple

from ecalgen.evaluation.report.wording import feature_sets, words

PRD, CLASSIFIER, OBSERVABLE = "PRD-AUC", "Classifier AUC", "Wasserstein-1"
DISTANCE, MEMORISED = "Distance", "Near to reference showers [%]"
FAMILIES = {PRD: 3, CLASSIFIER: 3, OBSERVABLE: 3, DISTANCE: 4, MEMORISED: 2}
"""Family of numbers -> decimals, in the order of the page. Only a PRD-AUC is the better the larger it is."""


class Measure(NamedTuple):
    """A number and that of two real sets, with 95 % intervals (low, high); None is what an old format lacks."""

    value: float | None
    interval: list[float] | None
    reference: float | None
    reference_interval: list[float] | None


def measures(evaluation):
    """(family, name) -> `Measure`, in the order of the page, of what an `evaluation.json` holds.

    Raises:
      KeyError, TypeError, AttributeError: for what is no evaluation.
    """
    found = {(PRD, name): Measure(entry["auc"], entry["interval"], entry["ceiling"], entry["ceiling_interval"])
             for name, entry in feature_sets(evaluation["prd"])}
    found |= {(CLASSIFIER, words([judge])): Measure(test["auc"], test["interval"], test["floor"],
                                                    test["floor_interval"])
              for judge, test in feature_sets(evaluation["c2st"])}
    found |= {(OBSERVABLE, words([name])): Measure(entry["w1"], entry.get("w1_interval"), entry.get("w1_reference"),
                                                   entry.get("w1_reference_interval"))
              for name, entry in evaluation["observables"].items()}
    if distances := evaluation.get("physics_distance"):
        found |= {(DISTANCE, f"{title} physics"): _distance(distances[name], "value")
                  for name, title in (("fpd", "Frechet"), ("kpd", "kernel"))}
    if correlation := evaluation.get("correlation"):
        found[DISTANCE, "of correlation matrices"] = _distance(correlation, "distance")
    if known := evaluation.get("memorisation"):
        share = [100 * value for value in (known["share"], *known["interval"], known["quantile"])]
        found[MEMORISED, "share of the generated"] = Measure(share[0], share[1:3], share[3], None)
    return found


def leaders(runs):
    """Names of the runs that are best by one number, and of those as good as real showers.

    As good are those whose interval touches or beats that of two real sets, or of a classifier 0.5 or the AUC between
    these. The run of the best value leads, with those
    whose intervals meet its own and, where it is as good as real showers, all that are.

    Args:
      runs: name -> (family, Measure), one at least.
    """
    ends = {name: _ends(*entry) for name, entry in runs.items() if entry[1].value is not None}
    fair = [name for name, (_, low, _, bound) in ends.items() if low <= bound]
    reach = min(ends.values(), default=None)
    return [name for name, (_, low, _, _) in ends.items() if name in fair or low <= reach[2]], fair


def _ends(family, measure):
    """Value, both ends and the far end of the reference (-inf without one), turned so that less is better."""
    sign = -1 if family == PRD else 1
    low, high = sorted(sign * end for end in measure.interval or [measure.value] * 2)
    bounds = measure.reference_interval or [measure.reference]
    if family == CLASSIFIER and None not in bounds:
        bounds = [0.5, measure.reference]
    return sign * measure.value, low, high, -math.inf if None in bounds else max(sign * end for end in bounds)


def _distance(entry, value):
    return Measure(entry[value], entry["interval"], entry["reference"], entry["reference_interval"])
