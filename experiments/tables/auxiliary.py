"""The systems with an auxiliary regressor."""
import statistics

from experiments.tables import common
from experiments.tables.common import (
    FEATURES,
    OTHERS,
    fixed,
    minutes,
    prd_note,
    preset,
    runs_of,
    split_of,
    spread,
    table,
)

MODELS = {"baseline": "Baseline", "cnn": "CNN", "cnn_sa": "CNN SA", "disc_arch": "DiscArch",
          "disc_arch_hlr": "DiscArch HLR", "disc_arch_llr": "DiscArch LLR", "multitask": "Multi-task"}
"""Models of table 1 -> their names in the paper."""
TABLE_1 = {"baseline": (0.877, 0.669, None), "cnn": (0.959, 0.943, 0.297), "cnn_sa": (0.963, 0.947, 0.279),
           "disc_arch": (0.952, 0.939, 0.300), "disc_arch_hlr": (0.966, 0.951, 0.235),
           "disc_arch_llr": (0.967, 0.952, 0.223)}
"""Model -> physics and raw PRD-AUC and the regressor's MSE in Rogachev and Ratnikov 2023, table 1."""
LOOKED_AT = ("longitudinal_asymmetry", "transverse_asymmetry", "visible_fraction")
"""Observables with columns of their own: the regressors' targets, and the one that is furthest off."""
AUXILIARY_HEAD = ("seeds", "physics PRD-AUC", "raw PRD-AUC", "over the ceiling, physics", "raw", "mean Wasserstein-1",
                  *(f"of the {name.replace('_', ' ')}" for name in LOOKED_AT), "classifier AUC, observables")


def auxiliary():
    """Table 1 of Rogachev and Ratnikov 2023 on our showers: means over the seeds, with the least and the greatest."""
    result = common.load("auxiliary")
    said = lambda name: [f"{value:.3f}" if value else "–" for value in TABLE_1.get(name, (None, None, None))]
    error = lambda runs: spread([run["mean_unexplained"] for run in runs]) if "mse" in runs[0] else "–"
    rows = [[title, *_auxiliary_cells(runs, result), error(runs), minutes(runs), *said(name)]
            for name, title in MODELS.items() if (runs := runs_of(name, result))]
    rows.append([*_auxiliary_floor(result), *5 * [""]])
    head = ["model", *AUXILIARY_HEAD, "regressor's error", "minutes", "the paper's physics PRD-AUC", "raw",
            "its regressor's MSE"]
    return table(head, rows, (
        f"{result['runs'][0]['steps']:,} steps of {_auxiliary_settings(result)} The regressor's error: share of the "
        f"asymmetries' variance that it does not explain, on showers of `{split_of(result)}`, mean over both. The "
        "minutes are of training; a tuned model needs those of the multi-task one as well."))


def auxiliary_targets():
    """Two-step by the targets of its regressor, beside the baseline: means over the seeds, least and greatest."""
    results = [common.load(name) for name in ("auxiliary_targets_6000", "auxiliary_targets")]
    ends, percent = (0, -1), lambda value: f"{100 * value:.1f} %"
    widths = lambda runs: [", ".join(percent(run["response"][end]["generated"]["resolution"]) for run in runs)
                           for end in ends]
    rows = [[name, f"{runs[0]['steps']:,}", *_auxiliary_cells(runs, result), *widths(runs), minutes(runs)]
            for result in results for name in sorted({run["variant"] for run in result["runs"]})
            for runs in [runs_of(name, result)]]
    last = results[-1]
    bins = [last["runs"][0]["response"][end] for end in ends]
    title, *floor = _auxiliary_floor(last)
    rows.append([title, "", *floor, *(percent(entry["real"]["resolution"]) for entry in bins), ""])
    head = ["the regressor reads", "steps", *AUXILIARY_HEAD,
            *(f"resolution, {entry['low']:g} to {entry['high']:g} GeV" for entry in bins), "minutes"]
    return table(head, rows, (
        f"Steps of {_auxiliary_settings(last)} The minutes are of training, some while other jobs ran."))


def weight_sweep():
    """The weight of the auxiliary loss: the regressor's error and the generator's figures, a row for each weight."""
    result = common.load("weight_sweep")
    floor, runs = result["real_against_real"], sorted(result["runs"], key=lambda run: float(run["variant"]))
    cells = lambda run: fixed((
        *(run["w1"][f"{axis}_asymmetry"] for axis in ("longitudinal", "transverse")),
        statistics.mean(run["w1"].values()), *(run["prd"][features]["auc"] for features in FEATURES),
        run["auc"]))
    rows = [[run["variant"], f"{run['mean_unexplained']:.3f}", *cells(run)] for run in runs]
    rows.append([OTHERS, "", *cells(floor)])
    head = ["α", "regressor's error", "Wasserstein-1 of the longitudinal asymmetry", "of the transverse one",
            "mean over the observables", "physics PRD-AUC", "raw PRD-AUC", "classifier AUC, observables"]
    return table(head, rows, (
        f"Multi-task, {runs[0]['steps']:,} steps of {runs[0]['batch_size']} showers, preset "
        f"`{preset(result)}`, one seed; the rest as above."))


def auxiliary_anchored():
    """Regressors in the anchored generator's discriminator: means over the seeds, with the least and the greatest."""
    result = common.load("auxiliary_anchored")
    floor = result["real_against_real"]
    cells = lambda runs: [
        *(spread([run["auc"][judge] for run in runs]) for judge in floor["auc"]),
        spread([run["physics_prd"]["auc"] for run in runs]),
        *(spread([run["w1"][quantity] for run in runs]) for quantity in floor["w1"])]
    rows = []
    for name in dict.fromkeys(run["variant"] for run in result["runs"]):
        runs = runs_of(name, result)
        rows.append([name, str(len(runs)), f"{runs[0]['steps']:,}", *cells(runs)])
    rows.append([OTHERS, "", "", *cells([floor])])
    head = ["in the discriminator", "seeds", "GAN steps",
            *(f"AUC, {judge.replace('_', ' ')}" for judge in floor["auc"]),
            "physics PRD-AUC", *(f"Wasserstein-1 of `{quantity}`" for quantity in floor["w1"])]
    prd = floor["physics_prd"]
    return table(head, rows, (
        f"{prd_note(result, prd)}; Wasserstein-1 in "
        "standard deviations."))


def _auxiliary_cells(runs, result):
    """Number of seeds, PRD-AUCs, these over their ceilings, distances, classifier AUC."""
    ceiling = result["real_against_real"]["prd"]
    prd = {features: [run["prd"][features]["auc"] for run in runs] for features in FEATURES}
    return [str(len(runs)), *(spread(prd[features]) for features in FEATURES),
            *(f"{statistics.mean(prd[features]) / ceiling[features]['auc']:.3f}" for features in FEATURES),
            *_auxiliary_distances(runs), spread([run["auc"] for run in runs])]


def _auxiliary_floor(result):
    """The row of other real showers."""
    floor = result["real_against_real"]
    return [OTHERS, "", *(f"{floor['prd'][features]['auc']:.3f}" for features in FEATURES),
            "1", "1", *_auxiliary_distances([floor]), f"{floor['auc']:.3f}"]


def _auxiliary_distances(runs):
    return [spread([statistics.mean(run["w1"].values()) for run in runs]),
            *(spread([run["w1"][name] for run in runs]) for name in LOOKED_AT)]


def _auxiliary_settings(result):
    recipe, prd = result["runs"][0], result["real_against_real"]["prd"]["raw"]
    return (f"{recipe['batch_size']} showers each, preset `{preset(result)}`, "
            f"{result['provenance']['device']}; {prd_note(result, prd)}"
            f", features as in the README. Wasserstein-1: mean over the "
            "observables, in standard deviations.")
