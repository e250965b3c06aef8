"""Every system of the lineage on the same showers, judged alike: which should I use?

    taskset -c 0 python -m experiments.lineage                    # cpu recipes, some hours; rerun to go on
    python -m experiments.lineage --only=library --only=vae       # some of them; several processes may share the work
    taskset -c 0 python -m experiments.lineage --retime           # once all are there: their times, on an idle machine
    python -m experiments.lineage --preset=test --showers=200 --workdir=runs/x --results=runs/x.json

Two tables of the self-attention talk (Ratnikov and Rogachev 2021) are among the rows: WGAN and SAGAN with spectral norm
in D, or in G and D; and, its future work, the same GAN on differently prepared cells.
"""
import functools
import importlib
import time

import jax
import ml_collections
import numpy as np

from ecalgen import runs
from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.c2st import c2st
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import load_sampler
from ecalgen.simulation.gflash import Gflash
from ecalgen.training.loop import read_metrics
from experiments.auxiliary import distances
from experiments.judging import prd, real_showers, reference
from experiments.variants import PRESETS, make_parser, read, run_all, write

JUDGES = ("observables", "images")
PAPER = {"recipe": "paper"}
SYSTEMS = {
    "gflash": None,
    "library": ("library", {}),
    "library, shifted": ("library", {"generator.shift": True, "generator.neighbours": 3}),
    "vae": ("vae", {}),
    "wgan": ("wgan", {}),
    "wgan, no regressor": ("wgan", {"regressor.steering": 0.0}),
    "wgan, spectral norm for the penalty": ("wgan", {"train.gradient_penalty": 0.0, "discriminator.spectral_norm": True,
                                                     "discriminator.gain": 5.0}),
    "sagan, spectral norm in D": ("baseline", PAPER | {"generator.spectral_norm": False}),
    "sagan, spectral norm in G and D": ("baseline", PAPER),
    "sagan, cells as they are": ("baseline", PAPER | {"data.transform": dict(name="none", scale=100.0)}),
    "sagan, log1p of cells": ("baseline", PAPER | {"data.transform": dict(name="log1p", scale=1.0, gain=0.2)}),
    "sagan, Box-Cox of cells": ("baseline", PAPER | {
        "data.transform": dict(name="boxcox", scale=1.0, exponent=0.2, gain=0.05)}),
    "sagan, energy fractions": ("baseline", PAPER | {
        "data.transform": dict(name="none", scale=100.0), "generator.unit": "energy", "discriminator.unit": "energy"}),
    "baseline": ("baseline", {}),
    "multi-task": ("aux_multitask", {}),
    "two-step": ("aux_twostep", {}),
    "two-step, scalars": ("aux_twostep", {"targets": "scalars", "regressor.bound": 0.0, "longer": 4}),
    "anchored": ("anchored", {}),
}
"""Row -> (config, what is changed of it, its `OPTIONS` among them, and how many times its steps it takes); none for
what is not trained."""
OPTIONS = ("recipe", "targets")
"""Of configs."""


def main():
    """Train and judge every system that the results do not hold yet."""
    parser = make_parser(__doc__, "lineage", split="test")
    parser.set_defaults(seeds=[0])
    parser.add_argument("--preset", default="cpu", choices=PRESETS, help="of the configs; empty for the full recipes")
    parser.add_argument("--retime", action="store_true", help="time the systems that are there anew, train none")
    args = parser.parse_args()
    host.set_up()
    real = functools.partial(real_showers, args.source, args.split, args.showers)

    def head():
        return {"preset": args.preset, "showers": len(real()), "provenance": provenance(args.seeds[0]),
                "real_against_real": judged(real(), reference(real()))}

    if args.retime:
        return retime(args, real())
    run_all(args, SYSTEMS, head, lambda name, seed, _: run_system(name, seed, args, real()))


def run_system(name, seed, args, real):
    """Train one system, or go on with it, and judge and time it."""
    if SYSTEMS[name] is None:
        sampler, size = Gflash(), {"parameters": 18, "bytes": 0, "seconds": 0.0}
    else:
        config = configured(name, args)
        config.seed = seed
        workdir = folder(name, seed, args)
        runs.prepare(config, workdir)
        runs.train(config, workdir)
        sampler, size = load_sampler(workdir), sizes(workdir)
    generated = Showers(sampler(real.momentum, real.point, seed=seed), real.momentum, real.point)
    return size | judged(real, generated) | {
        "milliseconds_per_shower": times(sampler, real), "provenance": provenance(seed)}


def retime(args, real):
    """The times of every row of the results, or of some, anew, as trainings beside it slow a system down."""
    result = read(args.results)
    rows = [row for row in result["runs"] if row["variant"] in (args.only or SYSTEMS)]
    for row in host.progress(rows, desc="timing", unit="system"):
        trained = SYSTEMS[row["variant"]] is not None
        sampler = load_sampler(folder(row["variant"], row["seed"], args)) if trained else Gflash()
        row["milliseconds_per_shower"] = times(sampler, real)
        row["timing"] = provenance(args.seeds[0])
    write(args.results, result)


def folder(name, seed, args):
    """Of a system's run."""
    return args.workdir / f"{name.replace(' ', '-').replace(',', '')}-{seed}"


def configured(name, args):
    """The config of a system of `SYSTEMS`."""
    system, changes = SYSTEMS[name]
    options = [f"{name}={changes[name]}" for name in OPTIONS if name in changes]
    config = importlib.import_module(f"configs.{system}").get_config(",".join([args.preset, *options]))
    if "data.transform" in changes:
        config.data.transform = ml_collections.ConfigDict(changes["data.transform"])
    config.update_from_flattened_dict({field: value for field, value in changes.items()
                                       if field not in ("data.transform", "longer", *OPTIONS)})
    config.train.steps *= changes.get("longer", 1)
    config.data.source = args.source
    return config


def sizes(workdir):
    """{"parameters", "bytes" on disk, "seconds" of training} of a finished run."""
    weights = workdir / "generator" / "weights.npz"
    with np.load(weights, allow_pickle=False) as arrays:
        parameters = sum(array.size for array in arrays.values())
    rows = read_metrics(workdir / "metrics.jsonl")
    seconds = sum({row["stage"]: row["seconds"] for row in rows}.values())
    return {"parameters": int(parameters), "bytes": weights.stat().st_size, "seconds": round(seconds, 1)}


def judged(real, generated):
    """Both PRD-AUCs, the classifier's AUCs, and Wasserstein-1 of every observable."""
    return {"prd": {name: prd(real, generated, name) for name in ("raw", "physics")},
            "auc": {judge: round(c2st(real, generated, judge, bootstrap=2).auc, 4) for judge in JUDGES},
            "w1": distances(real, generated)}


def times(sampler, real):
    """Milliseconds a shower, alone and by the thousand."""
    return {str(batch): milliseconds(lambda n: sampler(real.momentum[:n], real.point[:n]), batch)
            for batch in (1, 1_000)}


def milliseconds(sample, batch, repeats=7):
    """Of one shower of `sample(batch)`, the best of some calls, with the program compiled."""
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        made = jax.block_until_ready(sample(batch))
        seconds.append(time.perf_counter() - start)
    return round(1000 * min(seconds[1:]) / len(made), 4)


if __name__ == "__main__":
    main()
