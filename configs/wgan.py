"""The Wasserstein GAN with gradient penalty, its generator steered by a regressor of the particle's parameters.

Chekalina et al. 2018, arXiv:1812.01319. The regressor is trained before, on real showers. Its squared error on a
generated shower, with the particle as the target, enters the generator's loss. The cells are Box-Cox transformed; the
generator has 512 latents and transposed convolutions. Cells are of order ten, because for smaller ones the penalty,
which holds the slope at 1, outweighs the distance. Projection and octant, which the talk does not have, improve little
(experiments/results/search.md).

    python -m ecalgen.main --config=configs/wgan.py               # full: one GPU or TPU
    python -m ecalgen.main --config=configs/wgan.py:cpu           # 16 minutes on one core
    python -m ecalgen.main --config=configs/wgan.py:test          # minutes: does everything run?
    python -m ecalgen.main --config=configs/wgan.py:cpu,beam=1d   # electrons of normal incidence in the centre

`cpu` took 955 s of training on one core of AMD EPYC, with a critic's rate that fell earlier than it does now. Its
PRD-AUC was 0.770 (physics; 0.966 between real sets) and 0.972 (raw; 0.962) on 10,000 `selection` showers
(experiments/results/lineage.json). `cpu,beam=1d` took 1,051 s and reached 0.234 (physics; 0.637) and 0.561 (raw; 0.594)
on 900 `test` showers (experiments/results/wgan_1d.json).
"""
import ml_collections
from ecalgen.configs.base import apply_preset, name_choices, split_options
from ecalgen.configs.base import get_config as base_config

BEAMS = {
    "5d": {},
    "1d": {"data.source": "ecal_shashlik/electron_1d", "regressor.targets": ("incident_energy",),
           "regressor.weights": (1.0,), "evaluation.showers": 900},
}
"""Name -> the fields that it changes."""
PRESETS = {
    "cpu": {
        "regressor.steps": 4_000,
        "regressor.batch_size": 64,
        "train.steps": 4_000,
        "train.batch_size": 32,
        "train.discriminator_steps": 2,
        "train.generator_rate": 5e-4,
        "train.discriminator_rate": 5e-4,
        "train.ema": 0.995,
    },
    "test": {
        "regressor.steps": 20,
        "regressor.batch_size": 8,
        "regressor.widths": (8, 8, 8),
        "train.steps": 20,
        "train.batch_size": 8,
        "train.log_every": 5,
        "train.checkpoint_every": 10,
        "train.discriminator_steps": 2,
        "generator.widths": (8, 8, 8),
        "discriminator.widths": (8, 8, 8),
        "evaluation.showers": 200,
        "evaluation.bootstrap": 20,
    },
}


def get_config(preset=""):
    """The recipe, whole or as one of `PRESETS`, with `beam=` one of `BEAMS`.

    Raises:
      ValueError: an unknown preset, option or beam.
    """
    preset, chosen = split_options(preset, beam=BEAMS)
    config = base_config()
    config.system = "wgan"
    config.stages = ("regressor", "gan")
    config.data.transform = ml_collections.ConfigDict(dict(name="boxcox", scale=1.0, exponent=0.2, gain=0.5))
    config.generator = ml_collections.ConfigDict(dict(
        name="deconvolutional", latent=512, widths=(128, 64, 32), octant=True))
    config.discriminator = ml_collections.ConfigDict(dict(
        name="plain", widths=(32, 64, 128), attention=0, spectral_norm=False, conditioning="projection",
        embedding=64, gain=1.0, unit="none", octant=True))
    config.regressor = ml_collections.ConfigDict(dict(
        name="cnn", widths=(16, 32, 64), attention=0, targets=("momentum", "point"), weights=(1.0, 1.0),
        conditional=False, decides=False, bound=0.0, steering=1.0, shared=2, embedding=64,
        multitask=ml_collections.config_dict.placeholder(str), steps=20_000, batch_size=256, rate=2e-3))
    config.train.update(dict(loss="wasserstein", gradient_penalty=10.0, discriminator_steps=5, generator_rate=1e-4,
                             discriminator_rate=1e-4))
    config.update_from_flattened_dict(BEAMS[chosen["beam"]])
    return name_choices(apply_preset(config, preset, PRESETS), chosen, beam=BEAMS)
