"""Wasserstein-1 distance of the energy of the hottest cell, a metric of one's own."""
from ecalgen.evaluation.metrics.distances import WASSERSTEIN, distances_with_reference, w1_measure
from ecalgen.evaluation.metrics.registry import Metric, register
from ecalgen.evaluation.wording import number


def columns(showers):
    """Energy of the hottest cell in MeV: `{name: [N, 1]}`."""
    return {"hottest_cell": showers.energy.reshape(len(showers), -1).max(axis=1, keepdims=True)}


def compute(sets, settings):
    """The entry of evaluation.json."""
    return distances_with_reference(*map(columns, sets[:3]), settings.seed, settings.bootstrap)["hottest_cell"]


def measures(entry):
    """The headline numbers: rows of the table, and of the page that compares runs."""
    return {"hottest cell": w1_measure(entry)}


def verdict(entry):
    """A sentence of the verdict."""
    measure = w1_measure(entry)
    yield WASSERSTEIN.mark(measure), (f"energy of the hottest cell with Wasserstein-1 {number(measure.value)} "
                                      f"deviations against {number(measure.reference)} between real sets")


def explain(entry):
    """The text below the table."""
    return f"The hottest cell of a real shower holds {entry['real_mean']:.0f} MeV on average."


register(Metric(name="hottest_cell", compute=compute, title="Hottest cell", family=WASSERSTEIN, measures=measures,
                explain=explain, verdict=verdict))
