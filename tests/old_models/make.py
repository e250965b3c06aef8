"""Writes today's files of each kind for `tests/test_old_models.py`: python tests/old_models/make.py FOLDER

Files of a version are made once, by that version, and stay as they are: later versions must read them.
"""
import importlib
import pathlib
import sys

import numpy as np

TESTS = pathlib.Path(__file__).parents[1]
sys.path += [str(TESTS / "helpers"), str(TESTS.parent)]

from exporting import GENERATORS, save_run  # noqa: E402

from ecalgen import runs  # noqa: E402
from ecalgen.data.files.formats import load_showers  # noqa: E402
from ecalgen.data.files.writer import save_showers  # noqa: E402
from ecalgen.data.sources import sample_path  # noqa: E402
from ecalgen.sampling.sampler import load_sampler  # noqa: E402
from ecalgen.training.recipe import write_recipe  # noqa: E402

MOMENTUM = np.array([[1.0, 2.0, 20.0], [0.0, -1.0, 40.0], [3.0, -0.5, 9.0]], "f4")
POINT = np.array([[0.1, -0.2], [0.3, 0.4], [-1.5, 2.0]], "f4")
SHOWERS = 1500
"""Of the file that runs are trained on."""
SMALL = {"train.steps": 2, "train.batch_size": 4, "train.log_every": 1, "train.checkpoint_every": 2,
         "evaluation.showers": 6, "evaluation.protocol": "paper", "data.source": "showers.npz"}
NETWORKS = {"generator.widths": (4, 4, 4, 4), "discriminator.widths": (4, 4, 4), "discriminator.embedding": 4,
            "generator.latent": 4}
RUNS = {
    "aux_twostep:test,targets=scalars": SMALL | NETWORKS | {"regressor.steps": 2, "regressor.batch_size": 4,
                                                            "regressor.embedding": 4},
    "anchored:test": SMALL | {"generator.widths": (4, 4, 4), "generator.latent": 4, "discriminator.widths": (4, 4, 4),
                              "discriminator.embedding": 4, "generator.profile_widths": (4, 4), "train.batch_size": 32,
                              "prior.steps": 2, "prior.batch_size": 32},
    "vae:test": SMALL | {"generator.widths": (4, 4, 4), "generator.latent": 4},
    "library:test": {"data.source": "showers.npz", "evaluation.showers": 6, "generator.showers": 20},
}
"""Recipe -> what is smaller."""


def configured(name, changes):
    """The config of a recipe as the command line makes it, with changes."""
    system, _, preset = name.partition(":")
    config = importlib.import_module(f"configs.{system}").get_config(preset)
    for field, value in changes.items():
        section, key = field.split(".")
        if key in config[section]:
            config[section][key] = value
    return config


def main(folder):
    """A folder for each generator, and for each run with its checkpoints."""
    for name in GENERATORS:
        run = save_run(folder / name.replace(", ", "_"), name)
        np.savez_compressed(run / "showers.npz", momentum=MOMENTUM, point=POINT,
                            energy=load_sampler(run)(MOMENTUM, POINT, seed=3))
    showers = load_showers(sample_path("electron_5d"))
    for name, changes in RUNS.items():
        config, run = configured(name, changes), folder / f"run_{name.partition(':')[0]}"
        run.mkdir()
        save_showers("showers.npz", showers[:SHOWERS])
        write_recipe(config, run)
        runs.train(config, run)
        (run / "recipe.txt").write_text(name + "\n")
        np.savez_compressed(run / "showers.npz", momentum=MOMENTUM, point=POINT,
                            energy=load_sampler(run)(MOMENTUM, POINT, seed=3))


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1]).absolute()
    target.mkdir()
    main(target)
