"""The regressors of `experiments.sweeps.figure3` without their GANs: how good is each?

    python -m experiments.sweeps.regressors        # a rerun continues
    python -m experiments.sweeps.regressors --preset=test --steps=20 --showers=200 --workdir=runs/x \\
        --results=runs/x.json

The folder of the runs and all flags are those of `experiments.sweeps.figure3`, which goes on from these regressors. The
errors are shares of the variance that a regressor leaves unexplained, on showers of `validation`.
"""
import statistics

from ecalgen import runs
from ecalgen.machine.lock import locked
from ecalgen.training.loop import run_stage
from ecalgen.training.material import begin_training
from ecalgen.training.metrics_log import read_metrics
from experiments.measures import training_seconds
from experiments.sweeps import figure3
from experiments.sweeps.engine import Sweep, folder


class Regressors(Sweep):
    """A sweep that trains the first stage of each variant only, and judges its regressor."""

    def _head(self, args):
        """The results without their runs."""
        return {"preset": args.preset}

    def _run(self, args, name, seed, result):
        """Steps, seconds and errors of one regressor."""
        config, workdir = self._configs(args)[name], folder(args, name, seed)
        config.seed, config.train.steps = seed, args.steps
        runs.prepare(config, workdir)
        return {"steps": config.regressor.steps, "widths": tuple(config.regressor.widths)} | fit(config, workdir)


def fit(config, workdir):
    """Train the regressor of a run to its end, from its newest checkpoint: its seconds and its errors."""
    material = begin_training(config, workdir)
    stage = material.stages[0]
    with locked(workdir):
        run_stage(stage, material.data, config.train, config.seed, workdir)
    last = [row for row in read_metrics(workdir / "metrics.jsonl") if row["stage"] == stage.name and "mse" in row][-1]
    errors = {name: last[f"mse_{name}"] for name in material.targets.names}
    return {"seconds": training_seconds(workdir), "unexplained_variance": errors,
            "mean_unexplained": statistics.mean(errors.values())}


SWEEP = Regressors(__doc__, "figure3_regressors", figure3.variants, judge=None, split="validation", seeds=(0,),
                   steps=6_000, flags=figure3.FLAGS)


def make_parser():
    """The flags of the command."""
    parser = SWEEP.make_parser()
    parser.set_defaults(workdir=figure3.make_parser().get_default("workdir"))
    return parser


if __name__ == "__main__":
    SWEEP.main(make_parser().parse_args())
