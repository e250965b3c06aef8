"""The shower library: stored Geant4 showers, each of which represents the particles nearest to its own.

    python -m ecalgen.main --config=configs/library.py          # all training showers
    python -m ecalgen.main --config=configs/library.py:cpu      # the same
    python -m ecalgen.main --config=configs/library.py:test     # 300 of them

`cpu` took 3 s on one core of AMD EPYC. Its PRD-AUC was 0.968 (physics; 0.966 between real sets) and 0.981 (raw; 0.962)
on 10,000 `selection` showers (experiments/results/lineage.json).
"""
import ml_collections
from ecalgen.configs.base import apply_preset, keep
from ecalgen.configs.base import get_config as base_config

PRESETS = {
    "cpu": {},
    "test": {
        "generator.showers": 300,
        "evaluation.showers": 200,
        "evaluation.bootstrap": 20,
    },
}


def get_config(preset=""):
    """The recipe, whole or as one of `PRESETS`."""
    config = base_config()
    config.system = "library"
    del config.init  # a library is filled, not trained
    config.stages = ("library",)
    config.data.transform = ml_collections.ConfigDict(dict(name="none"))
    config.generator = ml_collections.ConfigDict(dict(
        name="library", showers=46_000, scales=(0.5, 1.0, 1.0, 1.0, 1.0), neighbours=1, shift=False, octant=True))
    keep(config, "train", "steps", "batch_size", "log_every", "checkpoint_every", "divergence")
    config.train.update(dict(steps=1, log_every=1, checkpoint_every=1))
    return apply_preset(config, preset, PRESETS)
