"""The Geant4 electrons shipped with the package, as a TFDS data set, and the splits of these or a user's own showers.

    showers = load_split("ecal_shashlik/electron_5d", "train")
    showers = load_split("mine.npz", "train")

The first is prepared by TFDS on first use. The second needs no TFDS, which is therefore imported only where used.
"""
import functools
import os
import pathlib

import numpy as np

from ecalgen.data.formats import load_showers
from ecalgen.data.showers import CELLS, KEYS, BadShowers, Showers
from ecalgen.errors import ConfigError

NAME = "ecal_shashlik"
SPLITS = ("train", "validation", "test")
SAMPLES = pathlib.Path(__file__).parent / "samples"


def sample_path(name: str = "electron_5d") -> pathlib.Path:
    """The npz of a shipped sample.

    Raises:
      ConfigError: for an unknown name; the message lists those there are.
    """
    names = sorted(path.stem for path in SAMPLES.glob("*.npz"))
    if name not in names:
        raise ConfigError(f"no shipped sample is called {name!r}; there are {', '.join(names)}")
    return SAMPLES / f"{name}.npz"


def split_slices(count: int) -> dict[str, slice]:
    """Which of `count` showers are test (the first 20 %), validation (the next 8 %) and train (the rest).

    Showers are independent of each other and of their index, so contiguous splits are as good as shuffled ones, and
    need no seed.

    Raises:
      BadShowers: for fewer than 10 showers, which would leave a split empty or nearly so.
    """
    if count < 10:
        raise BadShowers(f"{count} showers are too few to split into {', '.join(SPLITS)}; give at least 10")
    test = count // 5
    validation = test + max(1, count * 2 // 25)
    return {"train": slice(validation, count), "validation": slice(test, validation), "test": slice(0, test)}


def load_split(source: str | os.PathLike, split: str, data_dir: str | os.PathLike | None = None) -> Showers:
    """One split of a data set, in the order of its events.

    Args:
      source: `ecal_shashlik` or `ecal_shashlik/<sample>` for a shipped sample, else the path of a file of showers.
      split: `train`, `validation` or `test`.
      data_dir: folder where TFDS keeps the prepared data set; TFDS' own (`~/tensorflow_datasets`) when not given.

    Raises:
      ConfigError: for an unknown split or sample.
      BadShowers: for a faulty file, or one of fewer than 10 showers.
    """
    if split not in SPLITS:
        raise ConfigError(f"unknown split {split!r}; there are {', '.join(SPLITS)}")
    name, _, sample = os.fspath(source).partition("/")
    if name == NAME and not pathlib.Path(source).suffix:
        return _from_tfds(sample or "electron_5d", split, data_dir)
    if not pathlib.Path(source).suffix:
        raise ConfigError(f"unknown data {os.fspath(source)!r}; give {NAME}/electron_5d or the path of a .npz file")
    showers = load_showers(source)
    try:
        return showers[split_slices(len(showers))[split]]
    except BadShowers as error:
        raise BadShowers(f"{os.fspath(source)}: {error}") from error


def _from_tfds(sample, split, data_dir):
    sample_path(sample)
    source = _prepared(sample, data_dir).as_data_source(split=split)
    records = source.__getitems__(range(len(source)))
    return Showers(**{field: np.stack([record[field] for record in records]) for field in KEYS})


def _prepared(sample, data_dir):
    """The builder of a sample, prepared: TFDS writes into a folder of its own and renames that, all or nothing."""
    make = functools.partial(_builder_class(), config=sample, data_dir=data_dir, file_format="array_record")
    builder = make()
    if builder.data_path.exists():
        return builder
    try:
        builder.download_and_prepare()
    except OSError:  # when another process was faster the rename fails, and its data set serves as well
        if not builder.data_path.exists():
            raise
    return make()  # only a builder made afterwards knows what another process has prepared


@functools.cache
def _builder_class():
    import tensorflow_datasets as tfds

    class EcalShashlik(tfds.core.GeneratorBasedBuilder):
        """Geant4 showers in a shashlik calorimeter of 30 x 30 cells; `samples/README.md` is the data card."""

        VERSION = tfds.core.Version("1.0.0")
        url_infos = None  # nothing to download; the look-up needs an undeclared package (tensorflow/datasets#11212)
        RELEASE_NOTES = {"1.0.0": "25,000 electrons, Geant4 11.4.1, seed 20180709."}
        BUILDER_CONFIGS = [tfds.core.BuilderConfig(
            name="electron_5d", description="Electrons of 1 to 100 GeV; energy, direction and entry point vary.")]

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self,
                description=self.__doc__,
                features=tfds.features.FeaturesDict({
                    "energy": tfds.features.Tensor(shape=(CELLS, CELLS), dtype=np.float32, doc="[ix, iy], MeV"),
                    "momentum": tfds.features.Tensor(shape=(3,), dtype=np.float32, doc="GeV"),
                    "point": tfds.features.Tensor(shape=(2,), dtype=np.float32, doc="on the front face, cm"),
                    "pdg": tfds.features.Scalar(dtype=np.int32, doc="particle code"),
                }),
                disable_shuffling=True,
            )

        def _split_generators(self, dl_manager):
            showers = load_showers(sample_path(self.builder_config.name))
            slices = split_slices(len(showers))
            return {split: self._generate_examples(showers[slices[split]]) for split in SPLITS}

        def _generate_examples(self, showers):
            for index in range(len(showers)):
                yield index, {field: getattr(showers, field)[index] for field in KEYS}

    return EcalShashlik


def __getattr__(name):
    """`EcalShashlik`, the TFDS builder: made and registered with TFDS on first use, so that npz files need no TFDS."""
    if name == "EcalShashlik":
        return _builder_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
