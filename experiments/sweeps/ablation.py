"""What each part of the anchored generator brings: one left out at a time, three seeds each, at equal time on one core.

    taskset -c 0 python -m experiments.sweeps.ablation      # about 80 minutes; a rerun continues
    python -m experiments.sweeps.ablation --preset=test --steps=100 --showers=200 --seeds=1 --workdir=runs/x \\
        --results=runs/x.json

Two processes on a core each may share the work by seeds: --seeds=0,1 and --seeds=2.
"""
import shutil

from configs import anchored
from experiments.measures import judged
from experiments.sweeps.engine import Sweep, changed, folder

ALONE = "prior alone"
VARIANTS = {
    ALONE: {"stages": ("prior",), "generator.correction": False},
    "full": {},
    "without octant": {"generator.octant": False, "discriminator.octant": False},
    "without prior": {"generator.profile": "fixed"},
    "without total head": {"generator.total": False},
    "without observables in D": {"discriminator.observables": False},
    "without sight of the prior's draw": {"generator.sight": False},
    "without correlated noise": {"generator.correlated": False},
    "with attention": {"generator.attention": 8, "discriminator.attention": 8},
}
"""Name -> its changes of `configs/anchored.py:cpu`."""
OTHER_PRIOR = (ALONE, "without octant", "without prior")
SAME_PRIOR = [name for name in VARIANTS if name not in OTHER_PRIOR]
"""Variants with the prior of the full recipe; they take it from the run `prior alone`."""
CLASSIFIERS = ("observables", "observables_and_conditions", "images")


def variants(args):
    """The config of each variant."""
    return {name: changed(anchored.get_config(args.preset), changes) for name, changes in VARIANTS.items()}


def take_prior(config, args, name, seed):
    """Copy the prior of the run `prior alone`, with its log and its time, where the config has the same prior."""
    workdir, other = folder(args, name, seed), folder(args, ALONE, seed)
    fitted = (other / "checkpoints" / "prior").exists()
    if name in SAME_PRIOR and fitted and not (workdir / "checkpoints").exists():
        shutil.copytree(other / "checkpoints" / "prior", workdir / "checkpoints" / "prior")
        shutil.copy(other / "metrics.jsonl", workdir / "metrics.jsonl")


def compared(real, other):
    """The figures of other showers."""
    return judged(real, other, CLASSIFIERS)


SWEEP = Sweep(
    __doc__, "anchored_ablation", variants, compared, usual=lambda args: anchored.get_config(args.preset),
    prepare=take_prior, needs=dict.fromkeys(SAME_PRIOR, ALONE), showers=5_000, steps=1_200)
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    SWEEP.main()
