"""GAN with an auxiliary regressor in the discriminator that was trained before, and is frozen.

Rogachev and Ratnikov 2023, section 3, "two-step": stage one fits a regressor of the shower's asymmetries on the MSE
alone; stage two conditions the discriminator on the regressor's predictions, and trains on the hinge loss alone. Beside
their figure 2: the frozen regressor is a network of its own here, and the discriminator shares no layers with it. Table
1 compares five regressors:

    cnn            a convolutional network of its own
    cnn_sa         the same with self-attention
    disc_arch      the layers of a discriminator
    disc_arch_hlr  the same, from a multi-task run's regressor, tuned at a high learning rate
    disc_arch_llr  the same at a low one

The last two train the multi-task stage first, or take it from a run: --config.regressor.multitask=runs/aux_multitask-x

A CNN can be shown the particle as maps beside the cells: --config.regressor.conditional=True
--config.regressor.early=True. It then explains more of the asymmetries (experiments/sweeps/figure3.py).

With `targets=scalars` the regressor is conditioned on the particle. It predicts every observable that is one number,
the visible energy and the centre among them, not the papers' two asymmetries only. The discriminator learns its gain
and clips predictions smoothly at five standard deviations. What ships has --config.train.steps=12000 and
--config.regressor.bound=0. It is the better one of two seeds without the bound (docs/auxiliary.md).

    python -m ecalgen.main --config=configs/aux_twostep.py                              # full: one GPU or TPU
    python -m ecalgen.main --config=configs/aux_twostep.py:cpu                          # 20 minutes on one core
    python -m ecalgen.main --config=configs/aux_twostep.py:test                         # minutes: does everything run?
    python -m ecalgen.main --config=configs/aux_twostep.py:cpu,regressor=disc_arch_llr  # another regressor
    python -m ecalgen.main --config=configs/aux_twostep.py:cpu,targets=scalars          # more to predict

`cpu` took 1,220 s of training on one core of AMD EPYC. Its PRD-AUC was 0.915 (physics; 0.966 between real sets) and
0.976 (raw; 0.962) on 10,000 `selection` showers (experiments/results/lineage.json). The one that ships took 4,357 s
there, and reached 0.958 (physics; 0.964) and 0.980 (raw; 0.964) on 10,000 `test` showers
(experiments/results/aux_twostep.json).
"""
from ecalgen.configs.base import apply_preset, name_choices, split_options

from ecalgen.configs import aux_multitask, baseline

LOW, HIGH = 2e-4, 2e-3
BOUND = 5.0
"""On the predictions, in standard deviations."""
REGRESSORS = {
    "disc_arch": dict(name="disc_arch"),
    "cnn": dict(name="cnn", attention=0),
    "cnn_sa": dict(name="cnn", attention=8),
    "disc_arch_hlr": dict(name="disc_arch", rate=HIGH, tuned=True),
    "disc_arch_llr": dict(name="disc_arch", rate=LOW, tuned=True),
}
"""Name -> fields of `config.regressor`; a tuned one starts from the multi-task stage."""
SCALARS = ("longitudinal_asymmetry", "transverse_asymmetry", "longitudinal_width", "transverse_width",
           "visible_fraction", "delta_x", "delta_y")
TARGETS = {
    "asymmetries": {},
    "scalars": {"regressor.targets": SCALARS, "regressor.weights": (1.0,) * len(SCALARS),
                "regressor.conditional": True, "regressor.bound": BOUND, "discriminator.learnt_gain": True},
}
"""Name -> the fields that it changes."""
PRESETS = {
    "cpu": aux_multitask.PRESETS["cpu"] | {"regressor.steps": 4_000, "regressor.batch_size": 64},
    "test": aux_multitask.PRESETS["test"] | {"regressor.steps": 20, "regressor.batch_size": 8,
                                             "regressor.widths": (8, 8, 8)},
}

OPTIONS = {"regressor": REGRESSORS, "targets": TARGETS, "recipe": baseline.RECIPES}


def get_config(preset=""):
    """The recipe, whole or as one of `PRESETS`.

    Its options are `regressor=` of `REGRESSORS`, `targets=` of `TARGETS`, and `recipe=` of the baseline's.

    Raises:
      ValueError: an unknown preset, or an unknown option or choice.
    """
    preset, chosen = split_options(preset, **OPTIONS)
    config = aux_multitask.get_config(f"recipe={chosen['recipe']}")
    config.preset = "full"
    config.system = "aux_twostep"
    config.regressor.update(dict(steps=20_000, batch_size=256, rate=HIGH))
    fields = dict(REGRESSORS[chosen["regressor"]])
    tuned = fields.pop("tuned", False)
    config.regressor.update(fields)
    config.stages = (("multitask",) if tuned else ()) + ("regressor", "gan")
    config.update_from_flattened_dict(TARGETS[chosen["targets"]])
    return name_choices(apply_preset(config, preset, PRESETS), chosen, **OPTIONS)
