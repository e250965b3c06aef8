"""The weight of the auxiliary loss in multi-task training against the regressor's MSE and the asymmetries' distance.

    python -m experiments.sweeps.weight_sweep               # cpu recipe; a rerun continues
    python -m experiments.sweeps.weight_sweep --preset=     # full recipe, for a GPU
    python -m experiments.sweeps.weight_sweep --preset=test --showers=200 --seeds=0 --workdir=runs/x \\
        --results=runs/x.json

Rogachev and Ratnikov 2022, arXiv:2207.06329: a larger weight makes a better regressor, and better asymmetries. At
weight 0 the regressor's layers are trained by the hinge loss alone, through the predictions. These are then no
estimates, but the discriminator has the same layers.
"""
from configs import aux_multitask
from experiments.sweeps.engine import Sweep, changed
from experiments.sweeps.table1 import figures, head, more

WEIGHTS = (0.0, 0.01, 0.1, 1.0, 10.0, 100.0)
"""alpha of every target."""


def variants(args):
    """The multi-task config with each weight."""
    usual = lambda: aux_multitask.get_config(args.preset)
    return {f"{weight:g}": changed(usual(), {"regressor.weights": (weight,) * len(usual().regressor.targets)})
            for weight in WEIGHTS}


SWEEP = Sweep(__doc__, "weight_sweep", variants, figures, more, head)
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    SWEEP.main()
