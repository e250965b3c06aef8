"""The weight of the auxiliary loss in multi-task training against the regressor's MSE and the asymmetries' distance.

    python -m experiments.weight_sweep               # cpu recipe; rerun to go on
    python -m experiments.weight_sweep --preset=     # full recipe, for a GPU
    python -m experiments.weight_sweep --preset=test --showers=200 --seeds=0 --workdir=runs/x --results=runs/x.json

Rogachev and Ratnikov 2022, arXiv:2207.06329: a larger weight makes a better regressor, and better asymmetries.
"""
import functools

from ecalgen.machine import host
from experiments.auxiliary import configured, head, run_model
from experiments.judging import real_showers
from experiments.variants import add_recipe, make_parser, run_all

WEIGHTS = (0.01, 0.1, 1.0, 10.0, 100.0)
"""alpha of every target."""


def main():
    """Train and judge a multi-task model for every weight that the results do not hold yet."""
    parser = make_parser(__doc__, "weight_sweep")
    add_recipe(parser)
    args = parser.parse_args()
    host.set_up()
    real = functools.partial(real_showers, args.source, args.split, args.showers)

    def run(name, seed, _):
        config = configured("multitask", args)
        config.regressor.weights = (float(name),) * len(config.regressor.targets)
        return run_model(config, seed, args.workdir / f"{name}-{seed}", real(), None)

    run_all(args, [f"{weight:g}" for weight in WEIGHTS], lambda: head(args, real()), run)


if __name__ == "__main__":
    main()
