"""Which objective trains best? Hinge, relativistic pairs with R1 and R2, and energy score, at equal steps.

    taskset -c 0 python -m experiments.sweeps.objective --only="plain, hinge"     # a rerun continues
    taskset -c 0 python -m experiments.sweeps.objective --steps=12000 --workdir=runs/objective-12000 \\
        --results=experiments/results/objective_12000.json
    python -m experiments.sweeps.objective --preset=test --steps=20 --showers=200 --seeds=0 --workdir=runs/x \\
        --results=runs/x.json

The bases are the plain GAN with the recipe of the search, `configs/baseline.py`, and `configs/anchored.py`. Without
`--steps` each is trained for the steps of its preset. The showers of `validation` judge the variants, so that the
choice does not use the test showers.
"""
from configs import anchored, baseline
from experiments.measures import judged_twice
from experiments.sweeps.engine import Sweep, changed

BASES = {"plain": baseline, "anchored": anchored}
"""Name -> module of the config."""
CLASSIFIERS = ("observables", "images")
PAIRS = {"train.loss": "relativistic", "train.r1": 0.004, "train.r2": 0.004, "train.r1_every": 8}
SCORE = {"train.energy_score": 1.0, "train.energy_features": "observables"}
OBJECTIVES = {
    "hinge": {},
    "relativistic, R1, R2": PAIRS,
    "energy score": SCORE,
    "both": PAIRS | SCORE,
    "both, warm-up": PAIRS | SCORE,
}
"""Name -> its changes of either base."""
RISING = ("both, warm-up",)
"""Objectives whose rates rise in the first tenth of the steps."""


def variants(args):
    """The config of each base with each objective."""
    return {f"{base}, {name}": configured(args, base, name) for base in BASES for name in OBJECTIVES}


def configured(args, base, name):
    """The config of a base with the objective of that name."""
    config = changed(BASES[base].get_config(args.preset), OBJECTIVES[name])
    if name in RISING:
        config.train.warmup = (args.steps or config.train.steps) // 10
    return config


SWEEP = Sweep(__doc__, "objective", variants, lambda real, other: judged_twice(real, other, CLASSIFIERS),
              showers=4_000, split="validation")
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    SWEEP.main()
