"""Train the network whose 64-d embedding is a feature set of the `competition` protocol, and ship it.

It predicts (log E, px/pz, py/pz, x, y) from the cells of real showers alone; the embedding is its last hidden layer.

    python -m experiments.checks.embedding            # about five minutes on one core
    python -m experiments.checks.embedding --steps=20 --workdir=runs/x --out=runs/x --results=runs/x.json
"""
import functools
import pathlib

import jax
import ml_collections
import numpy as np
import optax

from ecalgen.data.ecal_shashlik import load_split, sample_path
from ecalgen.data.grid import PAPERS
from ecalgen.data.showers import conditions
from ecalgen.data.transforms import make_transform
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.models.regressor import Regressor
from ecalgen.sampling.weights import SHIPPED, save_weights
from ecalgen.training.loop import Stage, run_stage
from ecalgen.training.stages import training_arrays
from ecalgen.training.state import init_regressor
from ecalgen.training.steps import RegressorFit, regressor_step
from experiments.command import new_parser, write

TRANSFORM = dict(name="sqrt", scale=100.0)
TRAIN = dict(batch_size=64, log_every=100, checkpoint_every=1000, divergence=1e4)
TARGETS = ("log E", "px/pz", "py/pz", "x", "y")


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "embedding")
    parser.add_argument("--steps", type=int, default=6_000, help="steps of the training (6,000)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the training (0)")
    parser.add_argument("--out", type=pathlib.Path, default=SHIPPED / "embedding",
                        help="folder for the weights (its folder in the package)")
    parser.add_argument("--workdir", type=pathlib.Path, default=pathlib.Path("runs/embedding"),
                        help="folder of the run (runs/embedding)")
    return parser


def main():
    """Train, judge on the test split, write the weights with their card and the results."""
    args = make_parser().parse_args()
    host.set_up()
    args.workdir.mkdir(parents=True, exist_ok=True)
    regressor, transform = Regressor(outputs=len(TARGETS)), make_transform(**TRANSFORM)
    train, test = (arrays(load_split(sample_path(), split), transform) for split in ("train", "test"))
    rate = optax.cosine_decay_schedule(2e-3, args.steps)
    optimiser = optax.chain(optax.clip_by_global_norm(10.0), optax.adam(rate))
    stage = Stage(
        name="regressor", steps=args.steps, batch_size=TRAIN["batch_size"],
        init=lambda key, before: init_regressor(regressor, optimiser, key, views(*(
            train[name][:1] for name in ("cells", "momentum", "point")))),
        step=functools.partial(regressor_step, fit=RegressorFit(
            regressor, views, optimiser, TRAIN["batch_size"], np.ones(len(TARGETS), np.float32))))
    state = run_stage(stage, train, ml_collections.ConfigDict(TRAIN), args.seed, args.workdir)
    predictions, _ = jax.jit(regressor.apply)({"params": state.regressor.params}, test["cells"][..., None])
    mse = np.mean((np.asarray(predictions) - test["targets"]) ** 2, axis=0)
    unexplained = dict(zip(TARGETS, (mse / test["targets"].var(axis=0)).round(4).tolist(), strict=True))
    card = {"kind": "regressor", "system": "embedding", "transform": TRANSFORM, "outputs": len(TARGETS),
            "targets": TARGETS, "steps": args.steps, "unexplained_variance": unexplained}
    result = card | {"showers": {"train": len(train["cells"]), "test": len(test["cells"])},
                     "provenance": provenance(args.seed)}
    save_weights(args.out, jax.device_get(state.regressor.params), card)
    write(args.results, result)
    print(f"unexplained variance on test showers: {unexplained}; weights in {args.out}")


def arrays(showers, transform):
    """Arrays for `regressor_step`: cells, and the standardised conditions as targets."""
    targets = np.asarray(conditions(showers.momentum, showers.point, PAPERS))
    return training_arrays(showers, transform) | {"targets": targets}


def views(cells, momentum, point):
    """Inputs of the regressor: the cells, and nothing of the particle."""
    del momentum, point
    return cells[..., None], None


if __name__ == "__main__":
    main()
