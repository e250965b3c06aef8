"""The Geant4 showers shipped with the package, as a TFDS data set, and the splits of these or a user's own showers.

    showers = load_split("ecal_shashlik/electron_5d", "train")
    showers = load_split("mine.npz", "train")
    stream = open_stream("huge.root", on_device=200_000)

The first is prepared by TFDS on first use, and so is the third, to be read in any order. The second needs no TFDS,
which is therefore imported only where used.
"""
import dataclasses
import functools
import os
import pathlib
import re
import zlib

import numpy as np
from absl import logging

from ecalgen.data.formats import FORMATS, count_showers, iter_showers
from ecalgen.data.showers import CELLS, KEYS, BadShowers, Showers
from ecalgen.data.stream import Stream, import_grain, read_records
from ecalgen.errors import ConfigError

NAME = "ecal_shashlik"
SPLITS = ("train", "validation", "test")
SAMPLES = pathlib.Path(__file__).parent / "samples"
SHIPPED = {
    "electron_5d": "Electrons of 1 to 100 GeV; energy, direction and entry point vary.",
    "electron_1d": "Electrons of 1 to 100 GeV at normal incidence in the centre; only the energy varies.",
    "photon_5d": "Photons of 1 to 100 GeV; energy, direction and entry point vary.",
}
"""Shipped sample -> what it holds."""
LARGEST = {"test": 10_000, "validation": 4_000}
"""Showers that these splits hold at most, however many there are."""


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

    Test and validation stop growing at 10,000 and 4,000. Showers are independent of each other and of their index, so
    contiguous splits are as good as shuffled ones, and need no seed.

    Raises:
      BadShowers: for fewer than 10 showers, which would leave a split empty or nearly so.
    """
    if count < 10:
        raise BadShowers(f"{count} showers are too few to split into {', '.join(SPLITS)}; give at least 10")
    test = min(count // 5, LARGEST["test"])
    validation = test + min(max(1, count * 2 // 25), LARGEST["validation"])
    return {"train": slice(validation, count), "validation": slice(test, validation), "test": slice(0, test)}


def load_split(source: str | os.PathLike, split: str, data_dir: str | os.PathLike | None = None,
               limit: int | None = None, conventions: str = "detect") -> Showers:
    """One split of a data set, in the order of its events.

    Args:
      source: `ecal_shashlik` or `ecal_shashlik/<sample>` for a shipped sample, else the path of a file of showers.
      split: `train`, `validation` or `test`.
      data_dir: folder where TFDS keeps the prepared data set; TFDS' own (`~/tensorflow_datasets`) when not given.
      limit: read no more than the first so many.
      conventions: of a file, `detect` or `as_is`; see `formats.load_showers`.

    Raises:
      ConfigError: for an unknown split or sample.
      BadShowers: for a faulty file, or one of fewer than 10 showers.
    """
    if split not in SPLITS:
        raise ConfigError(f"unknown split {split!r}; there are {', '.join(SPLITS)}")
    path = _own_file(source)
    if path is None:
        records = prepared(source, data_dir).as_data_source(split=split)
        return read_records(records, range(min(len(records), limit or len(records))))
    rows = _file_splits(path)[split]
    blocks = list(_rows(path, slice(rows.start, min(rows.stop, rows.start + (limit or rows.stop))), conventions))
    return Showers(*(np.concatenate([getattr(block, field) for block in blocks]) for field in KEYS))


def open_stream(source: str | os.PathLike, data_dir: str | os.PathLike | None = None, on_device: int = 200_000,
                seed: int = 0, conventions: str = "detect") -> Stream | None:
    """The training split in shuffled blocks of half of `on_device` showers, or None when all of it may lie there.

    A file is first prepared by TFDS, once. Arguments and errors as for `load_split`.
    """
    path = _own_file(source)
    if path is not None:
        rows = _file_splits(path)["train"]
        if rows.stop - rows.start <= on_device:
            return None
        import_grain()  # that it is missing is better known before a large file is prepared
    records = prepared(source, data_dir, conventions).as_data_source(split="train")
    return Stream(records, seed, max(1, on_device // 2)) if len(records) > on_device else None


def _own_file(source):
    """The path of a user's file, or None for a shipped sample."""
    path = pathlib.Path(source)
    name, _, sample = os.fspath(source).partition("/")
    if path.suffix:
        return path
    if name != NAME:
        raise ConfigError(f"unknown data {os.fspath(source)!r}; give {NAME}/electron_5d or the path of a file of "
                          f"showers ({', '.join(FORMATS)})")
    sample_path(sample or "electron_5d")
    return None


def _file_splits(path):
    try:
        return split_slices(count_showers(path))
    except BadShowers as error:
        raise BadShowers(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error


def _rows(path, rows, conventions):
    """The showers of a file in a slice, in blocks."""
    first = 0
    for block in iter_showers(path, conventions=conventions):
        inside = slice(max(rows.start - first, 0), max(rows.stop - first, 0))
        first += len(block)
        if inside.start < len(block) and inside.stop > 0:
            yield block[inside]
        if first >= rows.stop:
            return


def prepared(source: str | os.PathLike, data_dir: str | os.PathLike | None = None, conventions: str = "detect"):
    """The TFDS builder of a sample or a user's file, prepared: TFDS writes a folder of its own, all or nothing.

        prepared("mine.root").as_data_source("train")

    Arguments and errors as for `load_split`.
    """
    make = lambda: _quietly(_builder_class(), config=_builder_config(source, conventions), data_dir=data_dir,
                            file_format="array_record")
    builder = make()
    if builder.data_path.exists():
        return builder
    try:
        builder.download_and_prepare()
    except OSError:  # when another process was faster the rename fails, and its data set serves as well
        if not builder.data_path.exists():
            raise
    return make()  # only a builder made afterwards knows what another process has prepared


def _quietly(function, **arguments):
    """A call without the warning of TFDS that a user's file is none of the data sets it knows."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        return function(**arguments)
    finally:
        logging.set_verbosity(before)


def _builder_config(source, conventions):
    """The name of a shipped sample, or the config of a file: one that has changed since is another data set."""
    path = _own_file(source)
    if path is None:
        return os.fspath(source).partition("/")[2] or "electron_5d"
    status, path = path.stat(), path.absolute()
    identity = zlib.crc32(repr((str(path), status.st_size, status.st_mtime_ns, conventions)).encode())
    return _file_config_class()(name=f"{re.sub('[^A-Za-z0-9]+', '_', path.stem)}_{identity:08x}", path=str(path),
                                conventions=conventions, description=f"Showers of {path.name}.")


@functools.cache
def _file_config_class():
    import tensorflow_datasets as tfds

    @dataclasses.dataclass
    class FileConfig(tfds.core.BuilderConfig):
        """The showers of a file."""

        path: str = ""
        conventions: str = "as_is"

    return FileConfig


@functools.cache
def _builder_class():
    import tensorflow_datasets as tfds

    class EcalShashlik(tfds.core.GeneratorBasedBuilder):
        """Geant4 showers in a shashlik calorimeter of 30 x 30 cells; `samples/README.md` is the data card."""

        VERSION = tfds.core.Version("2.0.0")
        url_infos = None  # nothing to download; the look-up needs an undeclared package (tensorflow/datasets#11212)
        RELEASE_NOTES = {"1.0.0": "25,000 electrons, Geant4 11.4.1, seed 20180709.",
                         "2.0.0": "More electrons of the same sequence; the 1D case; photons."}
        BUILDER_CONFIGS = [_file_config_class()(name=name, path=f"{NAME}/{name}", description=description)
                           for name, description in SHIPPED.items()]

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
            path = _own_file(self.builder_config.path) or sample_path(self.builder_config.name)
            return {split: self._generate_examples(path, rows) for split, rows in _file_splits(path).items()}

        def _generate_examples(self, path, rows):
            index = 0
            for block in _rows(path, rows, self.builder_config.conventions):
                for row in range(len(block)):
                    yield index, {field: getattr(block, field)[row] for field in KEYS}
                    index += 1

    return EcalShashlik


def __getattr__(name):
    """`EcalShashlik`, the TFDS builder: made and registered with TFDS on first use, so that files need no TFDS."""
    if name == "EcalShashlik":
        return _builder_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
