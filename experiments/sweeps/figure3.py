"""Figure 3 of Rogachev and Ratnikov 2023 with regressors from bad to good on purpose, and one GAN for each.

    python -m experiments.sweeps.regressors                 # the regressors alone, to see that their errors spread
    python -m experiments.sweeps.figure3                    # their GANs of 6,000 steps each; a rerun continues
    python -m experiments.sweeps.figure3 --preset=test --steps=20 --showers=200 --workdir=runs/x --results=runs/x.json

The five regressors of the paper have nearly the same error on our showers (`experiments/results/auxiliary.json`), so
they cannot test whether a better regressor makes a better generator. These differ in the length of their training, in
their widths, and in what they see of the particle: nothing, its conditions after the convolutions, or its conditions as
maps beside the cells. The measurements are those of `experiments.sweeps.table1`. The errors before any GAN are in
`experiments/results/figure3_regressors.json`.
"""
from configs import aux_twostep
from experiments.sweeps import table1
from experiments.sweeps.engine import Sweep, changed, options

NARROW, WIDE = (4, 8, 16), (32, 64, 128)
LATE = {"regressor.conditional": True}
EARLY = LATE | {"regressor.early": True}
VARIANTS = {
    "blind, 1/80": (1 / 80, {}),
    "blind, 1/20": (1 / 20, {}),
    "blind, narrow": (1, {"regressor.widths": NARROW}),
    "blind": (1, {}),
    "late": (1, LATE),
    "early, 1/20": (1 / 20, EARLY),
    "early, narrow, 1/4": (1 / 4, EARLY | {"regressor.widths": NARROW}),
    "early, 1/4": (1 / 4, EARLY),
    "early": (1, EARLY),
    "early, wide, twice": (2, EARLY | {"regressor.widths": WIDE}),
}
"""Name -> (length of the regressor's training, in that of the config; other changes of the `cnn`)."""


def variants(args):
    """The config of each variant."""
    return {name: configured(args, *parts) for name, parts in VARIANTS.items()}


def configured(args, length, changes):
    """The two-step config on the papers' plain GAN, with such a regressor."""
    config = aux_twostep.get_config(options(args.preset, "regressor=cnn", f"recipe={args.recipe}"))
    return changed(config, {"regressor.steps": max(1, round(length * config.regressor.steps))} | changes)


FLAGS = {"--recipe": table1.SWEEP.flags["--recipe"] | {"default": "paper"}}
SWEEP = Sweep(__doc__, "figure3", variants, table1.figures, table1.more, table1.head, split="test", seeds=(0,),
              steps=6_000, flags=FLAGS)
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    SWEEP.main()
