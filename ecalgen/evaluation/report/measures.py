"""The headline numbers of evaluations, of any format, and which run is best by a number."""
from ecalgen.evaluation.metrics.precision_recall import PRD_AUC
from ecalgen.evaluation.metrics.registry import entries

PRD = PRD_AUC.title


def measures(evaluation):
    """(title of the family, name) -> `Measure` of all metrics in an `evaluation.json`, in the order of the page."""
    found = [((metric.family.title, name), measure) for metric, entry in entries(evaluation)
             for name, measure in metric.measures(entry).items()]
    order = list(dict.fromkeys(family for (family, _), _ in found))
    return dict(sorted(found, key=lambda item: order.index(item[0][0])))


def leaders(family, runs):
    """The names of the best runs by one number, and of the runs that are as good as real showers by it.

    The run with the best value leads, together with the runs whose intervals meet its own. If it is as good as real
    showers, all runs that are as good lead with it.

    Args:
      family: the `Family` of the number.
      runs: name -> `Measure`.

    Returns:
      Two lists of names. Runs whose value is None are in neither.
    """
    ends = {name: family.ends(measure) for name, measure in runs.items() if measure.value is not None}
    good = [name for name, (_, low, _, bound) in ends.items() if low <= bound]
    best = min(ends.values(), default=None)
    return [name for name, (_, low, _, _) in ends.items() if name in good or low <= best[2]], good
