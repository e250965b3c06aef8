"""Table 1 of Rogachev and Ratnikov 2023 on our showers: baseline, five two-step models, multi-task, by seed.

    python -m experiments.auxiliary                  # cpu recipe; rerun to go on
    python -m experiments.auxiliary --preset= --seeds=0 --only=multitask --only=disc_arch_llr  # full recipe: GPU
    python -m experiments.auxiliary --recipe=paper --steps=12000 --workdir=runs/table1-paper \
        --results=experiments/results/table1_paper.json  # on the papers' plain GAN: 13 hours on one core
    python -m experiments.auxiliary --preset=test --showers=200 --seeds=0 --workdir=runs/x --results=runs/x.json

Several processes may share the work: --seeds=0 and --seeds=1, or --only=... for some models each (the tuned ones want
the multi-task run of their seed, so leave them in one process with it). A killed run goes on where it was.
"""
import functools
import time

import numpy as np

from configs import aux_multitask, aux_twostep, baseline
from ecalgen import runs
from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.c2st import c2st
from ecalgen.evaluation.metrics.distances import wasserstein_distance
from ecalgen.evaluation.metrics.features import observable_columns
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import load_sampler
from ecalgen.training import readout
from ecalgen.training.material import load_material
from ecalgen.training.metrics_log import read_metrics
from experiments.judging import prd, real_showers, reference
from experiments.variants import add_recipe, make_parser, run_all

MODELS = ("baseline", "multitask", *aux_twostep.REGRESSORS)
"""In the order in which they are trained: the tuned ones start from the multi-task run."""
ASYMMETRIES = ("longitudinal_asymmetry", "transverse_asymmetry")
EDGES = np.linspace(-1, 1, 41)
"""Of their histograms."""


def main():
    """Train and judge every model that the results do not hold yet."""
    parser = make_parser(__doc__, "auxiliary", split="test")
    add_recipe(parser)
    parser.add_argument("--recipe", default="found", choices=baseline.RECIPES, help="of the plain GAN under all models")
    args = parser.parse_args()
    host.set_up()
    real = functools.partial(real_showers, args.source, args.split, args.showers)
    run_all(args, MODELS, lambda: head(args, real()), lambda name, seed, _: run_model(
        configured(name, args), seed, args.workdir / f"{name}-{seed}", real(), args.workdir / f"multitask-{seed}"),
        needs=dict.fromkeys(("disc_arch_hlr", "disc_arch_llr"), "multitask"))


def head(args, real):
    """What the figures are to be compared with."""
    other = reference(real)
    return {"preset": args.preset, "provenance": provenance(args.seeds[0]), "showers": len(real),
            "real_against_real": {"prd": {name: prd(real, other, name) for name in ("raw", "physics")},
                                  "auc": round(c2st(real, other, bootstrap=2).auc, 4), "w1": distances(real, other)},
            "histograms": histograms(real)}


def configured(name, args):
    """The config of a model of `MODELS`."""
    options = f"{args.preset},recipe={args.recipe}"
    if name in ("baseline", "multitask"):
        config = {"baseline": baseline, "multitask": aux_multitask}[name].get_config(options)
    else:
        config = aux_twostep.get_config(f"{options},regressor={name}")
    config.data.source = args.source
    if args.steps:
        config.train.steps = args.steps
    return config


def run_model(config, seed, workdir, real, multitask):
    """Train one model, or go on with it, and judge it."""
    config.seed = seed
    if "multitask" in config.stages:
        config.regressor.multitask = str(multitask)
    runs.prepare(config, workdir)
    start = time.time()
    runs.train(config, workdir)
    generated = Showers(load_sampler(workdir)(real.momentum, real.point, seed=seed), real.momentum, real.point)
    rows = read_metrics(workdir / "metrics.jsonl")
    measured = {
        "steps": config.train.steps, "batch_size": config.train.batch_size,
        "seconds": {stage: max(row["seconds"] for row in rows if row["stage"] == stage)
                    for stage in dict.fromkeys(row["stage"] for row in rows)},
        "prd": {name: prd(real, generated, name) for name in ("raw", "physics")},
        "auc": round(c2st(real, generated, bootstrap=2).auc, 4), "w1": distances(real, generated),
        "histograms": histograms(generated)}
    print(f"{workdir}: {time.time() - start:.0f} s", flush=True)
    return measured | (regression(config, workdir, real) if config.regressor else {})


def distances(real, other):
    """Wasserstein-1 of each observable, in deviations of the real one; the mean over its columns."""
    ours, theirs = observable_columns(other), observable_columns(real)
    return {name: round(wasserstein_distance(theirs[name], ours[name]), 4) for name in theirs}


def histograms(showers):
    """Counts of both asymmetries over `EDGES`."""
    columns = observable_columns(showers)
    return {name: np.histogram(columns[name], EDGES)[0].tolist() for name in ASYMMETRIES}


def regression(config, workdir, real):
    """MSE of the regressor on the test showers, in units of the target and of its variance; true against read off."""
    pairs = readout.regression(workdir, load_material(config), real)
    mse = {name: float(np.mean((true - read)**2)) for name, (true, read) in pairs.items()}
    unexplained = {name: mse[name] / float(np.var(true)) for name, (true, _) in pairs.items()}
    count = lambda true, read: np.histogram2d(true, np.clip(read, -1, 1), (EDGES[::2], EDGES[::2]))[0].astype(int)
    return {"mse": mse, "unexplained_variance": unexplained,
            "mean_unexplained": float(np.mean(list(unexplained.values()))),
            "true_against_read": {name: count(*pairs[name]).tolist() for name in ASYMMETRIES if name in pairs}}


if __name__ == "__main__":
    main()
