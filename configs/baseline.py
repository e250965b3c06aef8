"""The plain GAN: self-attention, spectral norm in both networks, and hinge loss, after the papers' GAN.

Rogachev and Ratnikov 2021, EPJ Web Conf. 251, 03043; the "Baseline" of table 1 in Rogachev and Ratnikov 2023
(physics PRD-AUC 0.877, raw 0.669, on data that are not ours).

The recipe is the result of a search (experiments/sweeps/search.py). The generator has noise for every cell, the octant,
and cells in units of the root of the energy. The projection discriminator has no gain, sees squares of cells, and its
gradient is penalised every eighth step. On a CPU the rates are halved. The search's best recipe had a gain of 2.
`recipe=paper` leaves these out. It still differs from the papers' GAN: the logit has a gain of 5, noise and particle
scale and shift every map of the generator (FiLM), maps are divided by their root mean square in place of batch
normalisation, and the last ReLU passes a tenth of the gradient at silent cells (docs/sagan.md).

    python -m ecalgen.main --config=configs/baseline.py                     # full: one GPU or TPU
    python -m ecalgen.main --config=configs/baseline.py:cpu                 # 13 minutes on one core
    python -m ecalgen.main --config=configs/baseline.py:cpu,recipe=paper    # without the results of the search
    python -m ecalgen.main --config=configs/baseline.py:test                # minutes: does everything run?

`cpu` took 749 s of training on one core of AMD EPYC. Its PRD-AUC was 0.893 (physics; 0.966 between real sets) and 0.978
(raw; 0.962) on 10,000 `selection` showers. `cpu,recipe=paper` took 437 s and reached 0.409 and 0.832
(experiments/results/lineage.json: `baseline`, and `sagan, spectral norm in G and D`).
"""
import ml_collections
from ecalgen.configs.base import apply_preset, name_choices, split_options
from ecalgen.configs.base import get_config as base_config

RECIPES = {
    "found": {"generator.cell_noise": 2, "generator.octant": True, "generator.unit": "root",
              "discriminator.octant": True, "discriminator.unit": "root", "discriminator.conditioning": "projection",
              "discriminator.squares": True, "discriminator.gain": 1.0, "train.r1": 0.004, "train.r1_every": 8},
    "paper": {},
}
"""Name -> the fields that it changes."""
PRESETS = {
    "cpu": {
        "train.steps": 3_000,
        "train.batch_size": 32,
        "train.generator_rate": 5e-4,
        "train.discriminator_rate": 1e-3,
        "train.ema": 0.995,
        "generator.attention": 8,  # attention over 16x16 cells takes as long as all the rest on a CPU
        "discriminator.attention": 8,
    },
    "test": {
        "train.steps": 20,
        "train.batch_size": 8,
        "train.log_every": 5,
        "train.checkpoint_every": 10,
        "generator.widths": (8, 8, 8, 8),
        "discriminator.widths": (8, 8, 8),
        "evaluation.showers": 200,
        "evaluation.bootstrap": 20,
    },
}


def get_config(preset=""):
    """The recipe, whole or as one of `PRESETS`, with `recipe=` one of `RECIPES`.

    Raises:
      ValueError: an unknown preset, option or recipe.
    """
    preset, chosen = split_options(preset, recipe=RECIPES)
    config = base_config()
    config.system = "baseline"
    config.generator = ml_collections.ConfigDict(dict(
        name="plain", latent=64, widths=(64, 64, 32, 16), attention=16, spectral_norm=True, conditioning="projection",
        cell_noise=0, unit="none", octant=False))
    config.discriminator = ml_collections.ConfigDict(dict(
        name="plain", widths=(32, 64, 128), attention=16, spectral_norm=True, conditioning="concatenation",
        embedding=64, gain=5.0, learnt_gain=False, unit="none", squares=False, octant=False))
    config.update_from_flattened_dict(RECIPES[chosen["recipe"]])
    return name_choices(apply_preset(config, preset, PRESETS), chosen, recipe=RECIPES)
