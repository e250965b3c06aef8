"""AdaGAN: an ensemble of GANs of cells in depth, each trained on what those before it do not make.

Jaruskova and Vallecorsa, "Generative adversarial networks ensemble": conditional GANs of two-dimensional convolutions
on three rotations of a shower, whose discriminators also regress the incident energy.

    python -m ecalgen.main --config=configs/adagan.py         # full: one GPU or TPU
    python -m ecalgen.main --config=configs/adagan.py:cpu     # 20 to 40 minutes on one core, and some to judge it
    python -m ecalgen.main --config=configs/adagan.py:test    # minutes: does everything run?

`cpu` took 41 minutes of training on a core of AMD EPYC that other jobs used. On 800 `test` showers a classifier of
observables told generated from real ones, with one generator as with three: AUC above 0.999
(experiments/results/adagan.json).
"""
import ml_collections
from ecalgen.configs.base import apply_preset, keep
from ecalgen.configs.base import get_config as base_config

UNUSED = ("r1", "r2", "r1_every", "gradient_penalty", "energy_score", "energy_features")
"""Fields of `config.train` that a member of the ensemble does not use."""
PRESETS = {
    "cpu": {
        "ensemble.members": 3,
        "ensemble.judge.steps": 200,
        "ensemble.judge.batch_size": 16,
        "train.steps": 1_500,
        "train.batch_size": 16,
        "train.generator_rate": 1e-3,
        "train.discriminator_rate": 2e-3,
        "train.ema": 0.99,
        "generator.hidden": 16,
        "generator.rounds": 1,
        "discriminator.widths": (16, 32, 48),
    },
    "test": {
        "ensemble.members": 2,
        "ensemble.judge.steps": 10,
        "ensemble.judge.batch_size": 8,
        "train.steps": 10,
        "train.batch_size": 8,
        "train.log_every": 5,
        "train.checkpoint_every": 10,
        "generator.latent": 16,
        "generator.widths": (8, 8),
        "generator.hidden": 4,
        "generator.rounds": 1,
        "discriminator.widths": (8, 8, 8),
        "evaluation.showers": 200,
        "evaluation.bootstrap": 20,
    },
}


def get_config(preset=""):
    """The recipe, whole or as one of `PRESETS`."""
    config = base_config()
    config.system = "adagan"
    del config.init  # its generators are members of an ensemble
    config.data.source = "electron_layered"  # a shipped sample, or the path of a file
    config.data.transform = ml_collections.ConfigDict(dict(name="sqrt", scale=100.0))  # scale in MeV
    config.stages = ("ensemble",)
    config.ensemble = ml_collections.ConfigDict(dict(
        members=4,  # generators, trained one after another
        energy_weight=1.0,  # of the squared error of log E, in standard deviations, in either loss
        judge=dict(steps=2_000, batch_size=64, rate=1e-3)))  # of the classifier that weighs the training showers
    config.generator = ml_collections.ConfigDict(dict(name="volumes", latent=128, widths=(64, 48), hidden=32, rounds=2))
    config.discriminator = ml_collections.ConfigDict(dict(
        name="volumes", widths=(32, 48, 64), embedding=96, spectral_norm=True, gain=5.0))
    keep(config, "train", *(name for name in config.train if name not in UNUSED))
    config.train.update(dict(steps=20_000, batch_size=64))
    config.evaluation.showers = 800
    return apply_preset(config, preset, PRESETS)
