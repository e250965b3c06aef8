r"""The anchored recipe on other calorimeters, particles and energies: ten minutes of two cores each, judged alike.

    taskset -c 0 python -m experiments.sweeps.calorimeters        # a rerun continues
    taskset -c 0 python -m experiments.sweeps.calorimeters --only="40 mm cells"
    python -m experiments.sweeps.calorimeters --preset=test --steps=20 --showers=200 --workdir=runs/x \
        --only="40 mm cells" --results=runs/x.json

Wide cells are sums of 2 x 2 and 3 x 3 cells of the shipped electrons: these calorimeters differ from the shipped one in
nothing else. Positrons and electrons of low energy are simulated first, `--events` of each; that needs Geant4. The
showers in depth are those that ship, 5,760 for training, or those of a file; the prior alone makes them:

    python -m ecalgen.simulation geant4 --calorimeter=layered --energy=2,100 --events=20000 --seed=20180712 \
        --dtype=float16 --out=layered.npz
    taskset -c 0 python -m experiments.sweeps.calorimeters --only="layered, in depth" --layered=layered.npz \
        --workdir=runs/layered --results=experiments/results/layered.json
"""
import dataclasses
import functools

import numpy as np

from configs import anchored
from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.grid import GRIDS, Grid
from ecalgen.data.reconstruction import aggregated
from ecalgen.machine.host import cores
from ecalgen.sampling.production import Production, produce
from ecalgen.sampling.sampler import load_sampler
from ecalgen.simulation.beam import Beam
from ecalgen.simulation.calorimeter import SHASHLIK
from ecalgen.simulation.geant4 import Setup
from experiments import measures
from experiments.sweeps.engine import Sweep, changed, folder
from experiments.sweeps.few_showers import PHOTONS, SMALL_FILE, own_file

CROP = Grid((24, 20), (2.02, 2.02), 15.0, name="crop")
SEED = 20261129
"""Of the simulated showers."""
DEEP = {"prior.steps": 3_000, "prior.batch_size": 32}
"""What the recipe changes for cells in depth."""
RUNS = 10
"""Clusterings of each PRD."""


def wide(count):
    """(flags, split) -> electrons in sums of count x count shipped cells."""
    grid = GRIDS[f"shashlik{20 * count}"]
    return lambda args, split: _of_shipped(args, split, lambda energy: np.asarray(aggregated(energy, count)), grid)


def cropped(args, split):
    """Electrons in the 24 x 20 central cells: neither square nor of an edge that showers do not reach."""
    return _of_shipped(args, split, lambda energy: energy[:, 3:27, 5:25], CROP)


def shipped(name):
    """(flags, split) -> the showers of a shipped sample."""
    return lambda args, split: load_split(name, split)


def simulated(**beam):
    """(flags, split) -> showers of Geant4 in the shipped calorimeter; a split of a file that is made if need be."""
    def load(args, split):
        setup = Setup(SHASHLIK, Beam(**beam), SEED)
        path = args.workdir / "showers" / f"{'-'.join(map(str, beam.values()))}-{args.events}.npz".replace(" ", "")
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            produce(Production(setup, args.events), path, workers=cores())
        return load_split(str(path), split)

    return load


CASES = {
    "40 mm cells": wide(2), "60 mm cells": wide(3), "24 x 20 cells": cropped, "photons": shipped(PHOTONS),
    "positrons": simulated(particle="e+"), "electrons of 0.5 to 5 GeV": simulated(energy=(0.5, 5.0)),
    "layered, in depth": lambda args, split: load_split(args.layered, split),
}
"""Variant -> (flags, split) -> its showers."""


def _of_shipped(args, split, change, grid):
    showers = load_split(args.source, split)
    return dataclasses.replace(showers, energy=change(showers.energy), grid=grid)


def variants(args):
    """The config of each variant, without its file of showers."""
    in_depth = lambda name: name.endswith("in depth")
    configs = {name: anchored.get_config(f"{args.preset},size=deep" if in_depth(name) else args.preset)
               for name in CASES}
    return {name: changed(config, SMALL_FILE | (DEEP if in_depth(name) and args.preset != "test" else {}))
            for name, config in configs.items()}


def judge(real, other):
    """Classifier AUCs and the physics PRD-AUC of other showers against real ones."""
    return measures.judged(real, other, ("observables", "images"), RUNS)


class Calorimeters(Sweep):
    """A sweep whose variants have showers of their own."""

    def _head(self, args):
        """The results without their runs."""
        return {"preset": args.preset}

    def _run(self, args, name, seed, result):
        """The measurements of one run, and those of other real showers."""
        config, parts = self.variants(args)[name], functools.cache(functools.partial(CASES[name], args))
        real, size = parts("test")[:args.showers], len(parts("train"))
        config.data.source = str(own_file(args.workdir / "showers" / f"{folder(args, name, 0).name}.npz", size, parts))
        row = self._train(config, args.steps or config.train.steps, args, name, seed)
        sampler = load_sampler(folder(args, name, seed))
        milliseconds = measures.milliseconds(lambda n: sampler(real.momentum[:n], real.point[:n]), 100, repeats=3)
        return row | {"grid": str(real.grid), "training_showers": size, "milliseconds_per_shower": milliseconds,
                      "real_against_real": judge(real, parts("train")[:len(real)])} | judge(
                          real, measures.generated(sampler, real, seed))


FLAGS = {"--events": {"type": int, "default": 6_000, "help": "showers of each simulation (6,000)"},
         "--layered": {"default": "electron_layered", "help": "file of the showers in depth (the shipped ones)"}}
SWEEP = Calorimeters(__doc__, "calorimeters", variants, judge, showers=10_000, split="test", seeds=(0,), flags=FLAGS)
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    SWEEP.main()
