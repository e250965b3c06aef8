"""Recipes by name or path, and what each of their fields means."""
import difflib
import inspect
import pathlib
import re
import runpy
from typing import NamedTuple

from ecalgen import configs
from ecalgen.data import transforms
from ecalgen.errors import UserError
from ecalgen.models.build import DISCRIMINATORS, GENERATORS, RENAMED
from ecalgen.training.recipe import flat

FOLDER = pathlib.Path(next(iter(configs.__path__)))
"""Where the recipes lie that come with the package."""
SHARED = ("__init__", "base")
"""Files there that are no recipes."""
NETWORKS = {"generator": GENERATORS, "discriminator": DISCRIMINATORS}
"""Section of a config whose field `name` picks a class -> the classes."""
COMMENT = re.compile(r"^\s*(?:\w+\.)*(\w+) ?= ?.*?  # (.+)$", re.M)
"""A field that is set in a line of a recipe, and the comment behind it."""
ARGUMENT = re.compile(r"^  (\w[\w, ]*): (.+(?:\n    +.+)*)", re.M)
"""An argument in a docstring, and what is said of it."""


class Field(NamedTuple):
    """A field of a recipe.

    Attributes:
      name: such as `train.steps`.
      value: what the recipe sets.
      meaning: empty for one whose meaning is said nowhere.
    """

    name: str
    value: object
    meaning: str


def names():
    """The recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in SHARED)


def find(recipe):
    """`anchored:cpu` -> the path of that recipe's file with `:cpu`; a path is left as it is.

    Raises:
      UserError: it is neither a recipe of the package nor a file.
    """
    path, colon, preset = str(recipe).partition(":")
    if path in names():
        return f"{FOLDER / path}.py{colon}{preset}"
    if not pathlib.Path(path).is_file():
        near = difflib.get_close_matches(pathlib.Path(path).stem, names(), n=1)
        near = f"; did you mean {near[0]}{colon}{preset}?" if near else "."
        raise UserError(f"there is no recipe {path}{near} These come with the package: {', '.join(names())}; or give "
                        "the path of a recipe's file")
    return str(recipe)


def load(recipe):
    """The config of `anchored:cpu`, or of the file of a recipe.

    Raises:
      UserError: no such recipe, or no such preset.
    """
    path, _, preset = find(recipe).partition(":")
    try:
        return runpy.run_path(path)["get_config"](preset)
    except ValueError as error:
        raise UserError(f"{recipe}: {error}") from error


def fields(config):
    """Every `Field` of a config, in its order."""
    comments = commented()
    return [Field(name, value, _meaning(config, name, comments)) for name, value in flat(config.to_dict()).items()]


def commented():
    """{last part of a field's name: the comment where it is set first}, `base.py` before the recipes."""
    found = {}
    for name in ("base", *names()):
        for field, comment in COMMENT.findall((FOLDER / f"{name}.py").read_text(encoding="utf-8")):
            found.setdefault(field, comment)
    return found


def _meaning(config, name, comments):
    section, _, last = name.rpartition(".")
    if section in NETWORKS:
        kind = config[section]["name"]
        if last == "name":
            return f"one of {', '.join(NETWORKS[section])}"
        return _argument(NETWORKS[section][kind], RENAMED.get(last, last)) or comments.get(last, "")
    if section == "data.transform":
        return _of_transform(config.data.transform.name, last)
    return comments.get(last, "")


def _argument(described, name):
    """What the docstring of a class says of an argument, which may refer to another class."""
    for listed, said in ARGUMENT.findall(inspect.getdoc(described) or ""):
        if name in listed.split(", "):
            said = " ".join(said.split())
            other = re.fullmatch(r"those of `(\w+)`\.", said)
            classes = {network.__name__: network for group in NETWORKS.values() for network in group.values()}
            return _argument(classes[other[1]], name) if other else said
    return ""


def _of_transform(kind, name):
    if name == "name":
        return f"of cell energies; one of {', '.join(transforms.TRANSFORMS)}"
    return inspect.getdoc(transforms.TRANSFORMS[kind]).splitlines()[0]
