"""The metric `condition_distances`: whether the generated showers belong to particles of the same beam."""
from ecalgen.evaluation.metrics.distances import WASSERSTEIN, distances_with_reference, w1_measure
from ecalgen.evaluation.metrics.features import condition_columns
from ecalgen.evaluation.metrics.registry import Metric, register
from ecalgen.evaluation.wording import number, words


def compute(sets, settings):
    """{condition of the particle: its distances}."""
    return distances_with_reference(*map(condition_columns, sets[:3]), settings.seed, settings.bootstrap)


def verdict(entry):
    """A warning where a condition is further off than between two real sets, as this changes all numbers."""
    name, found = max(entry.items(), key=lambda item: item[1]["w1_interval"][0])
    if not WASSERSTEIN.is_good(w1_measure(found)):
        yield "Beware", (f"the generated showers belong to other particles than the real ones ({words([name])} with "
                         f"Wasserstein-1 {number(found['w1'])} deviations against {number(found['w1_reference'])} "
                         "between real sets), which all numbers see")


register(Metric("condition_distances", compute, verdict=verdict))
