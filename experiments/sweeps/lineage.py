"""Every system of the lineage on the same showers, judged alike: which should I use?

    taskset -c 0 python -m experiments.sweeps.lineage             # cpu recipes, some hours; a rerun continues
    python -m experiments.sweeps.lineage --only=library --only=vae    # some; several processes may share the work
    taskset -c 0 python -m experiments.sweeps.lineage --retime    # once all are there: their times, on an idle machine
    python -m experiments.sweeps.lineage --preset=test --showers=200 --workdir=runs/x --results=runs/x.json

Rows of two tables of the self-attention talk (Ratnikov and Rogachev 2021) are included: WGAN, and SAGAN with spectral
norm in D or in G and D. So is the talk's future work: the same GAN on differently prepared cells.
"""
import importlib

import ml_collections
import numpy as np

from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import load_sampler
from ecalgen.simulation.gflash import Gflash
from ecalgen.training.stages import last_fields
from experiments.command import read, write
from experiments.measures import judged_twice, milliseconds, training_seconds
from experiments.sweeps.engine import Sweep, changed, check_variants, folder, options, real_showers

JUDGES = ("observables", "images")
PAPER = {"recipe": "paper"}
SYSTEMS = {
    "gflash": None,
    "library": ("library", {}),
    "library, shifted": ("library", {"generator.shift": True, "generator.neighbours": 3}),
    "vae": ("vae", {}),
    "vae, longer": ("vae", {"longer": 4}),
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
"""Row -> (config, its changes); None for a system that is not trained.

Among the changes are `OPTIONS` of the config, and under `longer` the factor by which the steps of its last stage are
multiplied.
"""
OPTIONS = ("recipe", "targets")


def main():
    """Train and judge every system that the results do not hold yet, or time them again."""
    args = make_parser().parse_args()
    (retime if args.retime else SWEEP.main)(args)


def retime(args):
    """Time the rows of the results again, or some of them, as trainings beside it slow a system down."""
    check_variants(args, SYSTEMS)
    host.set_up()
    result, real = read(args.results), real_showers(args)
    rows = [row for row in result["runs"] if row["variant"] in (args.only or SYSTEMS)]
    for row in host.progress(rows, desc="timing", unit="system"):
        trained = SYSTEMS[row["variant"]] is not None
        row["milliseconds_per_shower"] = times(folder(args, row["variant"], row["seed"]) if trained else None, real)
        row["timing"] = provenance(args.seeds[0])
    write(args.results, result)


def configured(system, changes, preset):
    """The config of a system with its changes."""
    fields = dict(changes)
    chosen = [f"{option}={fields.pop(option)}" for option in OPTIONS if option in fields]
    longer, transform = fields.pop("longer", 1), fields.pop("data.transform", None)
    config = importlib.import_module(f"configs.{system}").get_config(options(preset, *chosen))
    if transform:
        config.data.transform = ml_collections.ConfigDict(transform)
    if longer > 1:
        last_fields(config).steps *= longer
    return changed(config, fields)


def more(config, workdir, real, _):
    """The size of a finished run and the seconds of its training, and the milliseconds for each shower."""
    if config is None:
        return {"parameters": 18, "bytes": 0, "seconds": 0.0, "milliseconds_per_shower": times(None, real)}
    weights = workdir / "generator" / "weights.npz"
    with np.load(weights, allow_pickle=False) as arrays:
        parameters = sum(array.size for array in arrays.values())
    return {"parameters": int(parameters), "bytes": weights.stat().st_size,
            "seconds": round(sum(training_seconds(workdir).values()), 1),
            "milliseconds_per_shower": times(workdir, real)}


def times(workdir, real):
    """Milliseconds for each shower of a run, or of gflash, alone and by the thousand."""
    sampler = load_sampler(workdir) if workdir else Gflash()
    return {str(batch): milliseconds(lambda count: sampler(real.momentum[:count], real.point[:count]), batch)
            for batch in (1, 1_000)}


SWEEP = Sweep(
    __doc__, "lineage", judge=lambda real, other: judged_twice(real, other, JUDGES), more=more,
    variants=lambda args: {name: system and configured(*system, args.preset) for name, system in SYSTEMS.items()},
    flags={"--retime": dict(action="store_true", help="time the systems that are there again; train none")},
    split="test", seeds=(0,))
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    main()
