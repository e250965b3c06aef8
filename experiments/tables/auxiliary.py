"""The systems with an auxiliary regressor."""
import statistics

import numpy as np
import scipy.stats

from experiments.tables import common
from experiments.tables.common import (
    FEATURES,
    OTHERS,
    device,
    exists,
    minutes,
    prd_note,
    preset,
    runs_of,
    split_of,
    spread,
    table,
)
from experiments.tables.paired import difference, verdict

MODELS = {"baseline": "Baseline", "cnn": "CNN", "cnn_sa": "CNN SA", "disc_arch": "DiscArch",
          "disc_arch_hlr": "DiscArch HLR", "disc_arch_llr": "DiscArch LLR", "multitask": "Multi-task",
          "multitask_apart": "Multi-task, L_adv not through o^"}
"""Models of table 1 -> their names in the paper."""
TABLE_1 = {"baseline": (0.877, 0.669, None), "cnn": (0.959, 0.943, 0.297), "cnn_sa": (0.963, 0.947, 0.279),
           "disc_arch": (0.952, 0.939, 0.300), "disc_arch_hlr": (0.966, 0.951, 0.235),
           "disc_arch_llr": (0.967, 0.952, 0.223)}
"""Model -> physics and raw PRD-AUC and the regressor's MSE in Rogachev and Ratnikov 2023, table 1."""
LOOKED_AT = ("longitudinal_asymmetry", "transverse_asymmetry", "visible_fraction")
"""Observables with columns of their own: the regressors' targets, and the one that is furthest off."""
AUXILIARY_HEAD = ("seeds", "physics PRD-AUC", "raw PRD-AUC", "over the ceiling, physics", "raw", "mean Wasserstein-1",
                  *(f"of the {name.replace('_', ' ')}" for name in LOOKED_AT), "classifier AUC, observables")


def table_1(name):
    """Table 1 of Rogachev and Ratnikov 2023 on our showers: means over the seeds, with the least and the greatest.

    The results may hold some of the runs only, or not exist yet.
    """
    if not exists(name):
        return f"No run of `experiments/results/{name}.json` has ended yet."
    result = common.load(name)
    said = lambda name: [f"{value:.3f}" if value else "–" for value in TABLE_1.get(name, (None, None, None))]
    error = lambda runs: spread([run["mean_unexplained"] for run in runs]) if "mse" in runs[0] else "–"
    rows = [[title, *_auxiliary_cells(runs, result), *_better(runs, result), error(runs), minutes(runs), *said(name)]
            for name, title in MODELS.items() if (runs := runs_of(name, result))]
    rows.append([*_auxiliary_floor(result), *7 * [""]])
    head = ["model", *AUXILIARY_HEAD, "better than the baseline: physics", "raw", "regressor's error", "minutes",
            "the paper's physics PRD-AUC", "raw", "its regressor's MSE"]
    return table(head, rows, (
        f"{result['runs'][0]['steps']:,} steps of {_auxiliary_settings(result)} Better: probability that the mean "
        "PRD-AUC is above the baseline's, by Student's t of the differences of equal seeds. It is not told where the "
        "two-sided interval of 95 % contains 0. The regressor's error: share of the "
        f"asymmetries' variance that it does not explain, on showers of `{split_of(result)}`, mean over both. The "
        "minutes are of training; a tuned model needs those of the multi-task one as well."))


def figure_3():
    """The regressors of `experiments.sweeps.figure3` and their GANs, the best regressor first."""
    if not exists("figure3"):
        return "No run of it has ended yet; `experiments/queue.md` has its command."
    result = common.load("figure3")
    prd = lambda run: [f"{run['prd'][features]['auc']:.3f}" for features in FEATURES]
    rows = [[run["variant"], str(run["seed"]), f"{run['mean_unexplained']:.3f}", *prd(run), f"{run['auc']:.3f}"]
            for run in sorted(result["runs"], key=lambda run: run["mean_unexplained"])]
    floor = result["real_against_real"]
    rows.append([OTHERS, "", "", *prd(floor), f"{floor['auc']:.3f}"])
    ranks = {features: rank_correlation(result["runs"], features) for features in FEATURES}
    said = "; ".join(f"{features} {rank['value']:.2f} [{rank['interval'][0]:.2f}, {rank['interval'][1]:.2f}]"
                     if rank else f"{features}: needs more runs" for features, rank in ranks.items())
    head = ["regressor", "seed", "its error", "physics PRD-AUC", "raw PRD-AUC", "classifier AUC, observables"]
    return table(head, rows, (
        f"{result['runs'][0]['steps']:,} steps of {_auxiliary_settings(result)} Rank correlation of PRD-AUC with the "
        f"error, and its interval of 95 % (bootstrap over runs): {said}."))


def rank_correlation(runs, features, resamples=2_000):
    """Spearman's rank correlation of PRD-AUC with unexplained variance: {"value", "interval"}; None below four runs.

    The 95 % interval comes from a bootstrap over runs, with seed 0.
    """
    if len(runs) < 4:
        return None
    error = np.array([run["mean_unexplained"] for run in runs])
    score = np.array([run["prd"][features]["auc"] for run in runs])
    rng, values = np.random.default_rng(0), []
    while len(values) < resamples:
        index = rng.integers(0, len(runs), len(runs))
        if len(set(error[index])) > 1 and len(set(score[index])) > 1:
            values.append(scipy.stats.spearmanr(error[index], score[index]).statistic)
    return {"value": float(scipy.stats.spearmanr(error, score).statistic),
            "interval": np.quantile(values, (0.025, 0.975)).tolist()}


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
    floor, runs = result["real_against_real"], result["runs"]
    figures = (*(lambda run, axis=axis: run["w1"][f"{axis}_asymmetry"] for axis in ("longitudinal", "transverse")),
               lambda run: statistics.mean(run["w1"].values()),
               *(lambda run, features=features: run["prd"][features]["auc"] for features in FEATURES),
               lambda run: run["auc"])
    cells = lambda runs: [spread([figure(run) for run in runs]) for figure in figures]
    rows = []
    for weight in sorted({run["variant"] for run in runs}, key=float):
        mine = runs_of(weight, result)
        rows.append([weight, str(len(mine)), spread([run["mean_unexplained"] for run in mine]), *cells(mine)])
    rows.append([OTHERS, "", "", *cells([floor])])
    head = ["α", "seeds", "regressor's error", "Wasserstein-1 of the longitudinal asymmetry", "of the transverse one",
            "mean over the observables", "physics PRD-AUC", "raw PRD-AUC", "classifier AUC, observables"]
    return table(head, rows, (
        f"Multi-task, {runs[0]['steps']:,} steps of {runs[0]['batch_size']} showers, preset "
        f"`{preset(result)}`; the rest as above."))


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


def _better(runs, result):
    """Whether the model of these runs is better than the baseline, by physics and by raw PRD-AUC."""
    by_seed = lambda runs, features: {run["seed"]: run["prd"][features]["auc"] for run in runs}
    if runs[0]["variant"] == "baseline":
        return ["", ""]
    baseline = runs_of("baseline", result)
    return [verdict(difference(by_seed(runs, features), by_seed(baseline, features))) for features in FEATURES]


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
            f"one core of {device(result)}; {prd_note(result, prd)}"
            f", features as in [Results](results.md). Wasserstein-1: mean over the "
            "observables, in standard deviations.")
