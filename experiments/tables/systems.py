"""The shipped systems: the table of the README, the model cards, and what `ecalgen.list_models` says."""
import json

from experiments.tables import common
from experiments.tables.common import FEATURES, auc_cell, device, judged_by, markdown, prd_cell, table, trained_for

SYSTEMS = {
    "anchored": "Prior fitted by likelihood, corrected by a GAN (`anchored:cpu`, trained for longer)",
    "anchored_light": "Such a prior corrected cell by cell, a tenth of the size "
                      "(`anchored:cpu,size=light`, trained for longer)",
    "aux_twostep": "Self-attention GAN with a frozen regressor of seven observables in its discriminator "
                   "(`aux_twostep:cpu,targets=scalars` without bound, four times the steps)",
    "aux_multitask": "The same with a regressor of two asymmetries, trained with it (`aux_multitask:cpu`)",
    "baseline": "Self-attention GAN with spectral norm, close to the papers' "
                "(`baseline:cpu,recipe=paper`, trained for longer)",
}
"""Name of the results of a shipped generator -> title of its system."""
COMMANDS = {"anchored_cpu": "The same, by the README's first command (`anchored:cpu`)"}
CLASSIC = {"gflash": "Parametrised shower, no network (`ecalgen/simulation/gflash.py`)"}
"""Results of systems that do not ship."""
BINS = {"energy_gev": "GeV", "angle_degrees": "degrees to the normal", "azimuth_degrees": "degrees of azimuth",
        "entry_cm": "cm from the centre"}


SHORT = {"anchored": "anchored, trained for longer", "anchored_cpu": "anchored, by the command above",
         "anchored_light": "anchored, a tenth of the size", "aux_twostep": "auxiliary regressor, two-step",
         "aux_multitask": "auxiliary regressor, multi-task", "baseline": "self-attention GAN of the papers",
         "gflash": "parametrised shower, no network"}
"""Name of the results -> title in the README, in its order."""


def facts():
    """The README's head: time and classifier AUCs of the two generators to use."""
    times, names = common.load("benchmark")["systems"], ("anchored", "anchored_light")
    results = [common.load(name) for name in names]
    each = [times[name]["batches"]["1000"]["milliseconds_per_shower"]["median"] for name in names]
    geant4 = times["geant4"]["milliseconds_per_shower"]
    rows = [["time a shower, one core, by the thousand", *(f"{value:.2f} ms" for value in each)],
            ["times faster than Geant4", *(f"{geant4 / value:,.0f}" for value in each)]]
    rows += [[f"classifier AUC by {judge} (between two real sets)", *(auc_cell(result, judge) for result in results)]
             for judge in ("observables", "images")]
    large = common.load("large")
    rows += [[f"the same by a judge with {large['showers']:,} showers, {judge}",
              *(f"{found['auc']:.3f} ({found['floor']:.3f})"
                for found in (large["systems"][name][judge] for name in names))] for judge in ("trees", "images")]
    return table(["", *(f"`{name}`" for name in names)], rows)


def rows_of_readme():
    """A short row for each system."""
    results = {name: common.load(name) for name in SHORT}
    head = ["system", "physics PRD-AUC (ceiling)", "AUC by observables", "by images", "training"]
    prd = {name: result["prd"]["physics"] for name, result in results.items()}
    rows = [[title, f"{prd[name]['auc']:.3f} ({prd[name]['ceiling']:.3f})",
             *(f"{results[name]['c2st'][judge]['auc']:.3f}" for judge in ("observables", "images")),
             _minutes(results[name])] for name, title in SHORT.items()]
    prd = prd["anchored"]
    return table(head, rows, f"PRD: {prd['clusters']} clusters, {prd['runs']} runs, 24 physics features, 10,000 `test` "
                             "showers (5,000 for the second row); the ceiling is the value of other real showers. One "
                             "seed each. [More](docs/results.md).")


def _minutes(result):
    return "fitted" if "parameters" in result["training"] else f"{result['training']['seconds'] / 60:.0f} minutes"


def systems():
    """A row for each system, and a note on its figures."""
    titles = SYSTEMS | COMMANDS | CLASSIC
    order = ("anchored", *COMMANDS, *(name for name in SYSTEMS if name != "anchored"), *CLASSIC)
    shown = {name: titles[name] for name in order}
    results = [common.load(name) for name in shown]
    head = ["system", "physics PRD-AUC (ceiling)", "raw PRD-AUC (ceiling)", "classifier AUC by observables (floor)",
            "by images (floor)", "trained for", "judged by"]
    rows = [[title, *(prd_cell(result, features) for features in FEATURES),
             *(auc_cell(result, judge) for judge in ("observables", "images")), trained_for(result),
             f"{judged_by(result)} showers"] for title, result in zip(shown.values(), results, strict=True)]
    return table(head, rows, _settings(results) + _matched(shown, results))


def reached():
    """{name: what `ecalgen.list_models` says of it} of the shipped generators, as JSON."""
    times = common.load("benchmark")["systems"]
    models = {name: {"title": title, "calorimeter": "shashlik", "particle": "electrons of 1 to 100 GeV",
                     "reached": _reached(common.load(name), times.get(name))} for name, title in SYSTEMS.items()}
    return json.dumps(models, indent=1)


def _reached(result, timed):
    """The main numbers of a judged system, and its time a shower where it was measured."""
    numbers = {f"{features}_prd": result["prd"][features]["auc"] for features in FEATURES}
    numbers |= {f"{features}_prd_ceiling": result["prd"][features]["ceiling"] for features in FEATURES}
    judges = ("observables", "images")
    numbers |= {judge: result["c2st"][judge]["auc"] for judge in judges}
    numbers |= {f"{judge}_floor": result["c2st"][judge]["floor"] for judge in judges}
    if timed:
        numbers["ms_per_shower"] = timed["batches"]["1000"]["milliseconds_per_shower"]["median"]
    prd = result["prd"]["physics"]
    return {name: round(value, 4) for name, value in numbers.items()} | {
        "clusters": prd["clusters"], "runs": prd["runs"], "showers": result["showers"]}


def cards():
    """Every figure of each shipped generator, and those in bins of the particle's properties."""
    parts = []
    for name, title in SYSTEMS.items():
        result = common.load(name)
        rows = [[judge.replace("_", " "), auc_cell(result, judge)] for judge in result["c2st"]]
        rows += [[f"{judge.replace('_', ' ')}, floor at the same conditions", f"{test['matched_floor']:.3f}"]
                 for judge, test in result["c2st"].items() if "matched_floor" in test]
        bins = result["c2st"]["observables_and_conditions"]["bins"]
        rows += [[f"observables and conditions, {entry['low']:g} to {entry['high']:g} {BINS[quantity]}",
                  f"{entry['auc']:.3f} [{entry['interval'][0]:.3f}, {entry['interval'][1]:.3f}]"]
                 for quantity, entries in bins.items() for entry in entries]
        rows += [[f"{features} PRD-AUC (ceiling)", prd_cell(result, features)] for features in FEATURES]
        rows += [[f"{features} PRD-AUC of the first {result['prd'][features]['matched_n']:,} (matched ceiling)",
                  _matched_prd(result, features)]
                 for features in FEATURES if "matched_ceiling" in result["prd"][features]]
        rows += [[f"Wasserstein-1, {observable.replace('_', ' ')} (between real sets)",
                  f"{entry['w1']:.3f} ({entry['w1_reference']:.3f})"]
                 for observable, entry in result["observables"].items()]
        rows += [[f"visible fraction and its deviation, {entry['low']:g} to {entry['high']:g} GeV (Geant4)",
                  f"{_visible(entry['generated'])} ({_visible(entry['real'])})"]
                 for entry in result["response"]["bins"]]
        parts += [f"### `{name}`: {title}", "", f"Trained for {trained_for(result)}; {judged_by(result)} showers.", "",
                   *markdown(["judged by", "reached (floor, interval or Geant4)"], rows), ""]
    return "\n".join(parts).rstrip()


def _settings(results):
    """A note on the figures of `systems`."""
    (clusters, runs), = {tuple(result["prd"]["physics"][setting] for setting in ("clusters", "runs"))
                         for result in results}
    devices = dict.fromkeys(map(device, results))
    return (
        f"PRD: {clusters} clusters, {runs} runs (± is their standard deviation); the value and its ceiling depend on "
        "the number of showers. Features are the 900 cells (raw), or 2 asymmetries, 2 widths and 20 sparsities "
        "(physics). In brackets is the value of other real showers, at conditions of their own: showers at the very "
        "conditions of the real ones may exceed it. Classifiers: gradient-boosted trees on 31 observables, a "
        "convolutional network on images; 0.5 is perfect. No choice of recipe or model used the split `test`; some "
        "used `selection` ([cards](../ecalgen/shipped/README.md)). The time is of training, on one or two cores "
        f"({'; '.join(devices)}).")


def _matched(names, results):
    """A sentence on the PRD-AUCs and their ceilings at the same conditions; empty where no result has them."""
    found = {name: result for name, result in zip(names, results, strict=True)
             if all("matched_ceiling" in result["prd"][features] for features in FEATURES)}
    if not found:
        return ""
    values = (f"`{name}` {', '.join(f'{features} {_matched_prd(result, features)}' for features in FEATURES)}"
              for name, result in found.items())
    count = next(iter(found.values()))["prd"]["raw"]["matched_n"]
    return (f" Geant4 simulated the first {count:,} particles a second time. Their PRD-AUC is the ceiling of "
            f"matched ones (in brackets). {'. '.join(values)}.")


def _matched_prd(result, features):
    entry = result["prd"][features]
    return f"{entry['matched_auc']:.3f} ({entry['matched_ceiling']:.3f} ± {entry['matched_ceiling_std']:.3f})"


def _visible(found):
    """Mean visible fraction, and its relative deviation: the resolution."""
    return f"{100 * found['mean']:.2f} %, ± {100 * found['resolution']:.1f} %"
