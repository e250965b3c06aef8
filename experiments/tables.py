"""Write the README's table of systems from the files in `results/`, so that no figure is typed by hand.

    python -m experiments.tables
"""
import json
import pathlib

HERE = pathlib.Path(__file__).parent
README = HERE.parent / "README.md"
BEGIN, END = "<!-- systems: written by experiments.tables -->", "<!-- end of systems -->"
SYSTEMS = {"baseline": "Self-attention GAN with spectral norm (`configs/baseline.py`)"}
"""Name of a file in `results/` -> how its system is called."""


def systems_table():
    """The table as Markdown: a row a system, with what its figures depend on below."""
    results = {name: json.loads((HERE / "results" / f"{name}.json").read_text()) for name in SYSTEMS}
    rows = ["| system | physics PRD-AUC (ceiling) | raw PRD-AUC (ceiling) | classifier AUC (floor) | trained for |",
            "| --- | --- | --- | --- | --- |"]
    rows += [_row(SYSTEMS[name], result) for name, result in results.items()]
    return "\n".join([*rows, "", *{_settings(result): None for result in results.values()}])


def written(text):
    """The README's text with the table brought up to date."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{systems_table()}\n{END}{rest.split(END)[1]}"


def _row(name, result):
    prd = [f"{result['prd'][feature]['auc']:.3f} ± {result['prd'][feature]['std']:.3f} "
           f"({result['prd'][feature]['ceiling']:.3f})" for feature in ("physics", "raw")]
    test, training = result["c2st"]["observables"], result["training"]
    return (f"| {name} | {' | '.join(prd)} | {test['auc']:.3f} ({test['floor']:.3f}) | "
            f"{training['steps']:,} steps of {training['batch_size']}, {training['seconds'] / 60:.0f} minutes |")


def _settings(result):
    entry = result["prd"]["physics"]
    return (f"PRD: {entry['clusters']} clusters, {entry['runs']} runs (± is their deviation), {entry['n']:,} test "
            "showers, features the 900 cells (raw) or 2 asymmetries, 2 widths and 20 sparsities (physics); in brackets "
            "what other real showers reach. Classifier: gradient-boosted trees on the observables, 0.5 is perfect. On "
            f"{result['provenance']['device']}.")


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
