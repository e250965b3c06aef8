"""GAN with an auxiliary regressor in the discriminator, both trained at once: hinge plus weighted MSE.

Rogachev and Ratnikov 2022, arXiv:2207.06329, and 2023, section 3, "multi-task": a regressor of the shower's asymmetries
shares the discriminator's first layers, and the discriminator is conditioned on its predictions. Beside their figure 2:
two of the three downward blocks are shared here, and the hinge loss is differentiated through the predictions, so that
the adversarial gradient also trains the regressor's own layers. --config.regressor.adversarial_gradient=False leaves
these to the squared error alone. The papers may mean either (experiments/sweeps/multitask.py).

    python -m ecalgen.main --config=configs/aux_multitask.py         # full: one GPU or TPU
    python -m ecalgen.main --config=configs/aux_multitask.py:cpu     # 22 minutes on one core
    python -m ecalgen.main --config=configs/aux_multitask.py:test    # minutes: does everything run?
    python -m ecalgen.main --config=configs/aux_multitask.py:cpu,recipe=paper    # on the papers' plain GAN

`cpu` took 1,299 s of training on one core of AMD EPYC. Its PRD-AUC was 0.901 (physics; 0.964 between real sets) and
0.980 (raw; 0.964) on 10,000 `test` showers (experiments/results/aux_multitask.json).
"""
import ml_collections
from ecalgen.configs.base import apply_preset, name_choices, split_options

from ecalgen.configs import baseline

PRESETS = baseline.PRESETS


def get_config(preset=""):
    """The recipe, whole or as one of `PRESETS`, with `recipe=` one of the baseline's.

    Raises:
      ValueError: an unknown preset, option or recipe.
    """
    preset, chosen = split_options(preset, recipe=baseline.RECIPES)
    config = baseline.get_config(f"recipe={chosen['recipe']}")
    config.system = "aux_multitask"
    config.regressor = ml_collections.ConfigDict(dict(
        name="disc_arch",  # the discriminator's own layers; or cnn, of these widths and attention, in aux_twostep.py
        widths=(16, 32, 64),  # channels of a cnn at 16x16, 8x8 and 4x4
        attention=0,  # of a cnn: the map on which self-attention acts; 0 for none
        targets=("longitudinal_asymmetry", "transverse_asymmetry"),  # observables, or module:function of your own
        weights=(1.0, 1.0),  # alpha_k, of the squared error in units of the target's variance
        conditional=False,  # whether the regressor is shown the incident particle
        early=False,  # of a cnn: as maps beside the cells, in place of after its convolutions
        decides=True,  # whether the discriminator is conditioned on the regressor's predictions
        bound=0.0,  # standard deviations at which these are clipped smoothly; 0 for no bound
        adversarial_gradient=True,  # multi-task: whether the hinge loss trains the regressor through its predictions
        steering=0.0,  # weight of its error in the generator's loss, where its targets are known of the particle
        shared=2,  # of the discriminator's three downward blocks
        embedding=64,  # width of its last layer before the predictions
        multitask=ml_collections.config_dict.placeholder(str)))  # a run to start from; aux_twostep.py
    config.preset = "full"
    return name_choices(apply_preset(config, preset, PRESETS), chosen, recipe=baseline.RECIPES)
