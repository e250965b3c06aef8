"""The recipe of a run: its checks before any work, how it is kept in the run's folder, and where its showers lie."""
import dataclasses
import json
import pathlib

import ml_collections

from ecalgen.data.ecal_shashlik import count_split, load_repeated, load_split, open_stream
from ecalgen.data.files.binning import read_binning
from ecalgen.data.files.layout import COMPONENTS, Layout
from ecalgen.data.grid import GRIDS, OLD, OLD_ENSEMBLES, SHASHLIK, Domain, Grid
from ecalgen.data.sources import USUAL, own_file
from ecalgen.data.transforms import make_transform
from ecalgen.errors import ConfigError, RunError
from ecalgen.machine.files import write_text
from ecalgen.machine.lock import locked
from ecalgen.machine.records import read_recipe, shown
from ecalgen.models.build import build_discriminator, build_generator
from ecalgen.training.checks import check_ensemble, check_seed, check_stages, check_train

FREE = ("evaluation.", "tensorboard")
"""Beginnings of the fields that are no part of the recipe and may change between two commands."""
SINCE = {"init": None, "data.conventions": "detect", "data.on_device": 200_000, "train.r2": 0.0,
         "train.energy_score": 0.0, "train.energy_features": "observables", "train.warmup": 0,
         "generator.spectrum": False, "generator.shared": False, "generator.corners": False,
         "generator.by_hits": False, "generator.mixture": 0, "regressor.early": False,
         "regressor.adversarial_gradient": True}
"""Fields that recipes of older versions lack -> the value that stands for their absence."""
OF_RUNS = ("init", "data.", "train.")
"""Beginnings of those of these fields that a run reads, the last one in a GAN; networks have defaults of their own."""
UNREAD = ("train.", "data.")
"""Beginnings of the fields of which older versions wrote some that nothing reads."""


@dataclasses.dataclass(frozen=True)
class Source:
    """The showers of a run, split by split.

    Args:
      name: of a TFDS data set, or the path of a file.
      folder: of TFDS; its own when None.
      conventions: of a file, `detect` or `as_is`.
      on_device: training showers at most; more of them stream.
      layout: of a file: names of its columns, its tree, and its grid where it does not say it.
    """

    name: str
    folder: str | None
    conventions: str
    on_device: int
    layout: Layout = USUAL

    def load(self, split, limit=None):
        """The first `limit` showers of a split; all when None."""
        return load_split(self.name, split, self.folder, limit, self.conventions, self.layout)

    def count(self, split):
        """How many showers a split holds, from the file's header."""
        return count_split(self.name, split, self.folder, self.layout)

    def stream(self, seed):
        """The training split as a `Stream`, or None where all of it may lie on the device."""
        return open_stream(self.name, self.folder, on_device=self.on_device, seed=seed, conventions=self.conventions,
                           layout=self.layout)

    def repeated(self):
        """Second Geant4 showers of the first test particles, or None where there are none."""
        return load_repeated(self.name)


def source_of(config):
    """The `Source` that `config.data` describes."""
    data = config.data
    return Source(data.source, data.dir, data.conventions, data.on_device, layout_of(data))


def layout_of(data):
    """The `Layout` of the file of showers that `config.data` describes.

    Raises:
      ConfigError: the errors of `grid_of`, names of columns that cannot be, or names for the shipped showers.
    """
    names = {field: names for field in COMPONENTS if (names := data.get("columns", {}).get(field)) is not None}
    layout = Layout(grid_of(data), names, data.get("tree"))
    if (names or layout.tree) and own_file(data.source) is None:
        raise ConfigError(f"config.data.source is {data.source!r}, whose columns have the usual names; leave out "
                          "config.data.columns and config.data.tree, or give a file of your own")
    return layout


def grid_of(data):
    """The grid that `config.data` names or describes, or None.

    Raises:
      ConfigError: an unknown calorimeter, two descriptions of the cells, impossible fields, or another grid than theirs
        for the shipped showers.
    """
    grid = _named_or_described(data)
    if grid not in (None, SHASHLIK) and own_file(data.source) is None:
        raise ConfigError(f"config.data.source is {data.source!r}, whose showers are of {SHASHLIK}, not of {grid}; "
                          "leave out config.data.calorimeter, config.data.grid and config.data.binning, or give a file "
                          "of your own")
    return grid


def _named_or_described(data):
    fields = {name: value for name, value in data.get("grid", {}).items() if value is not None}
    given = [name for name in ("calorimeter", "binning") if data.get(name)] + ["grid"] * bool(fields)
    if len(given) > 1:
        raise ConfigError(f"config.data has {' and '.join(given)}, which all say the cells; give one of them")
    if data.get("binning"):
        return read_binning(data.binning)
    if not data.get("calorimeter"):
        if fields and not {"shape", "pitch", "reference_depth"} <= fields.keys():
            raise ConfigError("config.data.grid needs shape, pitch (cm) and reference_depth (cm)")
        return Grid(**fields) if fields else None
    if data.calorimeter not in GRIDS:
        raise ConfigError(f"config.data.calorimeter is {data.calorimeter!r}; it is one of {', '.join(GRIDS)}, or leave "
                          "it out and give config.data.grid or config.data.binning")
    return GRIDS[data.calorimeter]


def check_recipe(config):
    """Raises ConfigError for a field of the networks or of their training that cannot be as it is."""
    check_seed(config.seed)
    check_stages(config)
    grid = layout_of(config.data).grid  # of another file it is known once that is read
    domain = Domain(grid) if grid else OLD_ENSEMBLES if "ensemble" in config.stages else OLD
    build_generator(config.generator, domain)
    if {"gan", "ensemble"} & set(config.stages):
        build_discriminator(config.discriminator, domain)
    if "ensemble" in config.stages:
        check_ensemble(config.ensemble)
    make_transform(**config.data.transform)
    check_train(config.train)
    for name in config.stages:
        if name in config:
            check_train(config[name], f"config.{name}")


def write_recipe(config, workdir):
    """Make the folder and write `config.json`, or check that it holds a run of the same recipe.

    Raises:
      RunError: it holds a run of another recipe; the message names the fields that differ.
      RecordError: its `config.json` is no recipe.
      LockError: another process works in the folder.
    """
    path, text = workdir / "config.json", json.dumps(config.to_dict(), indent=1)
    if not path.exists():
        workdir.mkdir(parents=True, exist_ok=True)
        with locked(workdir):
            if not path.exists():
                write_text(path, text + "\n")
                return
    if differing := differences(read_recipe(path), json.loads(text)):
        raise RunError(f"{workdir} holds a run of another recipe: {', '.join(differing)}; give the recipe "
                       "it was trained with, or another --workdir")


def recipe_of(workdir):
    """The config of a run, as its folder keeps it; fields that it lacks as a run of an older version get their values.

    Raises:
      RecordError: the folder holds no recipe.
    """
    config = ml_collections.ConfigDict(_with_tuples(read_recipe(pathlib.Path(workdir) / "config.json")))
    there, read = flat(config.to_dict()), OF_RUNS if "r1" in config.train else OF_RUNS[:2]
    config.update_from_flattened_dict({name: value for name, value in SINCE.items()
                                       if name.startswith(read) and name not in there})
    return config


def _with_tuples(value):
    """A JSON value with tuples in place of lists, as recipes have."""
    if isinstance(value, dict):
        return {name: _with_tuples(part) for name, part in value.items()}
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value


def differences(there, here):
    """What differs between two recipes, both as read from JSON: `"seed (0 there, 5 here)"` for each field."""
    there, here = flat(there), flat(here)
    there = {name: value for name, value in SINCE.items() if name in here} | there
    return [f"{shown(name)} ({shown(there.get(name))} there, {shown(here.get(name))} here)"
            for name in sorted(there | here)
            if there.get(name) != here.get(name) and not name.startswith(FREE)
            and (name in here or not name.startswith(UNREAD))]


def flat(tree, prefix=""):
    """`{"train": {"steps": 5}}` -> `{"train.steps": 5}`."""
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {name: value for key, branch in tree.items()
            for name, value in flat(branch, f"{prefix}.{key}" if prefix else key).items()}
