"""What each part of the anchored generator brings: one left out at a time, three seeds each, at equal time on one core.

    taskset -c 0 python -m experiments.anchored_ablation      # about 80 minutes; rerun to go on
    python -m experiments.anchored_ablation --steps=100 --showers=200 --seeds=1 --workdir=runs/x --results=runs/x.json

Two processes on a core each may share the work, by seeds: --seeds=0,1 and --seeds=2.
"""
import functools
import shutil

from configs import anchored
from ecalgen import runs
from ecalgen.data.showers import Showers
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import load_sampler
from ecalgen.training.loop import read_metrics
from experiments.equal_time import equal_steps
from experiments.judging import judged, real_showers, reference
from experiments.variants import make_parser, run_all

ALONE = {"stages": ("prior",), "generator.correction": False}
VARIANTS = {
    "prior alone": ALONE,
    "full": {},
    "without octant": {"generator.octant": False, "discriminator.octant": False},
    "without prior": {"generator.profile": "fixed"},
    "without total head": {"generator.total": False},
    "without observables in D": {"discriminator.observables": False},
    "without sight of the prior's draw": {"generator.sight": False},
    "without correlated noise": {"generator.correlated": False},
    "with attention": {"generator.attention": 8, "discriminator.attention": 8},
}
"""Name -> what it changes of `configs/anchored.py:cpu`."""

JUDGES = ("observables", "observables_and_conditions", "images")


def main():
    """Train and judge every variant that the results do not hold yet."""
    parser = make_parser(__doc__, "anchored_ablation", showers=5_000)
    parser.add_argument("--steps", type=int, default=1_200, help="of the full recipe's GAN, after its prior's")
    args = parser.parse_args()
    host.set_up()
    real = functools.partial(real_showers, args.source, args.split, args.showers)
    variants = {name: changed(changes, args.source) for name, changes in VARIANTS.items()}
    head = lambda: {"gan_steps": equal_steps(variants, changed({}, args.source), args.steps),
                    "provenance": provenance(args.seeds[0]),
                    "real_against_real": judged(real(), reference(real()), JUDGES)}
    run_all(args, VARIANTS, head, lambda name, seed, result: run_variant(
        name, variants[name], seed, args, real(), result["gan_steps"][name])[0],
        needs={name: "prior alone" for name, config in variants.items() if name != "prior alone" and has_prior(config)})


def changed(changes, source):
    """The recipe with these changes, on that source of showers."""
    config = anchored.get_config("cpu")
    config.update_from_flattened_dict(changes | {"data.source": source})
    return config


def run_variant(name, config, seed, args, real, steps):
    """Train one variant for so many steps: (its figures, its showers)."""
    config.seed, config.train.steps = seed, steps
    if args.showers < 1000:
        config.prior.steps = 100
    workdir = args.workdir / f"{name.replace(' ', '-')}-{seed}"
    runs.prepare(config, workdir)
    take_prior(config, workdir, args.workdir / f"prior-alone-{seed}")
    runs.train(config, workdir)
    generated = Showers(load_sampler(workdir)(real.momentum, real.point, seed=seed), real.momentum, real.point)
    rows = read_metrics(workdir / "metrics.jsonl")
    seconds = {stage: max((row["seconds"] for row in rows if row["stage"] == stage), default=None)
               for stage in config.stages}
    row = {"steps": steps if "gan" in config.stages else 0, "seconds": seconds}
    return row | judged(real, generated, JUDGES), generated


def has_prior(config):
    """Is its prior the full recipe's?"""
    return config.generator.octant and config.generator.profile == "fitted"


def take_prior(config, workdir, other):
    """Variants with the prior of the full one take it over, with its log and its time, instead of fitting it again."""
    fitted = (other / "checkpoints" / "prior").exists()
    if has_prior(config) and fitted and "gan" in config.stages and not (workdir / "checkpoints").exists():
        shutil.copytree(other / "checkpoints" / "prior", workdir / "checkpoints" / "prior")
        shutil.copy(other / "metrics.jsonl", workdir / "metrics.jsonl")


if __name__ == "__main__":
    main()
