"""The anchored GAN: a network corrects a prior fitted by likelihood, against a critic that sees observables.

    python -m ecalgen.main --config=configs/anchored.py         # full: one GPU or TPU
    python -m ecalgen.main --config=configs/anchored.py:cpu     # about ten minutes on two cores
    python -m ecalgen.main --config=configs/anchored.py:test    # minutes: does everything run?
    python -m ecalgen.main --config=configs/anchored.py:cpu,size=light    # a smaller generator, for speed
    python -m ecalgen.main --config=configs/anchored.py:cpu,size=deep     # the prior alone, for cells in depth

`cpu` took 337 s of training on two cores of AMD EPYC. Its PRD-AUC was 0.937 (physics; 0.931 between real sets) and
0.967 (raw; 0.933) on 5,000 `test` showers (experiments/results/anchored_cpu.json).
"""
import ml_collections
from ecalgen.configs.base import apply_preset, name_choices, split_options
from ecalgen.configs.base import get_config as base_config

SIZES = {
    "usual": {},
    "light": {"generator.profile_widths": (16, 16), "generator.network": "cells", "generator.widths": (16, 16, 16),
              "generator.latent": 16},
    "deep": {"stages": ("prior",), "generator.correction": False, "generator.shape": 16, "generator.spectrum": True,
             "generator.shared": True, "generator.mixture": 8,
             "generator.profile_widths": (24, 24), "generator.network": "cells", "generator.widths": (24, 24, 24),
             "generator.latent": 32},
}
"""Name -> the fields that it changes."""
PRESETS = {
    "cpu": {
        "train.steps": 5_000,
        "train.batch_size": 32,
    },
    "test": {
        "prior.steps": 20,
        "prior.batch_size": 8,
        "train.steps": 20,
        "train.batch_size": 8,
        "train.log_every": 5,
        "train.checkpoint_every": 10,
        "generator.widths": (8, 8, 8),
        "discriminator.widths": (8, 8, 8),
        "evaluation.showers": 200,
        "evaluation.bootstrap": 20,
    },
}


def get_config(preset=""):
    """The recipe, whole or as one of `PRESETS`, with `size=` one of `SIZES`.

    Raises:
      ValueError: an unknown preset, option or size.
    """
    preset, chosen = split_options(preset, size=SIZES)
    config = base_config()
    config.system = "anchored"
    config.stages = ("prior", "gan")
    config.data.transform = ml_collections.ConfigDict(dict(name="none"))
    config.train.constant_fraction = 0.25
    config.train.final_fraction = 0.01  # images gain most: experiments/results/anchored_pilots.md
    config.prior = ml_collections.ConfigDict(dict(
        steps=2_000,
        batch_size=64,
        rate=3e-3))  # learning rate of Adam at the start; it falls along a cosine
    config.generator = ml_collections.ConfigDict(dict(
        name="anchored", shape=4, profile="fitted", profile_widths=(32, 32), spectrum=False, shared=False,
        corners=False, mixture=0, total=True, correction=True, sight=True, correlated=True, by_hits=False, octant=True,
        network="convolutions", latent=64, widths=(36, 36, 24), attention=0, spectral_norm=False))
    config.discriminator = ml_collections.ConfigDict(dict(
        name="physics", widths=(24, 36, 48), observables=True, octant=True, attention=0, spectral_norm=True,
        embedding=96, gain=5.0))
    config.update_from_flattened_dict(SIZES[chosen["size"]])
    return name_choices(apply_preset(config, preset, PRESETS), chosen, size=SIZES)
