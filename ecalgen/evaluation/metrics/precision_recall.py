"""The metric `prd`: PRD-AUC of several sets of features, its ceiling between two real sets, and both at infinite N."""
from ecalgen.evaluation.metrics.extrapolation import extrapolated
from ecalgen.evaluation.metrics.features import FEATURES, make_extractor
from ecalgen.evaluation.metrics.prd import prd_score, ratio
from ecalgen.evaluation.metrics.registry import Family, Measure, Metric, Table, register
from ecalgen.evaluation.wording import bracketed, number, text
from ecalgen.machine.records import COUNT, NUMBER, PAIR, Maybe

PRD_AUC = Family("PRD-AUC", larger_is_better=True)
SHOWERS_PER_CLUSTER = 2
"""Showers of each set; with fewer, the noise of the histograms hides most differences."""
CONTENTS = {
    "raw": "the energies of the cells, MeV",
    "physics": "2 asymmetries, 2 widths, 20 sparsities",
    "embedding": "64 numbers from a regressor of the incident particle",
    "legacy": "the 24 statistics of the public scoring program",
}
"""Name of a set of features -> what it holds."""
RECORD = {name: Maybe({"auc": NUMBER, "interval": PAIR, "ceiling": NUMBER, "ceiling_interval": PAIR, "clusters": COUNT,
                       "runs": COUNT}) for name in FEATURES}


def compute(sets, settings):
    """{name of features: PRD-AUC and ceiling with all they depend on} and {"score": the smallest PRD-AUC}."""
    result = {name: _features(name, sets, settings) for name in settings.features}
    return result | {"score": min(entry["auc"] for entry in result.values())}


def feature_sets(prd):
    """(name, entry) of each set of features in the entry of evaluation.json."""
    return [(name, prd[name]) for name in prd if name in FEATURES]


def measures(prd):
    """The PRD-AUC of each set of features and its ceiling."""
    return {name: Measure(entry["auc"], entry["interval"], entry["ceiling"], entry["ceiling_interval"])
            for name, entry in feature_sets(prd)}


def tables(prd):
    """Quantities down and sets of features across, without the rows that no set has."""
    sets = feature_sets(prd)
    rows = [(label, [cell(entry) for _, entry in sets]) for label, cell in ROWS.items()]
    return [Table([name for name, _ in sets], [row for row in rows if set(row[1]) != {"–"}]
                  + [("Features", [CONTENTS.get(name, name) for name, _ in sets])], head="Features", narrow=True)]


def explain(prd):
    """How to read the table."""
    matched = any("matched_auc" in entry for _, entry in feature_sets(prd))
    return ("Area under precision against recall of the two distributions. The score is the smallest one, "
            f"{number(prd['score'])}. It depends on clusters, runs and N: compare it with the ceiling, which two real "
            "sets of the same size reach. The values at infinite N are from straight lines through all showers, halves "
            "and quarters. A line that lacks showers for its clusters has no row. Trust the line whose ceiling comes "
            "to 1." + (" Geant4 made showers of the first particles a second time: their PRD-AUC is the ceiling of "
                       "showers of the same particles as the real ones." if matched else ""))


def verdict(prd):
    """One sentence for each set of features, the lowest ratio to the ceiling first, and a warning of few showers."""
    for name, entry in sorted(feature_sets(prd), key=lambda item: item[1]["ratio"] or 0):
        said = (f"{name} PRD-AUC {number(entry['auc'])} against a real-versus-real ceiling of "
                f"{number(entry['ceiling'])} (ratio {number(entry['ratio'], 2)})")
        label = PRD_AUC.mark(measures({name: entry})[name])
        reasons = [reason for reason in (_excess(entry), _few(entry)) if reason] if label == "Good" else []
        yield ("Beware", f"{said}: {', and '.join(reasons)}") if reasons else (label, said)


def _features(name, sets, settings):
    """The entry of one set of features."""
    extract = make_extractor(name)
    real, generated, reference = map(extract, sets[:3])
    prd, ceiling = _score(real, generated, f"PRD {name}", settings), _score(
        real, reference, f"PRD {name}, ceiling", settings)
    limit = lambda other, whole: extrapolated(real, other, whole, settings.seed, settings.bootstrap)
    return {
        "auc": prd.auc, "std": prd.std, "interval": prd.interval,
        "ceiling": ceiling.auc, "ceiling_std": ceiling.std, "ceiling_interval": ceiling.interval,
        "ratio": ratio(prd.auc, ceiling.auc), "clusters": prd.clusters, "runs": prd.runs, "n": prd.n,
        "curve": _curve(prd), "ceiling_curve": _curve(ceiling),
        "extrapolated": limit(generated, prd), "ceiling_extrapolated": limit(reference, ceiling),
    } | (_matched(name, real, generated, extract(sets.repeated), settings) if sets.repeated is not None else {})


def _matched(name, real, generated, repeated, settings):
    """The PRD-AUC at the particles of the repeated showers, and the ceiling that these reach."""
    count = len(repeated)
    prd = _score(real[:count], generated[:count], f"PRD {name}, at repeated particles", settings)
    ceiling = _score(real[:count], repeated, f"PRD {name}, repeated showers", settings)
    return {"matched_auc": prd.auc, "matched_std": prd.std, "matched_interval": prd.interval,
            "matched_ceiling": ceiling.auc, "matched_ceiling_std": ceiling.std,
            "matched_ceiling_interval": ceiling.interval, "matched_n": count}


def _score(real, other, title, settings):
    return prd_score(real, other, settings.clusters, settings.runs, settings.seed, settings.bootstrap,
                     title if settings.progress else "")


def _curve(prd):
    """Every tenth of the 1001 angles."""
    return {"precision": prd.precision[::10].tolist(), "recall": prd.recall[::10].tolist()}


def _excess(entry):
    """Why a PRD-AUC is above what real showers reach; empty where it is not.

    Where Geant4 repeated some particles, only the ceiling of the same particles counts.
    """
    if "matched_auc" not in entry:
        return ("it exceeds what other real showers reach, as is usual where generated showers have the very particles "
                "of the real ones, and as copies would (see the search for copies)"
                if entry["interval"][0] > entry["ceiling_interval"][1] else "")
    return (f"at {text(entry['matched_n'])} particles that Geant4 repeated, {number(entry['matched_auc'])} exceeds the "
            f"{number(entry['matched_ceiling'])} of the repeated showers, as that of copies would"
            if entry["matched_interval"][0] > entry["matched_ceiling_interval"][1] else "")


def _few(entry):
    """Why a PRD-AUC hardly sees a difference; empty where the showers are enough."""
    few = entry["n"] < SHOWERS_PER_CLUSTER * entry["clusters"]
    return (f"{text(entry['n'])} showers a set are too few for {entry['clusters']} clusters to see a difference"
            if few else "")


def _spread(entry, value, deviation):
    """Value ± deviation, or a dash where the entry holds none."""
    return f"{number(entry[value])} ± {number(entry[deviation])}" if value in entry else "–"


def _limit(line):
    return "–" if line is None else f"{number(line['auc'])} ± {number(line['error'])}"


def _sizes(fit):
    return ", ".join(f"{text(n)} ({runs})" for n, runs in zip(fit["n"], fit["runs"], strict=True))


ROWS = {
    "PRD-AUC": lambda entry: _spread(entry, "auc", "std"),
    "95 % interval": lambda entry: bracketed(entry["interval"]),
    "Ceiling, real against real": lambda entry: _spread(entry, "ceiling", "ceiling_std"),
    "95 % interval of the ceiling": lambda entry: bracketed(entry["ceiling_interval"]),
    "Ratio to the ceiling": lambda entry: number(entry["ratio"]),
    "At particles that Geant4 repeated": lambda entry: _spread(entry, "matched_auc", "matched_std"),
    "Its 95 % interval": lambda entry: bracketed(entry.get("matched_interval")),
    "Ceiling there, repeated against real": lambda entry: _spread(entry, "matched_ceiling", "matched_ceiling_std"),
    "95 % interval of that ceiling": lambda entry: bracketed(entry.get("matched_ceiling_interval")),
    "N of these": lambda entry: text(entry.get("matched_n")),
    "At infinite N, in 1/N": lambda entry: _limit(entry["extrapolated"]["one_over_n"]),
    "Its ceiling, in 1/N (1 is expected)": lambda entry: _limit(entry["ceiling_extrapolated"]["one_over_n"]),
    "At infinite N, in 1/√N": lambda entry: _limit(entry["extrapolated"]["one_over_sqrt_n"]),
    "Its ceiling, in 1/√N (1 is expected)": lambda entry: _limit(entry["ceiling_extrapolated"]["one_over_sqrt_n"]),
    "Clusters": lambda entry: text(entry["clusters"]),
    "Runs averaged": lambda entry: text(entry["runs"]),
    "N, showers of each set": lambda entry: text(entry["n"]),
    "N (and runs) of the fit": lambda entry: _sizes(entry["extrapolated"]),
}
"""Head of a row -> its cell, from the entry of a set of features."""

register(Metric("prd", compute, "PRD-AUC", PRD_AUC, measures, tables, explain, verdict, record=RECORD))
