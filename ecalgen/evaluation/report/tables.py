"""The tables of the report: a section for each metric, and the small tables of settings."""
from ecalgen.evaluation.metrics.registry import Table, entries
from ecalgen.evaluation.report.sensitivity import describe
from ecalgen.evaluation.wording import bracketed, number, text, words

SETTINGS = ("protocol", "showers", "reference", "conditions", "seed", "bootstrap", "format", "notes")
"""Fields of evaluation.json that the report lists."""


def sections(evaluation):
    """[{"title", "explanation", "tables"}] of the metrics that have tables."""
    found = [{"title": metric.title, "tables": tables_of(metric, entry), "explanation": _explanation(metric, entry)}
             for metric, entry in entries(evaluation)]
    return [section for section in found if section["tables"]]


def tables_of(metric, entry):
    """The tables that a metric brings, or one of its headline numbers."""
    if metric.tables:
        return metric.tables(entry)
    measures = metric.measures(entry)
    return [measures_table(metric.family, measures)] if measures else []


def measures_table(family, measures):
    """Headline numbers of a family, and those between two real sets."""
    digits = family.decimals
    cells = lambda value, bounds: [number(value, digits), bracketed(bounds, digits)]
    rows = [(name.capitalize(), [*cells(*measure[:2]), *cells(*measure[2:])]) for name, measure in measures.items()]
    return Table(["Value", "95 % interval", "Real sets", "Their interval"], rows, head=family.title)


def small_tables(evaluation):
    """The tables of two columns: title -> rows, without the empty ones."""
    settings = {name: evaluation[name] for name in SETTINGS if evaluation.get(name) not in (None, [])}
    settings |= {f"seconds for {name}": value for name, value in evaluation.get("seconds", {}).items()}
    settings |= {f"classifier of {words([name])}": f"{test['classifier']}, on {text(test['features'])}"
                 for name, test in evaluation.get("c2st", {}).items()}
    tables = {"What its regressor predicts": _regressor_rows(evaluation.get("regressor", {})),
              "Provenance": evaluation.get("provenance"), "Training": evaluation.get("training"), "Settings": settings}
    return {title: [(words([name]).capitalize(), text(value)) for name, value in rows.items()]
            for title, rows in tables.items() if rows}


def _explanation(metric, entry):
    """The text below the first table, with what the headline numbers can see."""
    seen = describe(metric.family.title, list(metric.measures(entry))) if metric.family else ""
    return " ".join(filter(None, [metric.explain(entry), seen]))


def _regressor_rows(targets):
    """{quantity: its weight, and how well it is predicted}."""
    return {name: f"weight {entry['weight']:g}; leaves {number(100 * entry['unexplained'], 1)} % of its variance among "
                  f"real showers unexplained; Wasserstein-1 of generated showers {number(entry['w1'])}, of other real "
                  f"ones {number(entry['w1_reference'])}" for name, entry in targets.items()}
