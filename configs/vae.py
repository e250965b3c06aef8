"""The conditional variational autoencoder, with a compound Poisson distribution of each cell's energy.

    python -m ecalgen.main --config=configs/vae.py          # full: one GPU or TPU
    python -m ecalgen.main --config=configs/vae.py:cpu      # 5 minutes on one core
    python -m ecalgen.main --config=configs/vae.py:test     # minutes: does everything run?

`cpu` took 293 s of training on one core of AMD EPYC. Its PRD-AUC was 0.960 (physics; 0.966 between real sets) and 0.979
(raw; 0.962) on 10,000 `selection` showers (experiments/results/lineage.json).
"""
import ml_collections
from ecalgen.configs.base import apply_preset, keep
from ecalgen.configs.base import get_config as base_config

PRESETS = {
    "cpu": {
        "vae.steps": 6_000,
        "vae.batch_size": 32,
    },
    "test": {
        "vae.steps": 20,
        "vae.batch_size": 8,
        "train.log_every": 5,
        "train.checkpoint_every": 10,
        "generator.widths": (8, 8, 8),
        "evaluation.showers": 200,
        "evaluation.bootstrap": 20,
    },
}


def get_config(preset=""):
    """The recipe, whole or as one of `PRESETS`."""
    config = base_config()
    config.system = "vae"
    config.stages = ("vae",)
    config.data.transform = ml_collections.ConfigDict(dict(name="none"))
    keep(config, "train", "clip", "log_every", "checkpoint_every", "divergence")
    config.vae = ml_collections.ConfigDict(dict(
        steps=50_000,
        batch_size=256,
        rate=2e-3,
        beta=1.0))  # weight of the Kullback-Leibler divergence
    config.generator = ml_collections.ConfigDict(dict(
        name="vae", latent=16, widths=(64, 64, 48), attention=0, octant=True))
    return apply_preset(config, preset, PRESETS)
