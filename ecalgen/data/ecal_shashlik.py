"""The Geant4 showers shipped with the package, as a TFDS data set, and the splits of these or a user's own showers.

    showers = load_split("ecal_shashlik/electron_5d", "train")
    showers = load_split("mine.npz", "train")
    stream = open_stream("huge.root", on_device=200_000)

The first is prepared by TFDS on first use, and so is the third, to be read in any order. The second needs no TFDS,
which is therefore imported only where used.

The electrons that ship have four splits. `train` and `validation` are for training. `selection` is for every choice
between recipes or models. `test` is a production of its own, which no choice has seen. Other files have no `selection`.
"""
import dataclasses
import functools
import os
import pathlib
import re
import zlib

import numpy as np
from absl import logging

from ecalgen.data.files.formats import FORMATS, count_showers, iter_showers, load_showers
from ecalgen.data.showers import CELLS, KEYS, BadShowers, Showers
from ecalgen.data.splits import drawn_splits, ordered_splits
from ecalgen.data.stream import Stream, import_grain, read_records
from ecalgen.errors import ConfigError

NAME = "ecal_shashlik"
SPLITS = ("train", "validation", "selection", "test")
SAMPLES = pathlib.Path(__file__).parent / "samples"
SHIPPED = {
    "electron_5d": "Electrons of 1 to 100 GeV; energy, direction and entry point vary.",
    "electron_1d": "Electrons of 1 to 100 GeV at normal incidence in the centre; only the energy varies.",
    "photon_5d": "Photons of 1 to 100 GeV; energy, direction and entry point vary.",
}
"""Shipped sample -> what it holds."""
DEFAULT = "electron_5d"
def sample_path(name: str = "electron_5d") -> pathlib.Path:
    """The npz of a shipped sample.

    Raises:
      ConfigError: for an unknown name; the message lists those there are.
    """
    names = sorted(path.stem for path in SAMPLES.glob("*.npz"))
    if name not in names:
        raise ConfigError(f"no shipped sample is called {name!r}; there are {', '.join(names)}")
    return SAMPLES / f"{name}.npz"


def load_split(source: str | os.PathLike, split: str, data_dir: str | os.PathLike | None = None,
               limit: int | None = None, conventions: str = "detect") -> Showers:
    """One split of a data set: of a shipped sample in the order of its events, of a file in a random order.

    Args:
      source: `ecal_shashlik` or `ecal_shashlik/<sample>` for a shipped sample, else the path of a file of showers.
      split: `train`, `validation` or `test`, and of `ecal_shashlik/electron_5d` also `selection`.
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
    builder = None if path else prepared(source, data_dir)
    parts = split_rows(path) if path else builder.info.splits
    if split not in parts:
        raise ConfigError(f"{os.fspath(source)} has no split {split!r}; it has {', '.join(parts)}")
    if builder:
        records = builder.as_data_source(split=split)
        return read_records(records, range(min(len(records), limit or len(records))))
    file, rows = parts[split]
    rows = rows[:limit]
    blocks = list(_blocks(file, np.sort(rows), conventions))
    showers = Showers(*(np.concatenate([getattr(block, field) for block in blocks]) for field in KEYS))
    return showers if (np.diff(rows) > 0).all() else showers[np.argsort(np.argsort(rows))]


def count_split(source: str | os.PathLike, split: str, data_dir: str | os.PathLike | None = None) -> int:
    """How many showers a split holds, without reading them: arguments and errors as for `load_split`."""
    path = _own_file(source)
    if path is None:
        return prepared(source, data_dir).info.splits[split].num_examples
    return len(split_rows(path)[split][1])


def split_rows(path: pathlib.Path) -> dict[str, tuple[pathlib.Path, np.ndarray]]:
    """Split -> the file that holds it and its rows there, in the order of the split.

    A file of a user's is split at random (`splits.drawn_splits`), a shipped sample in its order. A shipped sample with
    a test file of its own calls `selection` what would be its test split.

    Raises:
      BadShowers: for a faulty file, or one of fewer than 10 showers.
    """
    shipped = _is_shipped(path)
    divide = ordered_splits if shipped else drawn_splits
    try:
        parts = {split: (path, rows) for split, rows in divide(count_showers(path)).items()}
    except BadShowers as error:
        raise BadShowers(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    test = path.with_name(f"{path.stem}_test.npz")
    if shipped and test.exists():
        parts |= {"selection": parts["test"], "test": (test, np.arange(count_showers(test)))}
    return {split: parts[split] for split in SPLITS if split in parts}


def load_repeated(source: str | os.PathLike) -> Showers | None:
    """Second Geant4 showers of the first particles of the test split, where the sample ships them.

    Args:
      source: as of `load_split`.
    """
    path = _own_file(source) or _sample(source)
    again = path.with_name(f"{path.stem}_repeated.npz")
    return load_showers(again) if _is_shipped(path) and again.exists() else None


def open_stream(source: str | os.PathLike, data_dir: str | os.PathLike | None = None, on_device: int = 200_000,
                seed: int = 0, conventions: str = "detect") -> Stream | None:
    """The training split in shuffled blocks of half of `on_device` showers, or None when all of it may lie there.

    A file is first prepared by TFDS, once. Arguments and errors as for `load_split`.
    """
    path = _own_file(source)
    if path is not None:
        if len(split_rows(path)["train"][1]) <= on_device:
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
    if (sample or DEFAULT) not in SHIPPED:
        raise ConfigError(f"no shipped sample is called {sample!r}; there are {', '.join(SHIPPED)}")
    return None


def _sample(source):
    """The npz of a shipped sample, of which `source` is the name."""
    return sample_path(_sample_name(source))


def _sample_name(source):
    """`ecal_shashlik/electron_5d` -> `electron_5d`, which is also the default."""
    return os.fspath(source).partition("/")[2] or DEFAULT


def _is_shipped(path):
    """Whether a file lies among the shipped samples."""
    return path.parent.resolve() == SAMPLES.resolve()


def _blocks(path, rows, conventions):
    """The showers of a file in these rows, which ascend, in blocks."""
    first = 0
    for block in iter_showers(path, conventions=conventions):
        inside = rows[np.searchsorted(rows, first):np.searchsorted(rows, first + len(block))] - first
        first += len(block)
        if len(inside):
            yield block[inside]
        if first > rows[-1]:
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
        return _sample_name(source)
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

        VERSION = tfds.core.Version("3.0.0")
        url_infos = None  # nothing to download; the look-up needs an undeclared package (tensorflow/datasets#11212)
        RELEASE_NOTES = {"1.0.0": "25,000 electrons, Geant4 11.4.1, seed 20180709.",
                         "2.0.0": "More electrons of the same sequence; the 1D case; photons.",
                         "3.0.0": "A test split of its own; the one before is now `selection`. Files split at random."}
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
            return {split: self._generate_examples(*part) for split, part in split_rows(path).items()}

        def _generate_examples(self, path, rows):
            index = 0
            for block in _blocks(path, np.sort(rows), self.builder_config.conventions):
                for row in range(len(block)):
                    yield index, {field: getattr(block, field)[row] for field in KEYS}
                    index += 1

    return EcalShashlik


def __getattr__(name):
    """`EcalShashlik`, the TFDS builder: made and registered with TFDS on first use, so that files need no TFDS."""
    if name == "EcalShashlik":
        return _builder_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
