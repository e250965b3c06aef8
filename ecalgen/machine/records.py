"""JSON records from disk, read with checks: an error names the first faulty field in one line."""
import json
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

from ecalgen.errors import UserError

LARGEST = 1e30
"""Numbers beyond it are refused; no quantity in a file of ecalgen comes near it."""
DEEPEST = 50
"""Largest depth of nested objects and lists."""
SHOWN = 60
"""Largest number of characters of a value in a message."""


class RecordError(UserError):
    """A record that cannot be used; the message names the field, and the caller adds the file and the remedy."""


class Kind(NamedTuple):
    """A kind of values: `fits(value)` tests one, and `title` describes the kind in words."""

    title: str
    fits: Callable[[Any], bool]


class Maybe(NamedTuple):
    """A value of a kind that may be missing or null."""

    kind: Any


class Each(NamedTuple):
    """An object whose values are all of one kind, whatever their names."""

    kind: Any


class Rows(NamedTuple):
    """A list whose values are all of one kind."""

    kind: Any


def _is_number(value):
    return type(value) in (int, float) and -LARGEST <= value <= LARGEST


ANY = Kind("any value", lambda value: True)
TEXT = Kind("text", lambda value: isinstance(value, str))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
NUMBER = Kind("a finite number", _is_number)
COUNT = Kind("a whole number from 0", lambda value: type(value) is int and 0 <= value <= LARGEST)
PAIR = Kind("a list of two finite numbers", lambda value: isinstance(value, list) and (
    len(value) == 2 and all(map(_is_number, value))))
OBJECT = Each(ANY)
RECIPE = {"system": TEXT, "preset": TEXT, "generator": OBJECT, "data": OBJECT, "train": OBJECT,
          "discriminator": Maybe(OBJECT), "regressor": Maybe(OBJECT)}
"""Fields of the `config.json` of every run."""


def read_record(path, kind):
    """The JSON value in a file, after a check of its kind.

    Args:
      path: of the file.
      kind: a `Kind`, `Maybe`, `Each` or `Rows`, or a dict {field: kind} for an object with at least these fields.

    Raises:
      RecordError: the file cannot be read, is no JSON, or has a field that is missing or of another kind.
    """
    try:
        return parse_record(pathlib.Path(path).read_text(encoding="utf-8"), kind)
    except OSError as error:
        raise RecordError(error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise RecordError(f"byte {error.start} is no text") from error


def read_recipe(path):
    """The `config.json` of a run.

    Raises:
      RecordError: the file cannot be read, or is no recipe.
    """
    try:
        return read_record(path, RECIPE)
    except RecordError as error:
        raise RecordError(f"{path} is no recipe of ecalgen ({error}); copy it again, or name another folder") from error


def parse_record(text, kind):
    """The JSON value of a text, after a check of its kind; errors are those of `read_record`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"no JSON: {shown(error)}") from error
    if _depth_exceeds(value, DEEPEST):
        raise RecordError(f"more than {DEEPEST} levels of objects and lists in each other")
    check_record(value, kind)
    return value


def check_record(value, kind, field=""):
    """Raises RecordError for a value that is not of a kind; `field` names it."""
    if isinstance(kind, Maybe):
        if value is not None:
            check_record(value, kind.kind, field)
    elif isinstance(kind, Rows):
        _require(value, Kind("a list", lambda value: isinstance(value, list)), field)
        for index, item in enumerate(value):
            check_record(item, kind.kind, f"{field}[{index}]")
    elif isinstance(kind, Kind):
        _require(value, kind, field)
    else:
        _require(value, Kind("an object", lambda value: isinstance(value, dict)), field)
        kinds = dict.fromkeys(value, kind.kind) if isinstance(kind, Each) else kind
        for name, inner in kinds.items():
            _check_field(value, name, inner, f"{field}.{shown(name)}" if field else shown(name))


def shown(value, most=SHOWN):
    """A value in one line of printable characters, for messages; cut after `most`."""
    text = "".join(letter if letter.isprintable() else "?" for letter in " ".join(str(value).split()))
    return text if len(text) <= most else f"{text[:most]}..."


def _check_field(record, name, kind, field):
    if name in record:
        check_record(record[name], kind, field)
    elif not isinstance(kind, Maybe):
        raise RecordError(f"field {field} is missing")


def _require(value, kind, field):
    if not kind.fits(value):
        raise RecordError(f"{field or 'it'} is {shown(json.dumps(value))}; it must be {kind.title}")


def _depth_exceeds(value, levels):
    layer = [value]
    for _ in range(levels):
        layer = [child for parent in layer if isinstance(parent, dict | list)
                 for child in (parent.values() if isinstance(parent, dict) else parent)]
    return bool(layer)
