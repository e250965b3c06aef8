"""Multi-task training with and without the adversarial gradient in the regressor, for table 1.

    python -m experiments.sweeps.multitask --recipe=paper --steps=12000 --workdir=runs/table1-paper \\
        --results=experiments/results/table1_paper.json     # beside its baseline; a rerun continues
    python -m experiments.sweeps.multitask --preset=test --showers=200 --seeds=0 --workdir=runs/x --results=runs/x.json

Rogachev and Ratnikov 2023, section 3, train regressor and discriminator "simultaneously with two losses". Equation 3 is
one loss of all parameters, L = L_adv + L_reg. Differentiated as it is written, L_adv reaches the regressor's own layers
through the predictions, on which the discriminator is conditioned (`multitask`). If each network has its own loss, it
does not (`multitask_apart`). The shared layers receive both losses in either case. The first variant is that of
`experiments.sweeps.table1`: a run that the results hold already is not made again.
"""
from configs import aux_multitask
from experiments.sweeps import table1
from experiments.sweeps.engine import Sweep, changed, options

VARIANTS = {"multitask": {}, "multitask_apart": {"regressor.adversarial_gradient": False}}
"""Name -> its changes of `configs/aux_multitask.py`."""


def variants(args):
    """The config of each variant."""
    usual = lambda: aux_multitask.get_config(options(args.preset, f"recipe={args.recipe}"))
    return {name: changed(usual(), changes) for name, changes in VARIANTS.items()}


SWEEP = Sweep(__doc__, "multitask", variants, table1.figures, table1.more, table1.head, split="test",
              flags=table1.SWEEP.flags)
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    SWEEP.main()
