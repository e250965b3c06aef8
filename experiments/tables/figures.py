"""Figures 3, 4 and 5 of Rogachev and Ratnikov 2023, and the poster's weight sweep, drawn from the files in `results/`.

    python -m experiments.tables.figures          # figure3.png, figure3_lever.png, figure4.png, ..., weight_sweep.png
"""
import pathlib

import matplotlib
import numpy as np

from experiments.command import RESULTS, new_parser, read
from experiments.sweeps.table1 import EDGES
from experiments.tables.auxiliary import MODELS, rank_correlation

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  the backend comes first

MULTITASK = ("multitask", "multitask_apart")
LABELS = {"longitudinal_asymmetry": "longitudinal asymmetry", "transverse_asymmetry": "transverse asymmetry"}


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__)
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS, help="folder of the results and the figures")
    return parser


def main():
    """Draw the figures whose results are there."""
    folder = make_parser().parse_args().results
    for source, draw, name in (("auxiliary", figure3, "figure3"), ("figure3", figure3, "figure3_lever"),
                               ("auxiliary", figure4, "figure4"), ("auxiliary", figure5, "figure5"),
                               ("weight_sweep", weight_sweep, "weight_sweep")):
        if (folder / f"{source}.json").exists():
            figure = draw(read(folder / f"{source}.json"))
            figure.savefig(folder / f"{name}.png", dpi=120)
            plt.close(figure)
            print(folder / f"{name}.png")


def figure3(result):
    """PRD-AUC against the regressor's unexplained variance, a point for each run; with rank correlations."""
    runs = [run for run in result["runs"] if "mse" in run and run["variant"] not in MULTITASK]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    for axis, features in zip(axes, ("physics", "raw"), strict=True):
        for name in dict.fromkeys(run["variant"] for run in runs):
            mine = [run for run in runs if run["variant"] == name]
            axis.errorbar([run["mean_unexplained"] for run in mine], [run["prd"][features]["auc"] for run in mine],
                          [run["prd"][features]["std"] for run in mine], fmt="o", capsize=2,
                          label=MODELS.get(name, name))
        axis.set_xlabel("unexplained variance of the asymmetries (test)")
        axis.set_ylabel(f"{features} PRD-AUC")
        rank = rank_correlation(runs, features)
        axis.set_title("Spearman " + (f"{rank['value']:.2f} [{rank['interval'][0]:.2f}, {rank['interval'][1]:.2f}]"
                                      if rank else "needs more runs"), fontsize=10)
    axes[0].legend(fontsize=7)
    return figure


def figure4(result):
    """Asymmetries of the baseline, of the CNN model and of Geant4."""
    figure, axes = plt.subplots(2, 2, figsize=(9, 6.4), layout="constrained", sharex=True)
    for row, name in zip(axes, ("baseline", "cnn"), strict=True):
        runs = [run for run in result["runs"] if run["variant"] == name]
        for axis, (observable, label) in zip(row, LABELS.items(), strict=True):
            axis.stairs(_density(result["histograms"][observable]), EDGES, fill=True, alpha=0.3, label="Geant4")
            for i, run in enumerate(runs):
                axis.stairs(_density(run["histograms"][observable]), EDGES, color="C1",
                            label=MODELS[name] if i == 0 else None)
            axis.set_xlabel(label)
            axis.legend(fontsize=8)
    return figure


def figure5(result):
    """The regressors' predictions against the true values: multi-task and two-step, the first seed."""
    figure, axes = plt.subplots(2, 2, figsize=(7.6, 7), layout="constrained")
    for row, name in zip(axes, ("multitask", "disc_arch"), strict=True):
        run = next((run for run in result["runs"] if run["variant"] == name), None)
        for axis, (observable, label) in zip(row, LABELS.items(), strict=True):
            if run:
                counts = np.array(run["true_against_read"][observable], float)
                axis.pcolormesh(EDGES[::2], EDGES[::2], np.ma.masked_equal(counts, 0).T, norm="log")
                axis.set_title(f"{MODELS[name]}, MSE {run['mse'][observable]:.4f}", fontsize=10)
            axis.plot([-1, 1], [-1, 1], color="grey", lw=0.8)
            axis.set_xlabel(f"true {label}, in the octant")
            axis.set_ylabel("predicted by the regressor")
    return figure


def weight_sweep(result):
    """The weight alpha against the regressor's error and the asymmetries' Wasserstein-1 distance, a point each run."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    alphas = [float(run["variant"]) for run in result["runs"]]
    axes[0].plot(alphas, [run["mean_unexplained"] for run in result["runs"]], "o")
    axes[0].set_ylabel("unexplained variance (test)")
    for observable, label in LABELS.items():
        axes[1].plot(alphas, [run["w1"][observable] for run in result["runs"]], "o", label=label)
    axes[1].set_ylabel("Wasserstein-1, deviations")
    axes[1].legend(fontsize=8)
    for axis in axes:
        axis.set_xscale("symlog", linthresh=0.01)  # which has room for 0
        axis.set_xlabel("weight alpha")
    return figure


def _density(counts):
    return np.array(counts) / max(1, sum(counts))


if __name__ == "__main__":
    main()
