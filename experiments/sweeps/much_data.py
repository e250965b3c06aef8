r"""Which anchored generator stands the judge with much data? Objectives and parts of the prior, at equal steps.

    taskset -c 0 python -m experiments.sweeps.much_data --only="usual" --seeds=0     # a rerun continues
    taskset -c 0 python -m experiments.sweeps.much_data --steps=24000 --only="pairs, score, by hits" \
        --workdir=runs/much-data-24000 --results=experiments/results/much_data_24000.json
    python -m experiments.sweeps.much_data --preset=test --steps=20 --showers=200 --training=400 --seeds=0 \
        --only="usual" --workdir=runs/x --results=runs/x.json

Classifiers learn from the training split and as many generated showers. They are asked of the split `selection`, so the
choice does not use the test showers.
"""
from configs import anchored
from ecalgen.data.ecal_shashlik import load_split
from ecalgen.evaluation.large import judge_largely
from ecalgen.sampling.sampler import load_sampler
from experiments.measures import distances, generated
from experiments.sweeps.engine import Sweep, changed, folder, real_showers

PAIRS = {"train.loss": "relativistic"}
PENALTIES = {"train.r1": 0.004, "train.r2": 0.004, "train.r1_every": 8}
SCORE = {"train.energy_score": 1.0, "train.energy_features": "observables"}
BY_HITS = {"generator.by_hits": True}
SHARED = {"generator.shared": True, "generator.corners": True}
VARIANTS = {
    "usual": {},
    "score": SCORE,
    "pairs, score": PAIRS | SCORE,
    "pairs, R1, R2, score": PAIRS | PENALTIES | SCORE,
    "pairs, score, by hits": PAIRS | SCORE | BY_HITS,
    "pairs, score, by likelihood": PAIRS | SCORE | SHARED,
    "by likelihood": SHARED,
    "pairs, score of rings, by likelihood": PAIRS | SCORE | SHARED | {"train.energy_features": "rings"},
    "pairs, score, by likelihood, spectrum": PAIRS | SCORE | SHARED | {"generator.spectrum": True},
}
"""Name -> its changes of `configs/anchored.py`."""


class MuchData(Sweep):
    """A sweep whose runs are judged by classifiers that learn from the training split."""

    def _head(self, args):
        """The results without their runs."""
        return {"preset": args.preset}

    def _run(self, args, name, seed, result):
        """Training, distances of the observables, and AUC with floor of each judge."""
        workdir, asked = folder(args, name, seed), real_showers(args)
        row = self._train(self._configs(args)[name], args.steps, args, name, seed)
        sampler, training = load_sampler(workdir), load_split(args.source, "train")[:args.training]
        made, answers = (generated(sampler, part, number) for number, part in enumerate((training, asked)))
        judges = judge_largely(training, made, asked, answers, seeds=(seed,), sizes=(), bootstrap=100)
        return row | {"w1": distances(asked, answers), "training": len(training), "judges": {
            judge: {field: found[field] for field in ("auc", "interval", "floor", "seconds")}
            for judge, found in judges.items()}}


def variants(args):
    """The config of each variant."""
    return {name: changed(anchored.get_config(args.preset), changes) for name, changes in VARIANTS.items()}


SWEEP = MuchData(__doc__, "much_data", variants, judge=None, flags={"--training": dict(
    type=int, default=46_000, help="showers of each kind from which the judges learn (46,000)")})
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    SWEEP.main()
