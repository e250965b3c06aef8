"""The page of an evaluation: a verdict in words, tables and figures, in one HTML file that needs nothing else."""
import base64
import math
import numbers
import os
import pathlib

import jinja2

from ecalgen.evaluation import figures
from ecalgen.evaluation.features import observable_columns

FEATURES = {
    "raw": "the 900 cell energies, MeV",
    "physics": "2 asymmetries, 2 widths, 20 sparsities",
    "embedding": "64 numbers from a regressor of the incident particle",
    "legacy": "the 24 statistics of the public scoring program",
}
"""Name of a set of features -> what it holds."""
SHOWERS_PER_CLUSTER = 2
"""Of each set; below it, the noise of the histograms drowns most differences."""
SETTINGS = ("protocol", "showers", "reference", "conditions", "seed", "bootstrap", "format")


def write_report(real, generated, evaluation, out_dir, metrics=None, title="Evaluation"):
    """Write `out_dir/report.html`, whole or not at all, and the figures in it as `out_dir/figures/*.png`.

    Args:
      real, generated: the `Showers` given to `evaluate`; of each, as many as it judged are drawn.
      evaluation: the dict of `evaluate`, with `provenance` and `training` where they are known.
      metrics: rows of `metrics.jsonl`, for the learning curves.
      title: heading of the page.

    Returns:
      Path of the page.
    """
    out = pathlib.Path(out_dir)
    (out / "figures").mkdir(parents=True, exist_ok=True)
    count = evaluation["showers"]
    pictures = _pictures(real[:count], generated[:count], evaluation, metrics)
    for picture in pictures:
        _write(out / "figures" / f"{picture['name']}.png", picture["png"])
        picture["source"] = "data:image/png;base64," + base64.b64encode(picture["png"]).decode()
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent), autoescape=True,
                                     undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.get_template("report.html.jinja").render(
        title=title, verdict=verdict(evaluation), pictures=pictures, prd=_prd_table(evaluation["prd"]),
        score=_number(evaluation["prd"]["score"]), judges=_judge_rows(evaluation["c2st"]),
        bins=_bin_rows(evaluation["c2st"]), showers=_text(count),
        observables=_observable_rows(evaluation["observables"]), tables=_tables(evaluation))
    _write(out / "report.html", page.encode())
    return out / "report.html"


def verdict(evaluation):
    """What is good, what is off, by how much, and what to beware of: `{"Good", "Off", "Beware"}`, without empty ones.

    Good is what other real showers could have given: a number whose 95 % interval touches that of two real sets.
    Beware of a PRD-AUC above its ceiling, which copies of the real showers would get, and of one from so few showers
    (below SHOWERS_PER_CLUSTER) that it hardly sees a difference.
    """
    good, off, beware = [], [], []
    for name, entry in sorted(_feature_sets(evaluation["prd"]), key=lambda item: item[1]["ratio"]):
        fair = entry["interval"][1] >= entry["ceiling_interval"][0]
        (good if fair else off).append(f"{name} PRD-AUC {_number(entry['auc'])} against a real-versus-real ceiling of "
                                       f"{_number(entry['ceiling'])} (ratio {_number(entry['ratio'], 2)})")
        if entry["interval"][0] > entry["ceiling_interval"][1]:
            beware.append(f"the {name} PRD-AUC exceeds what other real showers reach, as that of copies would, and as "
                          "it may where the generated showers have the very conditions of the real ones")
    if entry["n"] < SHOWERS_PER_CLUSTER * entry["clusters"]:
        beware.append(f"{_text(entry['n'])} showers a set are few for {entry['clusters']} clusters: PRD-AUC hardly "
                      "sees a difference")
    for judge, test in evaluation["c2st"].items():
        numbers_ = f"AUC {_number(test['auc'])}, {_number(test['floor'])} between real sets"
        if test["interval"][0] <= test["floor_interval"][1]:
            good.append(f"a classifier cannot tell generated from real by {_words([judge])} ({numbers_})")
        else:
            off.append(f"a classifier tells generated from real by {_words([judge])} ({numbers_})")
    ranked = sorted(evaluation["observables"].items(), key=lambda item: item[1]["w1"])
    fair = [name for name, entry in ranked if entry["w1_interval"][0] <= entry["w1_reference_interval"][1]]
    if fair:
        good.append(f"{len(fair)} of {len(ranked)} observables as close as two real sets ({_words(fair)})")
    if len(fair) < len(ranked):
        name, entry = next(item for item in reversed(ranked) if item[0] not in fair)
        off.append(f"{len(ranked) - len(fair)} of {len(ranked)} observables are further, the furthest {_words([name])} "
                   f"with Wasserstein-1 {_number(entry['w1'])} deviations against {_number(entry['w1_reference'])} "
                   "between real sets")
    verdicts = (("Good", good), ("Off", off), ("Beware", beware))
    return {label: f"{'; '.join(parts)}." for label, parts in verdicts if parts}


def _pictures(real, generated, evaluation, metrics):
    """Every figure with its name, title, caption, alternative text and PNG bytes, in the order of the page."""
    scores, columns = evaluation["observables"], [observable_columns(showers) for showers in (real, generated)]
    curves = "; ".join(f"{name} features reach AUC {_number(entry['auc'])}, two real sets {_number(entry['ceiling'])}"
                       for name, entry in _feature_sets(evaluation["prd"]))
    distances = ", ".join(f"{_words([name])} {_number(scores[name]['w1'])}" for name in figures.LABELS)
    made = [
        ("distributions", "Observables", figures.distributions(*columns, scores),
         "Share of showers per bin, real (points) and generated (line, with the band of its statistical error), and "
         "the ratio generated / real below; triangles are ratios above 2, the outer bins hold what lies beyond. "
         "Above each panel, the Wasserstein-1 distance in real deviations, and the one between two real sets.",
         f"Six pairs of histograms with ratios; Wasserstein-1 distances: {distances}."),
        ("mean_response", "Mean response", figures.mean_response(real, generated),
         "Mean energy per cell over all showers, and generated / real; grey where there is nothing to show or divide.",
         "Maps of 30 by 30 cells: mean energy of real and of generated showers on one scale, and their ratio."),
    ]
    if figures.paired(real, generated):
        made.append(("gallery", "Single showers", figures.gallery(real, generated),
                     "Real above generated showers of the same particle, on one log scale; grey cells hold no energy. "
                     "The cross is where the track passes the reference plane, 15 cm deep.",
                     "Pairs of maps of 30 by 30 cells: real showers above the generated ones of the same particles."))
    made.append(("prd_curves", "Precision and recall", figures.prd_curves(evaluation["prd"]),
                 "Precision against recall of the distributions (PRD); dashed, real against other real showers.",
                 f"Precision falls as recall rises: {curves}."))
    if any(name.endswith("loss") or name == "w1" for row in metrics or [] for name in row):
        made.append(("learning_curves", "Learning curves", figures.learning_curves(metrics),
                     "Losses of every stage and, where monitored, the mean Wasserstein-1 distance of the observables.",
                     "Lines of the training losses against the step."))
    names = "name", "title", "png", "caption", "alt"
    return [dict(zip(names, (name, title, figures.png(figure), caption, alt), strict=True))
            for name, title, figure, caption, alt in made]


def _feature_sets(prd):
    """(name, entry) of each set of features, leaving out the score beside them."""
    return [(name, entry) for name, entry in prd.items() if isinstance(entry, dict)]


def _prd_table(prd):
    """Quantities down, sets of features across, so that it fits a phone."""
    sets = _feature_sets(prd)
    rows = {
        "PRD-AUC": lambda entry: f"{_number(entry['auc'])} ± {_number(entry['std'])}",
        "95 % interval": lambda entry: _interval(entry["interval"]),
        "Ceiling, real against real": lambda entry: f"{_number(entry['ceiling'])} ± {_number(entry['ceiling_std'])}",
        "95 % interval of the ceiling": lambda entry: _interval(entry["ceiling_interval"]),
        "Ratio to the ceiling": lambda entry: _number(entry["ratio"]),
        "Clusters": lambda entry: _text(entry["clusters"]),
        "Runs averaged": lambda entry: _text(entry["runs"]),
        "N, showers of each set": lambda entry: _text(entry["n"]),
    }
    return {"head": [name for name, _ in sets],
            "rows": [(label, [cell(entry) for _, entry in sets]) for label, cell in rows.items()]
            + [("Features", [FEATURES.get(name, name) for name, _ in sets])]}


def _judge_rows(c2st):
    """Rows (what the classifier sees, [AUC, interval, floor, its interval])."""
    return [(_words([judge]).capitalize(), [_number(test["auc"]), _interval(test["interval"]), _number(test["floor"]),
                                            _interval(test["floor_interval"])]) for judge, test in c2st.items()]


def _bin_rows(c2st):
    """Rows (range of the condition, [showers, AUC, interval]) of every judge that has bins."""
    units = {"energy_gev": "GeV", "angle_degrees": "degrees"}
    return [(f"{_text(entry['low'])} to {_text(entry['high'])} {units[name]}",
             [_text(entry["showers"]), _number(entry["auc"]), _interval(entry["interval"])])
            for test in c2st.values() for name, bins in test.get("bins", {}).items() for entry in bins]


def _observable_rows(observables):
    """Rows (name, [W1, interval, reference, real, generated]), the largest distance first."""
    moments = lambda entry, kind: _moments(entry[f"{kind}_mean"], entry[f"{kind}_std"])
    return [(_words([name]).capitalize(), [_number(entry["w1"]), _interval(entry["w1_interval"]),
             _number(entry["w1_reference"]), moments(entry, "real"), moments(entry, "generated")])
            for name, entry in sorted(observables.items(), key=lambda item: -item[1]["w1"])]


def _tables(evaluation):
    """The small two-column tables: title -> rows, without the empty ones."""
    settings = {name: evaluation[name] for name in SETTINGS if name in evaluation}
    settings |= {f"seconds for {name}": value for name, value in evaluation.get("seconds", {}).items()}
    settings |= {f"classifier of {_words([judge])}": f"{test['classifier']}, on {_text(test['features'])}"
                 for judge, test in evaluation["c2st"].items()}
    tables = {"Provenance": evaluation.get("provenance"), "Training": evaluation.get("training"), "Settings": settings}
    return {title: [(_words([name]).capitalize(), _text(value)) for name, value in rows.items()]
            for title, rows in tables.items() if rows}


def _words(names):
    return ", ".join(name.replace("_", " ") for name in names)


def _number(value, digits=3):
    """A fixed number of decimals; a dash for what is missing or not finite."""
    return f"{value:.{digits}f}".replace("-", "−") if value is not None and math.isfinite(value) else "–"


def _moments(mean, deviation):
    """Both with the decimals that show three digits of the deviation."""
    digits = max(0, 2 - math.floor(math.log10(deviation))) if deviation > 0 else 3
    return f"{_number(mean, digits)} ± {_number(deviation, digits)}"


def _interval(bounds):
    return f"[{_number(bounds[0])}, {_number(bounds[1])}]"


def _text(value):
    """Any JSON value for a reader: thousands apart, four digits of a fraction, lists and dicts with commas."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return f"{value:,}".replace(",", "\u202f").replace("-", "−")
    if value is None or isinstance(value, numbers.Real) and not math.isfinite(value):
        return "–"
    return f"{value:.4g}".replace("-", "−") if isinstance(value, numbers.Real) else str(value)


def _write(path, content):
    """Write bytes, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    os.replace(temporary, path)
