"""The Geant4 showers shipped with the package as a TFDS data set, and the splits of these or a user's own showers.

    showers = load_split("ecal_shashlik/electron_5d", "train")
    showers = load_split("mine.npz", "train")
    stream = open_stream("huge.root", on_device=200_000)

TFDS prepares the first on first use, and the third so that its rows can be read in any order. The second is read as it
is. `ecalgen.data.sources` says which splits there are.
"""
import contextlib
import dataclasses
import io
import os
import re
import zlib

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from ecalgen.data.files.formats import find_grid, load_showers
from ecalgen.data.files.layout import Layout
from ecalgen.data.grid import SHASHLIK, Grid
from ecalgen.data.showers import KEYS, Showers
from ecalgen.data.sources import (
    NAME,
    SHIPPED,
    SPLITS,
    USUAL,
    is_shipped,
    own_file,
    row_blocks,
    sample_name,
    sample_path,
    split_rows,
)
from ecalgen.data.stream import Stream, import_grain, read_records
from ecalgen.errors import ConfigError


@dataclasses.dataclass
class FileConfig(tfds.core.BuilderConfig):
    """The showers of a file.

    Args:
      path: of the file, or `ecal_shashlik/<sample>`.
      conventions: `detect` or `as_is`; see `formats.load_showers`.
      layout: of the file.
      grid: of its cells.
    """

    path: str = ""
    conventions: str = "as_is"
    layout: Layout = USUAL
    grid: Grid = SHASHLIK


class EcalShashlik(tfds.core.GeneratorBasedBuilder):
    """Geant4 showers in a shashlik calorimeter of 30 x 30 cells; `samples/README.md` is the data card."""

    VERSION = tfds.core.Version("3.0.0")
    url_infos = None  # nothing to download; the look-up needs an undeclared package (tensorflow/datasets#11212)
    RELEASE_NOTES = {"1.0.0": "25,000 electrons, Geant4 11.4.1, seed 20180709.",
                     "2.0.0": "More electrons of the same sequence; the 1D case; photons.",
                     "3.0.0": "A test split of its own; the one before is now `selection`. Files split at random."}
    BUILDER_CONFIGS = [FileConfig(name=name, path=f"{NAME}/{name}", description=description)
                       for name, description in SHIPPED.items()]

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict({
                "energy": tfds.features.Tensor(shape=self.builder_config.grid.shape, dtype=np.float32,
                                               doc="[ix, iy], MeV"),
                "momentum": tfds.features.Tensor(shape=(3,), dtype=np.float32, doc="GeV"),
                "point": tfds.features.Tensor(shape=(2,), dtype=np.float32, doc="on the front face, cm"),
                "pdg": tfds.features.Scalar(dtype=np.int32, doc="particle code"),
            }),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        path = own_file(self.builder_config.path) or sample_path(self.builder_config.name)
        return {split: self._generate_examples(*part)
                for split, part in split_rows(path, self.builder_config.layout).items()}

    def _generate_examples(self, path, rows):
        index = 0
        for block in row_blocks(path, np.sort(rows), self.builder_config.conventions, self.builder_config.layout):
            for row in range(len(block)):
                yield index, {field: getattr(block, field)[row] for field in KEYS}
                index += 1


def load_split(source: str | os.PathLike, split: str, data_dir: str | os.PathLike | None = None,
               limit: int | None = None, conventions: str = "detect", layout: Layout = USUAL) -> Showers:
    """One split of a data set: of a shipped sample in the order of its events, of a file in a random order.

    Args:
      source: `ecal_shashlik` or `ecal_shashlik/<sample>` for a shipped sample, else the path of a file of showers.
      split: `train`, `validation` or `test`, and of `ecal_shashlik/electron_5d` also `selection`.
      data_dir: folder where TFDS keeps the prepared data set; TFDS' own (`~/tensorflow_datasets`) when not given.
      limit: read only the first `limit` showers; all when None.
      conventions: of a file, `detect` or `as_is`; see `formats.load_showers`.
      layout: of a file: names of its columns, its tree, and the grid of its cells where it does not say it.

    Raises:
      ConfigError: for an unknown split or sample.
      BadShowers: for a faulty file, or one of fewer than 10 showers.
    """
    if split not in SPLITS:
        raise ConfigError(f"unknown split {split!r}; there are {', '.join(SPLITS)}")
    path = own_file(source)
    builder = None if path else prepared(source, data_dir)
    parts = split_rows(path, layout) if path else builder.info.splits
    if split not in parts:
        raise ConfigError(f"{os.fspath(source)} has no split {split!r}; it has {', '.join(parts)}")
    if builder:
        records = builder.as_data_source(split=split)
        return read_records(records, range(min(len(records), limit or len(records))), SHASHLIK)
    file, rows = parts[split]
    rows = rows[:limit]
    blocks = list(row_blocks(file, np.sort(rows), conventions, layout))
    showers = Showers(*(np.concatenate([getattr(block, field) for block in blocks]) for field in KEYS),
                      grid=blocks[0].grid)
    return showers if (np.diff(rows) > 0).all() else showers[np.argsort(np.argsort(rows))]


def count_split(source: str | os.PathLike, split: str, data_dir: str | os.PathLike | None = None,
                layout: Layout = USUAL) -> int:
    """How many showers a split holds, without reading them: arguments and errors as for `load_split`."""
    path = own_file(source)
    if path is None:
        return prepared(source, data_dir).info.splits[split].num_examples
    return len(split_rows(path, layout)[split][1])


def load_repeated(source: str | os.PathLike) -> Showers | None:
    """Second Geant4 showers of the first particles of the test split, where the sample ships them.

    Args:
      source: as of `load_split`.
    """
    path = own_file(source) or sample_path(sample_name(source))
    again = path.with_name(f"{path.stem}_repeated.npz")
    return load_showers(again) if is_shipped(path) and again.exists() else None


def open_stream(source: str | os.PathLike, data_dir: str | os.PathLike | None = None, *, on_device: int,
                seed: int = 0, conventions: str = "detect", layout: Layout = USUAL) -> Stream | None:
    """The training split in shuffled blocks of half of `on_device` showers, or None when all of it may lie there.

    A file is first prepared by TFDS, once. Arguments and errors as for `load_split`.
    """
    path = own_file(source)
    if path is not None:
        if len(split_rows(path, layout)["train"][1]) <= on_device:
            return None
        import_grain()  # that it is missing is better known before a large file is prepared
    builder = prepared(source, data_dir, conventions, layout)
    records = builder.as_data_source(split="train")
    cells = SHASHLIK if path is None else builder.builder_config.grid
    return Stream(records, seed, max(1, on_device // 2), cells) if len(records) > on_device else None


def prepared(source: str | os.PathLike, data_dir: str | os.PathLike | None = None, conventions: str = "detect",
             layout: Layout = USUAL):
    """The TFDS builder of a sample or a user's file, prepared: TFDS writes a folder of its own, all or nothing.

        prepared("mine.root").as_data_source("train")

    Arguments and errors as for `load_split`.
    """
    make = lambda: _quietly(EcalShashlik, config=_builder_config(source, conventions, layout), data_dir=data_dir,
                            file_format="array_record")
    builder = make()
    if builder.data_path.exists():
        return builder
    print(f"preparing the showers of {source} for TFDS, once", flush=True)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # which speaks of a download; its bars go elsewhere
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


def _builder_config(source, conventions, layout):
    """The name of a shipped sample, or the config of a file: one that has changed since is another data set."""
    path = own_file(source)
    if path is None:
        return sample_name(source)
    status, path, grid = path.stat(), path.absolute(), find_grid(path, **vars(layout))
    identity = zlib.crc32(repr((str(path), status.st_size, status.st_mtime_ns, conventions, layout, grid)).encode())
    return FileConfig(name=f"{re.sub('[^A-Za-z0-9]+', '_', path.stem)}_{identity:08x}", path=str(path),
                      conventions=conventions, layout=layout, grid=grid, description=f"Showers of {path.name}.")
