r"""How many showers of your own do you need? Training alone, and from a shipped generator, from 300 showers on.

    taskset -c 0 python -m experiments.sweeps.few_showers     # a rerun continues
    taskset -c 0 python -m experiments.sweeps.few_showers --only="electrons, 1000, started"
    python -m experiments.sweeps.few_showers --preset=test --steps=20 --prior=20 --showers=200 --workdir=runs/x \
        --only="electrons, 300, started" --results=runs/x.json

Electrons are those of the shipped sample in cells of 40 mm, each the sum of four of 20 mm: the calorimeter `shashlik40`
differs from the shipped one in nothing else. Photons are those of the shipped sample, in its own cells. `alone` starts
from fresh parameters, `started` from a shipped generator of electrons in cells of 20 mm (`config.init`). All runs take
the same steps. The showers of validation and test in the file of a run are as many as in any file of its size.
"""
import dataclasses
import functools

import numpy as np

from configs import anchored
from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.files.writer import save_showers
from ecalgen.data.grid import GRIDS
from ecalgen.data.reconstruction import aggregated
from ecalgen.data.showers import Showers
from ecalgen.data.splits import drawn_splits, split_sizes
from experiments import measures
from experiments.sweeps.engine import Sweep, changed, folder, options

SIZES = {"electrons": (300, 1_000, 3_000, 10_000, 46_000), "photons": (300, 1_000, 3_000)}
"""Particle -> numbers of training showers; the photons that ship end at 3,600."""
PHOTONS = "ecal_shashlik/photon_5d"
SHIPPED = {"usual": "anchored", "light": "anchored_light"}
"""Size of the generator -> the shipped one of that size."""
RUNS = 3
"""Clusterings of each PRD."""
STARTS = ("alone", "started")
SMALL_FILE = {"evaluation.protocol": "competition", "evaluation.showers": 50}
"""Settings of an evaluation that a file of 417 showers allows. The sweep judges the runs itself."""


def names():
    """The variants: particle, number of training showers, and start."""
    return [f"{particle}, {size}, {start}" for particle, sizes in SIZES.items() for size in sizes for start in STARTS]


def variants(args):
    """The config of each variant, without its file of showers."""
    return {name: configured(args, name.endswith("started")) for name in names()}


def configured(args, started):
    """The anchored recipe, from fresh parameters or from the shipped generator of its size."""
    config = anchored.get_config(options(args.preset, f"size={args.size}"))
    config.init = SHIPPED[args.size] if started else None
    return changed(config, {"prior.steps": args.prior} | SMALL_FILE)


@functools.cache
def pool(source, particle, split):
    """All showers of a split: of electrons in cells of 40 mm, of photons in cells of 20 mm."""
    if particle == "photons":
        return load_split(PHOTONS, split)
    showers = load_split(source, split)
    return dataclasses.replace(showers, energy=np.asarray(aggregated(showers.energy, 2)), grid=GRIDS["shashlik40"])


def own_file(path, size, parts):
    """Write a file whose training split is of `size` showers, if it is not there; its path.

    Args:
      path: of the file.
      size: number of training showers.
      parts: split -> the showers from which those of the file are taken, the first of each split.
    """
    if not path.exists():
        count = next(count for count in range(size, 2 * size) if split_sizes(count)["train"] == size)
        rows = drawn_splits(count)
        taken = {split: parts(split)[:len(there)] for split, there in rows.items()}
        order = np.argsort(np.concatenate(list(rows.values())))
        joined = {name: np.concatenate([getattr(taken[split], name) for split in rows])[order]
                  for name in ("energy", "momentum", "point", "pdg")}
        path.parent.mkdir(parents=True, exist_ok=True)
        save_showers(path, Showers(**joined, grid=taken["train"].grid))
    return path


def judge(real, other):
    """AUC of the classifier of observables and physics PRD-AUC of other showers against real ones."""
    return measures.judged(real, other, ("observables",), RUNS)


class FewShowers(Sweep):
    """A sweep whose variants have training showers of their own."""

    def _head(self, args):
        """The results without their runs: the figures of other real showers of each particle."""
        real = {particle: self._real(args, particle) for particle in SIZES}
        others = {particle: pool(args.source, particle, "train")[:len(real[particle])] for particle in SIZES}
        return {"preset": args.preset, "showers": {particle: len(real[particle]) for particle in SIZES},
                "real_against_real": {particle: self.judge(real[particle], others[particle]) for particle in SIZES}}

    def _run(self, args, name, seed, result):
        """The measurements of one run."""
        particle, size, _ = name.split(", ")
        config, real = self.variants(args)[name], self._real(args, particle)
        parts = functools.partial(pool, args.source, particle)
        config.data.source = str(own_file(args.workdir / "showers" / f"{particle}-{size}.npz", int(size), parts))
        row = self._train(config, args.steps or config.train.steps, args, name, seed)
        return row | self.judge(real, measures.generated(folder(args, name, seed), real, seed))

    def _real(self, args, particle):
        """The showers that judge the runs of a particle."""
        return pool(args.source, particle, args.split)[:args.showers]


FLAGS = {"--size": {"choices": anchored.SIZES, "default": "light", "help": "size of the generator (light)"},
         "--prior": {"type": int, "default": 1_000, "help": "steps of the prior (1,000)"}}
SWEEP = FewShowers(__doc__, "few_showers", variants, judge, showers=2_000, split="test", seeds=(0,),
                   steps=1_000, flags=FLAGS)
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    SWEEP.main()
