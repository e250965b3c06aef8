"""Every system of the lineage, and the page of each."""
import statistics

from experiments.tables import common
from experiments.tables.common import FEATURES, OTHERS, device, fixed, judged_by, prd_note, preset, table, trained_for

LINEAGE_HEAD = ("physics PRD-AUC", "raw PRD-AUC", "W1 of the widths", "W1 of the asymmetries",
                "of the visible fraction", "classifier AUC, observables", "images")
CLAIMS = {"wgan": (0.936, 0.971), "sagan, spectral norm in D": (0.895, 0.901),
          "sagan, spectral norm in G and D": (0.948, 0.975)}
"""Row of the lineage's table -> physics and raw PRD-AUC in Ratnikov and Rogachev 2021."""
RINGS = ("ring_shares", "ring_energies")
"""Names of the observable of the rings: E_i / S, and in older evaluations E_i in MeV."""
ONE_TEST = {"split": "test"}
"""Split of the results on samples that have no `selection`."""


def lineage():
    """Every system of the lineage, the highest physics PRD-AUC first."""
    result = common.load("lineage")
    runs = sorted(result["runs"], key=lambda run: -run["prd"]["physics"]["auc"])
    floor = result["real_against_real"]
    rows = [[run["variant"], *_lineage_cells(run), f"{run['parameters']:,}", f"{run['bytes'] / 1e6:.1f}",
             *(f"{run['milliseconds_per_shower'][batch]:.3g}" for batch in ("1", "1000")),
             f"{run['seconds'] / 60:.0f}" if run["seconds"] else "–"] for run in runs]
    rows.append([OTHERS, *_lineage_cells(floor), "", "", "", "", ""])
    head = ["system", *LINEAGE_HEAD, "parameters", "MB", "ms a shower, alone", "by the 1,000", "minutes of training"]
    prd = floor["prd"]["physics"]
    return table(head, rows, (
        f"Preset `{preset(result)}`, one seed, one core of {device(result)}; "
        f"{prd_note(result, prd)}, features as above. "
        "W1: Wasserstein-1 in standard deviations of the real showers. `sagan` is "
        "`configs/baseline.py:cpu,recipe=paper`, `baseline` the recipe that a search found better; the `baseline` that "
        "ships is the former, trained for longer at other rates. `two-step, scalars` is "
        "`configs/aux_twostep.py:cpu,targets=scalars` without bound, with four times the steps of its preset. The "
        "rows of `wgan` were trained while the critic's rate fell too early. The corrections of `gflash` were fitted "
        "beforehand. Times a shower were taken in one session, but for `two-step, scalars`, which has the generator of "
        "`two-step`."))


def reached(*systems):
    """Rows of the lineage's table on the page of one system, beside the figures of its paper."""
    result = common.load("lineage")
    runs = {run["variant"]: run for run in result["runs"]}
    names = sorted(name for name in runs if name.startswith(systems))
    said = lambda name: [f"{value:.3f}" for value in CLAIMS[name]] if name in CLAIMS else ["–", "–"]
    rings = next(name for name in RINGS if name in result["real_against_real"]["w1"])
    cells = lambda run: [*_lineage_cells(run), f"{run['w1'][rings]:.2f}"]
    rows = [[name, *cells(runs[name]), f"{runs[name]['milliseconds_per_shower']['1000']:.3g}", *said(name)]
            for name in names]
    rows.append([OTHERS, *cells(result["real_against_real"]), "", "", ""])
    head = ["", *LINEAGE_HEAD, f"W1 of the {rings.replace('_', ' ')}", "ms a shower, by the 1,000",
            "its paper: physics PRD-AUC", "raw"]
    prd = result["real_against_real"]["prd"]["physics"]
    return table(head, rows, (
        f"Preset `{preset(result)}`, one seed, one core of "
        f"{device(result)}; {prd_note(result, prd)}"
        f"; W1: Wasserstein-1 in standard deviations. The papers' figures "
        "are of other showers, and their ceilings are not known."))


def wgan_1d():
    """The Wasserstein GAN of electrons straight into the middle: a row for each observable."""
    result = common.load("wgan_1d")
    rows = [[f"Wasserstein-1, {name.replace('_', ' ')}", f"{found['w1']:.3f}", f"{found['w1_reference']:.3f}"]
            for name, found in result["observables"].items()]
    rows += [[f"{features} PRD-AUC", f"{found['auc']:.3f}", f"{found['ceiling']:.3f}"]
             for features, found in result["prd"].items() if features in FEATURES]
    rows += [[f"classifier AUC, {judge.replace('_', ' ')}", f"{found['auc']:.3f}", f"{found['floor']:.3f}"]
             for judge, found in result["c2st"].items()]
    prd = result["prd"]["raw"]
    return table(["", "generated", "other real showers"], rows, (
        f"`wgan:{result['training']['preset']}`, {trained_for(result)} of training, "
        f"{result['provenance']['device']}; {judged_by(ONE_TEST | result)} showers; PRD: {prd['clusters']} clusters, "
        f"{prd['runs']} runs."))


def adagan():
    """Ensembles of one, two, ... generators on the layered calorimeter."""
    result = common.load("adagan")
    members = result["members"]
    last = next(reversed(members.values()))
    w1 = lambda found, key: [found["observables"]["visible_fraction"][key],
                             statistics.mean([entry[key] for entry in found["observables"].values()])]
    off = lambda found, key: statistics.mean([abs(ratio - 1) for ratio in found["profile"]["depth"][key]])
    rows = [[count, *(f"{found['prd'][features]['auc']:.3f}" for features in FEATURES),
             *fixed(w1(found, "w1"), 2), f"{100 * off(found, 'ratio'):.0f} %",
             f"{found['c2st']['observables']['auc']:.3f}",
             f"{found['costs']['parameters']:,}", f"{found['costs']['bytes'] / 1e6:.1f}",
             *(f"{found['costs']['milliseconds_per_shower'][batch]:.3g}" for batch in ("1", "1000")),
             f"{found['costs']['seconds'] / 60:.0f}"] for count, found in members.items()]
    rows.append([OTHERS, *(f"{last['prd'][features]['ceiling']:.3f}" for features in FEATURES),
                 *fixed(w1(last, "w1_reference"), 2), f"{100 * off(last, 'reference_ratio'):.0f} %",
                 f"{last['c2st']['observables']['floor']:.3f}", *5 * [""]])
    head = ["generators", "physics PRD-AUC", "raw PRD-AUC", "W1 of the visible fraction", "mean W1 of the observables",
            "mean error of the profile in depth", "classifier AUC, observables", "parameters", "MB",
            "ms a shower, alone", "by the 1,000", "minutes of training"]
    prd, training = last["prd"]["raw"], result["training"]
    return table(head, rows, (
        f"Preset `{training['preset']}`, {result['provenance']['device']}; {judged_by(ONE_TEST | last)} showers; PRD: "
        f"{prd['clusters']} clusters, {prd['runs']} runs, of the cells (raw) and of the observables (physics). W1: "
        "Wasserstein-1 in standard deviations of the real showers; error of the profile: of the mean energy in a "
        "layer, over all layers."))


def search(name):
    """Every variant of a GAN that was tried, the best one first, from the results of that name."""
    result = common.load(name)
    mean = lambda values: statistics.mean(values.values())
    row = lambda name, steps, run: [
        name, steps, f"{mean(run['w1']):.3f}", f"{run['w1']['visible_fraction']:.2f}",
        f"{run['w1']['transverse_width']:.2f}", f"{run['physics_prd']['auc']:.3f}",
        *(f"{run['auc'][judge]:.3f}" for judge in ("observables", "images"))]
    runs = sorted(result["runs"], key=lambda run: mean(run["w1"]))
    rows = [row(run["variant"], f"{run['steps']:,}", run) for run in runs]
    rows.append(row("other real showers", "", result["real_against_real"]))
    head = ["variant", "steps", "mean Wasserstein-1", "of the visible fraction", "of the transverse width",
            "physics PRD-AUC", "classifier AUC, observables", "images"]
    return table(head, rows)


def _lineage_cells(run):
    """Both PRD-AUCs, W1 of widths and asymmetries (along and across) and of the response, both classifiers."""
    pair = lambda what: ", ".join(f"{run['w1'][f'{axis}_{what}']:.2f}" for axis in ("longitudinal", "transverse"))
    return [*(f"{run['prd'][features]['auc']:.3f}" for features in FEATURES), pair("width"),
            pair("asymmetry"), f"{run['w1']['visible_fraction']:.2f}",
            *(f"{run['auc'][judge]:.3f}" for judge in ("observables", "images"))]
