"""The page that compares several judged runs: the best run by each headline number, all numbers, and one figure."""
import math
import pathlib

from ecalgen.errors import UserError
from ecalgen.evaluation.evaluate import FORMAT
from ecalgen.evaluation.metrics.precision_recall import feature_sets
from ecalgen.evaluation.metrics.registry import families, metrics
from ecalgen.evaluation.report import comparison_figure, figures
from ecalgen.evaluation.report.measures import PRD, leaders, measures
from ecalgen.evaluation.report.page import picture, write_page
from ecalgen.evaluation.wording import bracketed, number, text, words
from ecalgen.machine.records import (
    COUNT,
    OBJECT,
    TEXT,
    Kind,
    Maybe,
    RecordError,
    Rows,
    check_record,
    read_record,
    shown,
)

WIDE = 4
"""Largest number of runs whose columns fit beside each other on a page; the cells of more runs are stacked."""
SETTINGS = {"protocol": "protocol", "showers": "N, showers of each set", "conditions": "conditions",
            "format": "format of evaluation.json"}
"""Field of `evaluation.json` that two runs should share -> its title."""
EVALUATION = {"showers": Kind("a whole number from 1", lambda value: COUNT.fits(value) and value > 0),
              "prd": OBJECT, "c2st": OBJECT, "observables": OBJECT,
              "notes": Maybe(Rows(TEXT)), "training": Maybe(OBJECT), "provenance": Maybe(OBJECT)}
"""Fields that a comparison reads in addition to the entries of the metrics."""


class ComparisonError(UserError):
    """Folders that cannot be compared."""


def write_comparison(folders, out_dir):
    """Write `out_dir/compare.html` of two or more folders with `evaluation.json`.

    Returns:
      The path of the page, and its verdict as of `compared`.

    Raises:
      ComparisonError: for fewer than two folders, one given twice, or one without an evaluation that can be read.
    """
    runs = load_runs(folders)
    found = {name: measures(evaluation) for name, evaluation in runs.items()}
    ranked = ranking(runs, found)
    verdict = compared(runs, ranked)
    drawn = _picture(runs, found)
    path = write_page(pathlib.Path(out_dir) / "compare.html", "compare.html.jinja", [drawn], title="Runs side by side",
                      verdict=verdict, names=list(runs), rows=[_row(found, key, ranked) for key in _keys(found)],
                      settings=_settings(runs), larger=_larger(), kind="cards" if len(runs) <= WIDE else "stacked")
    return path, verdict


def load_runs(folders):
    """Name -> evaluation of each folder. Names are the shortest ends of the paths that differ."""
    paths = [pathlib.Path(folder).resolve() for folder in folders]
    if len(paths) < 2:
        raise ComparisonError("--compare needs at least two folders: give --compare DIR once for each")
    for path in paths:
        if paths.count(path) > 1:
            raise ComparisonError(f"--compare: {path} is given twice")
    depth = 1
    while len(names := {"/".join(path.parts[-depth:]) for path in paths}) < len(paths):
        depth += 1
    return {"/".join(path.parts[-depth:]): _load(path) for path in paths if names}


def ranking(runs, found):
    """(family, name) -> `leaders` of each number that two runs have; empty where the numbers of showers differ.

    PRD-AUCs are left out unless protocol, clusters and runs agree.

    Args:
      runs: name -> evaluation.
      found: name -> its `measures`.
    """
    if len({evaluation["showers"] for evaluation in runs.values()}) > 1:
        return {}
    tables = {key: {name: table[key] for name, table in found.items() if key in table} for key in _keys(found)}
    return {key: leaders(families()[key[0]], table) for key, table in tables.items()
            if len(table) > 1 and (key[0] != PRD or _same_prd(runs))}


def compared(runs, ranked):
    """The verdict in words: {"Beware", "Best", "Even", "Good"}, without empty labels.

    Args:
      runs: name -> evaluation.
      ranked: their `ranking`.
    """
    differing = list(_differences(runs))
    alone = {name: [key for key, (best, _) in ranked.items() if best == [name]] for name in runs}
    good = {name: sum(name in as_good for _, as_good in ranked.values()) for name in runs}
    even = sum(len(best) > 1 for best, _ in ranked.values())
    ahead = sorted((name for name in runs if alone[name]), key=lambda name: -len(alone[name]))
    said = {
        "Beware": [*_notes(runs), *differing, *_unranked(runs, ranked, differing)],
        "Best": [f"{name}, by {len(alone[name])} of {len(ranked)} numbers: {_listed(alone[name])}" for name in ahead],
        "Even": [f"{even} of {len(ranked)} numbers have no single best run: 95 % intervals meet, or several runs are "
                 "as good as real showers"] * bool(even),
        "Good": ["as good as other real showers, " + ", ".join(
            f"{name} by {count} of {len(ranked)}" for name, count in good.items())] * bool(ranked),
    }
    return {label: f"{'; '.join(sentences)}." for label, sentences in said.items() if sentences}


def _picture(runs, found):
    """The figure of all numbers."""
    listed = "; ".join(f"{family} of {names}" for family, names in _families(_keys(found)).items())
    return picture("comparison", "All numbers", figures.png(comparison_figure.comparison(found)),
                   "The numbers of each run with 95 % intervals. The grey diamond below each is the value between two "
                   f"real sets, with its interval. A smaller number is better, but for {', '.join(_larger())}.",
                   f"Points with error bars, of {len(runs)} runs ({', '.join(runs)}): {listed}")


def _larger():
    """Titles of the families of which a larger number is better."""
    return [title for title, family in families().items() if family.larger_is_better]


def _notes(runs):
    """What was changed in the files of a run before it was judged."""
    return [f"{name}: {note}" for name, evaluation in runs.items() for note in evaluation.get("notes", [])]


def _unranked(runs, ranked, differing):
    """The consequences of the differences, one sentence each."""
    if not ranked:
        yield "numbers of different N do not compare, so nothing is ranked; judge them on as many showers"
    elif differing:
        yield "the order below may come from that and not from the generators"
        if not _same_prd(runs):
            yield "PRD-AUC, which depends on protocol, clusters and runs, is not ranked"


def _load(path):
    """The evaluation in a folder, with valid entries of all metrics."""
    file = path / "evaluation.json"
    try:
        evaluation = read_record(file, {"format": Maybe(COUNT)})
        if (found := evaluation.get("format") or 0) > FORMAT:
            raise ComparisonError(f"{file} is of format {shown(found)}; this version of ecalgen reads those up to "
                                  f"{FORMAT}, so judge the run again, or compare with a newer version")
        check_record(evaluation, EVALUATION)
        check_record(evaluation, {name: Maybe(metric.record) for name, metric in metrics().items()})
        if not measures(evaluation):
            raise RecordError("no number in it")
    except RecordError as error:
        if isinstance(error.__cause__, OSError):
            raise ComparisonError(f"{path} holds no evaluation.json that can be read ({error}): give the folder "
                                  "of a finished run, or the --out of python -m ecalgen.evaluation") from error
        raise ComparisonError(f"{file} is no evaluation of ecalgen ({error}); judge the run again") from error
    return evaluation


def _differences(runs):
    """The settings and real showers that differ between the runs, one sentence each."""
    values = {title: {name: evaluation.get(field) for name, evaluation in runs.items()}
              for field, title in SETTINGS.items()}
    values["clusters and runs of the PRD"] = {name: _clusters(evaluation) for name, evaluation in runs.items()}
    for title, each in values.items():
        known = {name: value for name, value in each.items() if value not in (None, [])}
        if any(value != next(iter(known.values())) for value in known.values()):
            yield f"differing {title} ({', '.join(f'{name}: {text(value)}' for name, value in known.items())})"
    first, *others = runs
    strange = [name for name in others if not _same_real(runs[first], runs[name])]
    if strange:
        yield f"the real showers of {', '.join(strange)} are others than those of {first}"


def _clusters(evaluation):
    """[clusters, runs] of the PRD, which all features share; empty without features."""
    return next(([entry["clusters"], entry["runs"]] for _, entry in feature_sets(evaluation["prd"])), [])


def _same_prd(runs):
    """Whether PRD-AUCs can be ranked: number of showers, protocol, clusters and runs agree."""
    keys = [(evaluation["showers"], evaluation.get("protocol"), _clusters(evaluation)) for evaluation in runs.values()]
    return all(key == keys[0] for key in keys)


def _same_real(one, other):
    """Whether the means of the real observables agree to 1e-3 standard deviations, or to 5 errors where N differs."""
    counts = one["showers"], other["showers"]
    allowed = 1e-3 if counts[0] == counts[1] else 5 * math.sqrt(sum(1 / count for count in counts))
    pairs = [(entry, other["observables"][name]) for name, entry in one["observables"].items()
             if name in other["observables"]]
    return all(abs(a["real_mean"] - b["real_mean"]) <= allowed * max(a["real_std"], b["real_std"]) for a, b in pairs)


def _keys(found):
    """(family, name) of all numbers, in the order of the page."""
    keys, order = {key: None for table in found.values() for key in table}, list(families())
    return sorted(keys, key=lambda key: order.index(key[0]))


def _families(keys):
    """Family -> names, as text."""
    families = {}
    for family, name in keys:
        families.setdefault(family, []).append(name)
    return {family: ", ".join(names) for family, names in families.items()}


def _listed(keys):
    return ", ".join(f"{family} ({names})" for family, names in _families(keys).items())


def _row(found, key, ranked):
    """(number, [its reference, one cell a run]). Where references differ, each is in the cell of its run."""
    digits = families()[key[0]].decimals
    known = {name: table[key] for name, table in found.items() if key in table}
    spread = lambda value, bounds: number(value, digits) + (f"\n{bracketed(bounds, digits)}" if bounds else "")
    references = {name: spread(*measure[2:]) for name, measure in known.items()}
    shared = len(set(references.values())) == 1
    best, _ = ranked.get(key, ([], []))
    cells = [_cell(spread(*known[name][:2]), best == [name], "" if shared else references[name])
             if name in known else "–" for name in found]
    return f"{key[0]}, {key[1]}", [next(iter(references.values())) if shared else "differ", *cells]


def _cell(value, best, reference):
    return value + "\n★ best" * best + (f"\nreal sets {reference}" if reference else "")


def _settings(runs):
    """Rows (setting, [one cell a run]) of evaluation, training and provenance."""
    rows = [(title.capitalize() if title.islower() else title, [text(evaluation.get(field))
                                                               for evaluation in runs.values()])
            for field, title in SETTINGS.items()]
    rows.append(("Clusters, runs of the PRD", [text(_clusters(evaluation)) or "–" for evaluation in runs.values()]))
    for part, fields in (("training", ("system", "preset", "steps", "seconds")),
                         ("provenance", ("commit", "device", "date"))):
        rows += [(words([field]).capitalize(), [text((evaluation.get(part) or {}).get(field))
                                                for evaluation in runs.values()]) for field in fields]
    return [row for row in rows if set(row[1]) != {"–"}]
