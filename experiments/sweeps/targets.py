"""Which targets should a frozen regressor predict, if the GAN has time? Beside a baseline of equal steps.

    taskset -c 0 python -m experiments.sweeps.targets --seeds=0 --only="scalars"     # a rerun continues
    python -m experiments.sweeps.targets --preset=test --steps=20 --showers=200 --seeds=0 --workdir=runs/x \\
        --results=runs/x.json

Every variant but the last learns its discriminator's gain. The measurements are those of `experiments.sweeps.table1`,
and the resolution of the visible energy in octaves of the particle's energy, to which no PRD-AUC is sensitive.
"""
from configs import aux_twostep, baseline
from ecalgen.evaluation.metrics.response import responses
from experiments.measures import reference
from experiments.sweeps import table1
from experiments.sweeps.engine import Sweep, changed, options

LEARNT = {"discriminator.learnt_gain": True}
FREE = {"regressor.bound": 0.0}
VARIANTS = {
    "baseline": (baseline, "", LEARNT),
    "asymmetries": (aux_twostep, "targets=asymmetries", LEARNT),
    "scalars": (aux_twostep, "targets=scalars", FREE),
    "scalars, bounded": (aux_twostep, "targets=scalars", {"regressor.bound": aux_twostep.BOUND}),
    "scalars, gain given": (aux_twostep, "targets=scalars", {"discriminator.learnt_gain": False} | FREE),
}
"""Name -> (module of its config, options, other changes)."""


def variants(args):
    """The config of each variant."""
    return {name: changed(module.get_config(options(args.preset, chosen)), changes)
            for name, (module, chosen, changes) in VARIANTS.items()}


def more(config, workdir, real, showers):
    """The measurements of table 1, and the response in bins of the energy."""
    return table1.more(config, workdir, real, showers) | {"response": responses(real, showers, reference(real))["bins"]}


SWEEP = Sweep(__doc__, "auxiliary_targets", variants, table1.figures, more, table1.head, steps=12_000)
make_parser = SWEEP.make_parser

if __name__ == "__main__":
    SWEEP.main()
