"""The metric `observables`: distances between the distributions of every single observable."""
from ecalgen.evaluation.metrics.distances import BINS, WASSERSTEIN, distances_with_reference, w1_measure
from ecalgen.evaluation.metrics.features import observable_columns
from ecalgen.evaluation.metrics.registry import Metric, Table, register
from ecalgen.evaluation.wording import bracketed, moments, number, words
from ecalgen.machine.records import NUMBER, PAIR, Each, Maybe

COLUMNS = ["W₁", "95 % interval", "Real sets", "S²", "S², real sets", "Real mean ± deviation", "Generated"]


def compute(sets, settings):
    """{observable: its distances}."""
    return distances_with_reference(*map(observable_columns, sets[:3]), settings.seed, settings.bootstrap)


def measures(entry):
    """The Wasserstein-1 distance of each observable."""
    return {words([name]): w1_measure(found) for name, found in entry.items()}


def tables(entry):
    """One row for each observable, the largest distance first."""
    ranked = sorted(entry.items(), key=lambda item: -item[1]["w1"])
    return [Table(COLUMNS, [(words([name]).capitalize(), _cells(found)) for name, found in ranked], "Observable")]


def explain(entry):
    """What the columns are."""
    bins = next((found["bins"] for found in entry.values()), BINS)
    return ("W₁ is the Wasserstein-1 distance in standard deviations of the real showers, the largest first. “Real "
            "sets” is the distance between two real sets. S² is the separation power, ½ Σ (h₁ − h₂)² / (h₁ + h₂), over "
            f"{bins} bins and two for values beyond them. Widths and offsets are in cells, ring shares in units of the "
            "shower’s energy.")


def verdict(entry):
    """How many observables are as close as two real sets, and the one that is furthest among the others."""
    ranked = sorted(entry.items(), key=lambda item: item[1]["w1"])
    good = [name for name, found in ranked if WASSERSTEIN.is_good(w1_measure(found))]
    if good:
        yield "Good", f"{len(good)} of {len(ranked)} observables as close as two real sets ({words(good)})"
    if len(good) < len(ranked):
        name, found = next(item for item in reversed(ranked) if item[0] not in good)
        yield "Off", (f"{len(ranked) - len(good)} of {len(ranked)} observables are further, the furthest "
                      f"{words([name])} with Wasserstein-1 {number(found['w1'])} deviations against "
                      f"{number(found['w1_reference'])} between real sets")


def _cells(entry):
    return [number(entry["w1"]), bracketed(entry["w1_interval"]), number(entry["w1_reference"]),
            number(entry["separation"]), number(entry["separation_reference"]),
            moments(entry["real_mean"], entry["real_std"]), moments(entry["generated_mean"], entry["generated_std"])]


register(Metric(
    "observables", compute, "Observables", WASSERSTEIN, measures, tables, explain, verdict,
    record=Each({"w1": NUMBER, "w1_interval": Maybe(PAIR), "w1_reference": Maybe(NUMBER),
                 "w1_reference_interval": Maybe(PAIR), "real_mean": NUMBER, "real_std": NUMBER})))
