"""Several judged runs side by side: who is best by what, every headline number, and one figure, on one page."""
import math
import pathlib

from ecalgen.errors import UserError
from ecalgen.evaluation.evaluate import FORMAT
from ecalgen.evaluation.report import comparison_figure, figures
from ecalgen.evaluation.report.measures import FAMILIES, PRD, leaders, measures
from ecalgen.evaluation.report.page import picture, write_page
from ecalgen.evaluation.report.wording import feature_sets, interval, number, text, words
from ecalgen.machine.records import (
    COUNT,
    NUMBER,
    OBJECT,
    PAIR,
    TEXT,
    Each,
    Kind,
    Maybe,
    RecordError,
    Rows,
    check_record,
    read_record,
    shown,
)

WIDE = 4
"""Runs that still fit beside each other on a page; more stand below each other."""
SETTINGS = {"protocol": "protocol", "showers": "N, showers of each set", "conditions": "conditions",
            "format": "format of evaluation.json"}
"""Of `evaluation.json`, what two runs should share -> its title."""
SHOWERS = Kind("a whole number from 1", lambda value: COUNT.fits(value) and value > 0)
SPREAD = {"interval": PAIR, "reference": NUMBER, "reference_interval": PAIR}
EVALUATION = {
    "showers": SHOWERS, "prd": OBJECT, "c2st": OBJECT, "notes": Maybe(Rows(TEXT)), "training": Maybe(OBJECT),
    "provenance": Maybe(OBJECT), "physics_distance": Maybe(dict.fromkeys(("fpd", "kpd"), {"value": NUMBER} | SPREAD)),
    "correlation": Maybe({"distance": NUMBER} | SPREAD),
    "memorisation": Maybe({"share": NUMBER, "interval": PAIR, "quantile": NUMBER}),
    "observables": Each({"w1": NUMBER, "w1_interval": Maybe(PAIR), "w1_reference": Maybe(NUMBER),
                         "w1_reference_interval": Maybe(PAIR), "real_mean": NUMBER, "real_std": NUMBER})}
"""What a comparison reads of an `evaluation.json`; older formats lack what may be missing."""
FEATURES = {"prd": {"auc": NUMBER, "interval": PAIR, "ceiling": NUMBER, "ceiling_interval": PAIR, "clusters": COUNT,
                    "runs": COUNT},
            "c2st": {"auc": NUMBER, "interval": PAIR, "floor": NUMBER, "floor_interval": PAIR}}
"""The same of each set of features."""


class ComparisonError(UserError):
    """Folders that cannot be set side by side."""


def write_comparison(folders, out_dir):
    """Write `out_dir/compare.html` of two or more folders with `evaluation.json`.

    Returns:
      Path of the page, and its verdict as `compared` gives it.

    Raises:
      ComparisonError: for fewer than two folders, one given twice, or one without an evaluation that can be read.
    """
    runs = load_runs(folders)
    found = {name: measures(evaluation) for name, evaluation in runs.items()}
    ranked = ranking(runs, found)
    verdict = compared(runs, ranked)
    drawn = picture("comparison", "All numbers", figures.png(comparison_figure.comparison(found)),
                    "Each run's numbers with 95 % intervals; the grey diamond below each is that run's value between "
                    "two real sets, with its interval. PRD-AUC is better the larger, all others the smaller.",
                    f"Points with error bars, of {len(runs)} runs ({', '.join(runs)}): " + "; ".join(
                        f"{family} of {names}" for family, names in _families(_keys(found)).items()))
    path = write_page(pathlib.Path(out_dir) / "compare.html", "compare.html.jinja", [drawn], title="Runs side by side",
                      verdict=verdict, names=list(runs), rows=[_row(found, key, ranked) for key in _keys(found)],
                      settings=_settings(runs), kind="cards" if len(runs) <= WIDE else "stacked")
    return path, verdict


def load_runs(folders):
    """Name -> evaluation, of each folder; names are the folders', with as much of the path as tells them apart."""
    paths = [pathlib.Path(folder).resolve() for folder in folders]
    if len(paths) < 2:
        raise ComparisonError("--compare wants at least two folders: give --compare DIR once for each")
    for path in paths:
        if paths.count(path) > 1:
            raise ComparisonError(f"--compare: {path} is given twice")
    depth = 1
    while len(names := {"/".join(path.parts[-depth:]) for path in paths}) < len(paths):
        depth += 1
    return {"/".join(path.parts[-depth:]): _load(path) for path in paths if names}


def ranking(runs, found):
    """(family, name) -> `leaders`, of the numbers that two runs have, and that can be compared; none where N differs.

    Args:
      runs: name -> evaluation.
      found: name -> its `measures`.
    """
    if len({evaluation["showers"] for evaluation in runs.values()}) > 1:
        return {}
    shared = [key for key in _keys(found) if sum(key in table for table in found.values()) > 1]
    return {key: leaders({name: (key[0], table[key]) for name, table in found.items() if key in table})
            for key in shared if key[0] != PRD or _same_prd(runs)}


def compared(runs, ranked):
    """The verdict in words: `{"Beware", "Best", "Even", "Good"}`, without empty ones.

    Args:
      runs: name -> evaluation.
      ranked: their `ranking`.
    """
    differing = list(_differences(runs))
    alone = {name: [key for key, (best, _) in ranked.items() if best == [name]] for name in runs}
    fair = {name: sum(name in real for _, real in ranked.values()) for name in runs}
    even = sum(len(best) > 1 for best, _ in ranked.values())
    ahead = sorted((name for name in runs if alone[name]), key=lambda name: -len(alone[name]))
    said = {
        "Beware": [*_notes(runs), *differing, *_unranked(runs, ranked, differing)],
        "Best": [f"{name}, by {len(alone[name])} of {len(ranked)} numbers: {_listed(alone[name])}" for name in ahead],
        "Even": [f"{even} of {len(ranked)} numbers have no single best run: 95 % intervals meet, or several runs are "
                 "as good as real showers"] * bool(even),
        "Good": ["as good as other real showers, " + ", ".join(
            f"{name} by {count} of {len(ranked)}" for name, count in fair.items())] * bool(ranked),
    }
    return {label: f"{'; '.join(sentences)}." for label, sentences in said.items() if sentences}


def _notes(runs):
    """What was done to the files of a run before it was judged."""
    return [f"{name}: {note}" for name, evaluation in runs.items() for note in evaluation.get("notes", [])]


def _unranked(runs, ranked, differing):
    """What follows from the differences, one sentence each."""
    if not ranked:
        yield "numbers of different N do not compare, so nothing is ranked; judge them on as many showers"
    elif differing:
        yield "the order below may come from that and not from the generators"
        if not _same_prd(runs):
            yield "PRD-AUC, which depends on protocol, clusters and runs, is not ranked"


def _load(path):
    """The evaluation in a folder, with all that a comparison needs."""
    file = path / "evaluation.json"
    try:
        evaluation = read_record(file, {"format": Maybe(COUNT)})
        if (found := evaluation.get("format") or 0) > FORMAT:
            raise ComparisonError(f"{file} is of format {shown(found)}; this version of ecalgen reads those up to "
                                  f"{FORMAT}, so judge the run again, or compare with a newer version")
        check_record(evaluation, EVALUATION)
        for part in ("prd", "c2st"):
            check_record(dict(feature_sets(evaluation[part])), Each(FEATURES[part]), part)
        if not measures(evaluation):
            raise RecordError("no number in it")
    except RecordError as error:
        if isinstance(error.__cause__, OSError):
            raise ComparisonError(f"{path} holds no evaluation.json that can be read ({error}): give the folder "
                                  "of a finished run, or the --out of python -m ecalgen.evaluation") from error
        raise ComparisonError(f"{file} is no evaluation of ecalgen ({error}); judge the run again") from error
    return evaluation


def _differences(runs):
    """What makes the numbers of the runs unlike, one sentence each."""
    clusters = {name: _clusters(evaluation) for name, evaluation in runs.items()}
    values = {title: {name: evaluation.get(field) for name, evaluation in runs.items()}
              for field, title in SETTINGS.items()}
    for title, each in (values | {"clusters and runs of the PRD": clusters}).items():
        known = {name: value for name, value in each.items() if value not in (None, [])}
        if any(value != next(iter(known.values())) for value in known.values()):
            yield f"differing {title} ({', '.join(f'{name}: {text(value)}' for name, value in known.items())})"
    first, *others = runs
    strange = [name for name in others if not _same_real(runs[first], runs[name])]
    if strange:
        yield f"the real showers of {', '.join(strange)} are others than those of {first}"


def _clusters(evaluation):
    """[clusters, runs] of the PRD, the same for all features."""
    return next(([entry["clusters"], entry["runs"]] for _, entry in feature_sets(evaluation["prd"])), [])


def _same_prd(runs):
    """Whether PRD-AUCs can be ranked: from as many showers, by the same protocol."""
    keys = [(evaluation["showers"], evaluation.get("protocol"), _clusters(evaluation)) for evaluation in runs.values()]
    return all(key == keys[0] for key in keys)


def _same_real(one, other):
    """Whether the means of the real observables agree: to 1e-3 deviations, or to 5 errors where N differs."""
    counts = one["showers"], other["showers"]
    allowed = 1e-3 if counts[0] == counts[1] else 5 * math.sqrt(sum(1 / count for count in counts))
    pairs = [(entry, other["observables"][name]) for name, entry in one["observables"].items()
             if name in other["observables"]]
    return all(abs(a["real_mean"] - b["real_mean"]) <= allowed * max(a["real_std"], b["real_std"]) for a, b in pairs)


def _keys(found):
    """(family, name) of all runs, in the order of the page."""
    keys = {key: None for table in found.values() for key in table}
    return sorted(keys, key=lambda key: list(FAMILIES).index(key[0]))


def _families(keys):
    """Family -> names, as text."""
    families = {}
    for family, name in keys:
        families.setdefault(family, []).append(name)
    return {family: ", ".join(names) for family, names in families.items()}


def _listed(keys):
    return ", ".join(f"{family} ({names})" for family, names in _families(keys).items())


def _row(found, key, ranked):
    """(number, [its reference, one cell a run]); where references differ, each stands with its run."""
    digits = FAMILIES[key[0]]
    shown = {name: table[key] for name, table in found.items() if key in table}
    spread = lambda value, bounds: "\n".join([number(value, digits), *([interval(bounds, digits)] if bounds else [])])
    references = {name: spread(*measure[2:]) for name, measure in shown.items()}
    shared = len(set(references.values())) == 1
    best, _ = ranked.get(key, ([], []))
    cells = [_cell(spread(*shown[name][:2]), best == [name],
                   "" if shared else references[name]) if name in shown else "–" for name in found]
    return f"{key[0]}, {key[1]}", [next(iter(references.values())) if shared else "differ", *cells]


def _cell(value, best, reference):
    return value + "\n★ best" * best + (f"\nreal sets {reference}" if reference else "")


def _settings(runs):
    """Rows (setting, one cell a run) of how each was judged, trained and made."""
    rows = [(title.capitalize() if title.islower() else title, [text(evaluation.get(field))
                                                               for evaluation in runs.values()])
            for field, title in SETTINGS.items()]
    rows.append(("Clusters, runs of the PRD", [text(_clusters(evaluation)) or "–" for evaluation in runs.values()]))
    for part, fields in (("training", ("system", "preset", "steps", "seconds")),
                         ("provenance", ("commit", "device", "date"))):
        rows += [(words([field]).capitalize(), [text((evaluation.get(part) or {}).get(field))
                                                for evaluation in runs.values()]) for field in fields]
    return [row for row in rows if set(row[1]) != {"–"}]
