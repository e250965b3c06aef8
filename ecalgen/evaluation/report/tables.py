"""The rows of the tables of the page, as text: each is (head of the row, its cells)."""
from ecalgen.evaluation.report.wording import feature_sets, interval, moments, number, text, words

FEATURES = {
    "raw": "the 900 cell energies, MeV",
    "physics": "2 asymmetries, 2 widths, 20 sparsities",
    "embedding": "64 numbers from a regressor of the incident particle",
    "legacy": "the 24 statistics of the public scoring program",
}
"""Name of a set of features -> what it holds."""
UNITS = {"energy_gev": "GeV", "angle_degrees": "° to the normal", "azimuth_degrees": "° of azimuth",
         "entry_cm": "cm from the centre"}
"""Quantity of a bin -> what follows its edges."""
SETTINGS = ("protocol", "showers", "reference", "conditions", "seed", "bootstrap", "format", "notes")


def prd_table(prd):
    """Quantities down, sets of features across, so that it fits a phone; without what no set has."""
    sets = feature_sets(prd)
    rows = {
        "PRD-AUC": lambda entry: f"{number(entry['auc'])} ± {number(entry['std'])}",
        "95 % interval": lambda entry: interval(entry["interval"]),
        "Ceiling, real against real": lambda entry: f"{number(entry['ceiling'])} ± {number(entry['ceiling_std'])}",
        "95 % interval of the ceiling": lambda entry: interval(entry["ceiling_interval"]),
        "Ratio to the ceiling": lambda entry: number(entry["ratio"]),
        "At particles that Geant4 repeated": lambda entry: _spread(entry, "matched_auc", "matched_std"),
        "Its 95 % interval": lambda entry: interval(entry.get("matched_interval")),
        "Ceiling there, repeated against real": lambda entry: _spread(entry, "matched_ceiling", "matched_ceiling_std"),
        "95 % interval of that ceiling": lambda entry: interval(entry.get("matched_ceiling_interval")),
        "N of these": lambda entry: text(entry.get("matched_n")),
        "At infinite N, in 1/N": lambda entry: _limit(entry["extrapolated"]["one_over_n"]),
        "Its ceiling, in 1/N (1 is due)": lambda entry: _limit(entry["ceiling_extrapolated"]["one_over_n"]),
        "At infinite N, in 1/√N": lambda entry: _limit(entry["extrapolated"]["one_over_sqrt_n"]),
        "Its ceiling, in 1/√N (1 is due)": lambda entry: _limit(entry["ceiling_extrapolated"]["one_over_sqrt_n"]),
        "Clusters": lambda entry: text(entry["clusters"]),
        "Runs averaged": lambda entry: text(entry["runs"]),
        "N, showers of each set": lambda entry: text(entry["n"]),
        "N (and runs) of the fit": lambda entry: _sizes(entry["extrapolated"]),
    }
    filled = [(label, [cell(entry) for _, entry in sets]) for label, cell in rows.items()]
    return {"head": [name for name, _ in sets], "matched": any("matched_auc" in entry for _, entry in sets),
            "rows": [row for row in filled if set(row[1]) != {"–"}]
            + [("Features", [FEATURES.get(name, name) for name, _ in sets])]}


def distance_rows(evaluation):
    """Rows (distance over all observables, [value, interval, reference, its interval])."""
    fpd, kpd = (evaluation["physics_distance"][name] for name in ("fpd", "kpd"))
    correlation = evaluation["correlation"]
    named = [("Frechet physics distance", fpd, f"{number(fpd['value'])} ± {number(fpd['error'])}", 3),
             ("Kernel physics distance", kpd, f"{number(kpd['value'])} ± {number(kpd['error'])}", 3),
             ("Correlation matrices", correlation, number(correlation["distance"], 4), 4)]
    return [(name, [value, interval(entry["interval"], digits), number(entry["reference"], digits),
                    interval(entry["reference_interval"], digits)]) for name, entry, value, digits in named]


def judge_rows(c2st):
    """Rows (what the classifier sees, [AUC, interval, floor, its interval]), those of repeated particles last."""
    cells = lambda test, kind="": [number(test[f"{kind}auc"]), interval(test[f"{kind}interval"]),
                                   number(test[f"{kind}floor"]), interval(test[f"{kind}floor_interval"])]
    matched = {judge: test for judge, test in c2st.items() if "matched_auc" in test}
    return [(words([judge]).capitalize(), cells(test)) for judge, test in c2st.items()] + [
        (f"{words([judge]).capitalize()}, at {text(test['matched_n'])} particles that Geant4 repeated",
         cells(test, "matched_")) for judge, test in matched.items()]


def bin_rows(c2st):
    """Rows (range of the condition, [showers, AUC, interval]) of every judge that has bins."""
    return [(f"{text(entry['low'])} to {text(entry['high'])} {UNITS[name]}",
             [text(entry["showers"]), number(entry["auc"]), interval(entry["interval"])])
            for test in c2st.values() for name, bins in test.get("bins", {}).items() for entry in bins]


def observable_rows(observables):
    """Rows (name, [W1, interval, reference, S^2, reference, real, generated]), the largest distance first."""
    spread = lambda entry, kind: moments(entry[f"{kind}_mean"], entry[f"{kind}_std"])
    return [(words([name]).capitalize(), [number(entry["w1"]), interval(entry["w1_interval"]),
             number(entry["w1_reference"]), number(entry["separation"]), number(entry["separation_reference"]),
             spread(entry, "real"), spread(entry, "generated")])
            for name, entry in sorted(observables.items(), key=lambda item: -item[1]["w1"])]


def stress_rows(stress):
    """Rows (condition, [how near its showers are, visible fraction, resolution and widths, real above generated])."""
    both = lambda entry, observable, name, scale=1, digits=2: "\n".join(
        f"{number(scale * entry[kind][observable][name], digits)} ± "
        f"{number(scale * _error(entry[kind][observable][f'{name}_interval']), digits)}"
        for kind in ("real", "generated"))
    return [(_condition(entry), [
        f"{entry['energies_gev'][0]:.2g} to {entry['energies_gev'][1]:.2g} GeV\n{entry['angles_degrees']:.2g}°, "
        f"{entry['track_distances_cm']:.2g} cm",
        both(entry, "visible_fraction", "mean", 100), both(entry, "visible_fraction", "resolution", 100, 1),
        both(entry, "longitudinal_width", "mean"), both(entry, "transverse_width", "mean")])
        for entry in stress["points"]]


def small_tables(evaluation):
    """The two-column tables: title -> rows, without the empty ones."""
    settings = {name: evaluation[name] for name in SETTINGS if evaluation.get(name) not in (None, [])}
    settings |= {f"seconds for {name}": value for name, value in evaluation.get("seconds", {}).items()}
    settings |= {f"classifier of {words([judge])}": f"{test['classifier']}, on {text(test['features'])}"
                 for judge, test in evaluation["c2st"].items()}
    tables = {"What its regressor reads off": _regressor_rows(evaluation.get("regressor", {})),
              "Provenance": evaluation.get("provenance"), "Training": evaluation.get("training"), "Settings": settings}
    return {title: [(words([name]).capitalize(), text(value)) for name, value in rows.items()]
            for title, rows in tables.items() if rows}


def _regressor_rows(targets):
    """{quantity: what is known of it}."""
    return {name: f"weight {entry['weight']:g}; leaves {number(100 * entry['unexplained'], 1)} % of its variance among "
                  f"real showers unexplained; Wasserstein-1 of generated showers {number(entry['w1'])}, of other real "
                  f"ones {number(entry['w1_reference'])}" for name, entry in targets.items()}


def _spread(entry, value, deviation):
    """Both, or a dash where the entry holds none."""
    return f"{number(entry[value])} ± {number(entry[deviation])}" if value in entry else "–"


def _limit(line):
    return "–" if line is None else f"{number(line['auc'])} ± {number(line['error'])}"


def _sizes(extrapolated):
    return ", ".join(f"{text(n)} ({runs})" for n, runs in zip(extrapolated["n"], extrapolated["runs"], strict=True))


def _condition(entry):
    x, y = entry["track_cm"]
    return f"{entry['energy_gev']:g} GeV, {entry['angle_degrees']:g}°, track at ({x:g}, {y:g}) cm"


def _error(bounds):
    """Of a normal distribution with this 95 % interval."""
    return (bounds[1] - bounds[0]) / 3.92
