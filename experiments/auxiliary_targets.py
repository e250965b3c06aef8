"""What should a frozen regressor read off a shower, if the GAN has time? By targets, beside a baseline of equal steps.

    taskset -c 0 python -m experiments.auxiliary_targets --seeds=0 --only="scalars"     # rerun to go on
    python -m experiments.auxiliary_targets --preset=test --steps=20 --showers=200 --seeds=0 --workdir=runs/x \\
        --results=runs/x.json

Every variant but the last learns its discriminator's gain. Beside what `experiments.auxiliary` measures, the resolution
of the visible energy, which no PRD-AUC sees, in octaves of the particle's energy.
"""
import functools

from configs import aux_twostep, baseline
from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.response import responses
from ecalgen.machine import host
from ecalgen.sampling.sampler import load_sampler
from experiments.auxiliary import head, run_model
from experiments.judging import real_showers, reference
from experiments.variants import add_recipe, make_parser, run_all

LEARNT = {"discriminator.learnt_gain": True}
FREE = {"regressor.bound": 0.0}
VARIANTS = {
    "baseline": (baseline, "", LEARNT),
    "asymmetries": (aux_twostep, "targets=asymmetries", LEARNT),
    "scalars": (aux_twostep, "targets=scalars", FREE),
    "scalars, bounded": (aux_twostep, "targets=scalars", {"regressor.bound": aux_twostep.BOUND}),
    "scalars, gain given": (aux_twostep, "targets=scalars", {"discriminator.learnt_gain": False} | FREE),
}
"""Name -> (its configs, its options, other changes)."""


def main():
    """Train and judge every variant that the results do not hold yet."""
    parser = make_parser(__doc__, "auxiliary_targets")
    add_recipe(parser, 12_000)
    args = parser.parse_args()
    host.set_up()
    real = functools.partial(real_showers, args.source, args.split, args.showers)

    def run(name, seed, _):
        workdir = args.workdir / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"
        row = run_model(changed(*VARIANTS[name], args), seed, workdir, real(), None)
        return row | {"response": response(workdir, seed, real())}

    run_all(args, VARIANTS, lambda: head(args, real()), run)


def changed(module, options, changes, args):
    """The config of a variant."""
    config = module.get_config(",".join(part for part in (args.preset, options) if part))
    config.update_from_flattened_dict(changes | {"data.source": args.source, "train.steps": args.steps})
    return config


def response(workdir, seed, real):
    """Bins of `responses` of the run's showers."""
    generated = Showers(load_sampler(workdir)(real.momentum, real.point, seed=seed), real.momentum, real.point)
    return responses(real, generated, reference(real))["bins"]


if __name__ == "__main__":
    main()
