"""Table 1 of Rogachev and Ratnikov 2023 on our showers: baseline, five two-step models, multi-task, by seed.

    python -m experiments.sweeps.table1              # cpu recipe; a rerun continues
    python -m experiments.sweeps.table1 --preset= --seeds=0 --only=multitask --only=disc_arch_llr  # full recipe: GPU
    python -m experiments.sweeps.table1 --recipe=paper --steps=12000 --workdir=runs/table1-paper \\
        --results=experiments/results/table1_paper.json  # on the papers' plain GAN: hours, see queue.md
    python -m experiments.sweeps.table1 --preset=test --showers=200 --seeds=0 --workdir=runs/x --results=runs/x.json

Several processes may share the work, by --seeds or by --only. The tuned models start from the multi-task run of their
seed, so one process should make all three. A killed run is continued from its last checkpoint.
"""
import numpy as np

from configs import aux_multitask, aux_twostep, baseline
from ecalgen.evaluation.metrics.features import observable_columns
from ecalgen.training import readout
from ecalgen.training.material import load_material
from experiments.measures import judged_twice
from experiments.sweeps.engine import Sweep, folder, options

MODELS = {"baseline": (baseline, ""), "multitask": (aux_multitask, ""),
          **{name: (aux_twostep, f"regressor={name}") for name in aux_twostep.REGRESSORS}}
"""Name -> (module of its config, options), in the order in which they are trained."""
ASYMMETRIES = ("longitudinal_asymmetry", "transverse_asymmetry")
EDGES = np.linspace(-1, 1, 41)
"""Edges of the bins of their histograms."""


def variants(args):
    """The config of each model."""
    return {name: module.get_config(options(args.preset, f"recipe={args.recipe}", chosen))
            for name, (module, chosen) in MODELS.items()}


def name_multitask(config, args, _, seed):
    """Name the multi-task run that a tuned model starts from."""
    if "multitask" in config.stages:
        config.regressor.multitask = str(folder(args, "multitask", seed))


def more(config, workdir, real, showers):
    """Histograms of the asymmetries, and the figures of the regressor."""
    return {"histograms": histograms(showers)} | (regression(config, workdir, real) if config.regressor else {})


def head(real):
    """Histograms of real showers."""
    return {"histograms": histograms(real)}


def figures(real, other):
    """{"prd", "auc", "w1"}; the AUC is that of the observables."""
    found = judged_twice(real, other, ("observables",))
    return found | {"auc": found["auc"]["observables"]}


def histograms(showers):
    """Counts of both asymmetries over `EDGES`."""
    columns = observable_columns(showers)
    return {name: np.histogram(columns[name], EDGES)[0].tolist() for name in ASYMMETRIES}


def regression(config, workdir, real):
    """Mean squared error of the regressor and the variance that it leaves unexplained; true against predicted."""
    pairs = readout.regression(workdir, load_material(config, workdir), real)
    mse = {name: float(np.mean((true - read)**2)) for name, (true, read) in pairs.items()}
    unexplained = {name: mse[name] / float(np.var(true)) for name, (true, _) in pairs.items()}
    count = lambda true, read: np.histogram2d(true, np.clip(read, -1, 1), (EDGES[::2], EDGES[::2]))[0].astype(int)
    return {"mse": mse, "unexplained_variance": unexplained,
            "mean_unexplained": float(np.mean(list(unexplained.values()))),
            "true_against_read": {name: count(*pairs[name]).tolist() for name in ASYMMETRIES if name in pairs}}


SWEEP = Sweep(
    __doc__, "auxiliary", variants, figures, more, head, prepare=name_multitask,
    needs=dict.fromkeys(("disc_arch_hlr", "disc_arch_llr"), "multitask"), split="test",
    flags={"--recipe": dict(default="found", choices=baseline.RECIPES, help="of the plain GAN under all models")})
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    SWEEP.main()
