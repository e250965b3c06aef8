"""Weights of trained networks on disk: `weights.npz` and a `card.json`, in a run or shipped with the package."""
import hashlib
import io
import json
import pathlib

import flax.traverse_util
import numpy as np

from ecalgen.errors import UserError
from ecalgen.machine.files import write_bytes, write_text
from ecalgen.machine.records import COUNT, OBJECT, TEXT, RecordError, check_record, read_recipe, read_record, shown
from ecalgen.sampling.cards import card_arrays, check_card, current

SHIPPED = pathlib.Path(__file__).parents[1] / "shipped"
FORMAT = 1
MOST_CANDIDATES = 16
"""Largest number of candidates for a shower."""


class WeightsError(UserError):
    """Weights that are missing, damaged or of another format; the message says which and what to do."""


def save_weights(folder, params, card):
    """Write `folder/weights.npz` and `folder/card.json`, each whole or not at all.

    The card gets the SHA-256 of the weights, and one of itself.

    Args:
      params: nested dict of arrays.
      card: JSON-able dict that says what the weights are and how to build their network.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    np.savez_compressed(content, **_flat(params))
    card = {"format": FORMAT, "sha256": _sha256(content.getvalue())} | card
    write_bytes(folder / "weights.npz", content.getvalue())
    write_text(folder / "card.json", json.dumps(card | {"card_sha256": card_sha256(card)}, indent=1) + "\n")


def card_sha256(card):
    """SHA-256 of a card without its field `card_sha256`, as JSON with sorted names and without spaces."""
    fields = {name: value for name, value in card.items() if name != "card_sha256"}
    return _sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())


def load_weights(source, kind):
    """(params, card) of a finished run's folder or of a shipped model's name.

    Args:
      source: the folder or the name.
      kind: the kind that the card must give, `generator`, `regressor` or `refiner`.

    Raises:
      WeightsError: no such model, one of another kind, damaged files, a format that this version cannot read, a card
        that has been edited, or arrays that are not finite or not those of the card's network.
    """
    try:
        folder = _folder(source, kind)
    except OSError as error:
        raise WeightsError(f"{shown(source)} cannot be read ({error.strerror}); name another folder") from error
    try:
        card = _read_card(folder, source, kind)
        content = (folder / "weights.npz").read_bytes()
        if card["sha256"] != _sha256(content):
            raise WeightsError(f"{folder / 'weights.npz'} is damaged (its checksum differs from the card's); "
                               "write or copy it again")
        arrays = _read_arrays(content)
        _check_arrays(arrays, _flat(card_arrays(card, kind)))
    except (OSError, RecordError) as error:
        raise WeightsError(f"{folder} holds no readable weights ({error}); write or copy them again") from error
    return flax.traverse_util.unflatten_dict(arrays, sep="/"), card


def load_generator(source, refine=1):
    """(params, card) of a generator, with its refiner where several candidates are made for each shower.

    Args:
      source: the folder or the name.
      refine: number of candidates, from 1 to `MOST_CANDIDATES`; 1 is the generator alone.

    Raises:
      UserError: another number of candidates.
      WeightsError: as of `load_weights`; there is no refiner, or it belongs to other weights.
    """
    if type(refine) is not int or not 1 <= refine <= MOST_CANDIDATES:
        raise UserError(f"refine is {shown(refine)}; give the number of candidates for each shower, from 1 to "
                        f"{MOST_CANDIDATES}")
    params, card = load_weights(source, "generator")
    if refine == 1:
        return params, card
    refiner, own = load_weights(source, "refiner")
    if own["generator_sha256"] != card["sha256"]:
        raise WeightsError(f"the refiner of {source} was trained for other weights; train it again with "
                           f"ecalgen refine --run {source}")
    return ({"generator": params, "refiner": refiner},
            card | {"refine": {"candidates": refine, "widths": own["widths"], "sha256": own["sha256"]}})


def copy_weights(source, kind, folder):
    """Copy the files of a run's folder or of a shipped model's name, so that `load_weights(folder, kind)` reads them.

    Args:
      source, kind: as of `load_weights`.
      folder: made when missing.

    Raises:
      WeightsError: no such model.
    """
    there, here = _folder(source, kind), pathlib.Path(folder) / "generator"
    here.mkdir(parents=True, exist_ok=True)
    for name in ("weights.npz", "card.json"):  # in this order: the card says that the weights are there
        write_bytes(here / name, (there / name).read_bytes())


def shipped_models(kind):
    """Names of the models of a kind that ship."""
    return sorted(path.parent.name for path in SHIPPED.glob("*/card.json")
                  if json.loads(path.read_text())["kind"] == kind)


def _folder(source, kind):
    if not str(source):
        raise WeightsError(f"no model is named; these ship: {', '.join(shipped_models(kind)) or 'none'}")
    refiner = kind == "refiner"
    for folder in (pathlib.Path(source) / ("refiner" if refiner else "generator"),
                   SHIPPED / str(source) / ("refiner" if refiner else "")):
        if (folder / "card.json").exists():
            return folder
    if refiner:
        raise WeightsError(f"{source} has no refiner; train one with ecalgen refine --run {source}, or leave refine "
                           "out")
    if _is_run(source):
        raise WeightsError(f"{source} holds no generator yet; finish its training, or write what it has so far with "
                           f"python -m ecalgen.main --config=... --workdir={source} --mode=evaluate")
    raise WeightsError(f"{str(source)!r} is neither a run's folder nor a shipped model{_instead(source)}; "
                       f"these ship: {', '.join(shipped_models(kind)) or 'none'}")


def _is_run(source):
    try:
        return bool(read_recipe(pathlib.Path(source) / "config.json"))
    except RecordError:
        return False


def _instead(source):
    """A phrase that says what lies at a path that is no run; empty if nothing does."""
    path = pathlib.Path(source)
    if path.is_file():
        return ", but a file"
    if not path.is_dir():
        return ""
    return ", but a folder " + ("whose config.json is no recipe of ecalgen" if (path / "config.json").exists() else
                                "without the config.json that a run has")


def _read_card(folder, source, kind):
    """The card of that folder, after its checks."""
    try:
        card = read_record(folder / "card.json", OBJECT)
        check_record(card, {"format": COUNT})
        if card["format"] != FORMAT:
            raise WeightsError(f"{folder} has format {shown(card['format'])}; this version of ecalgen reads format "
                               f"{FORMAT}")
        if card.get("card_sha256", card_sha256(card)) != card_sha256(card):  # older versions wrote none
            raise WeightsError(f"{folder / 'card.json'} is damaged or edited (its checksum differs from its content); "
                               "write or copy it again")
        check_record(card, {"sha256": TEXT, "kind": TEXT})
        card = current(card)
        if card["kind"] != kind:
            raise WeightsError(f"{source} holds weights of the kind {shown(card['kind'])}, not {kind}; "
                               f"of that kind these ship: {', '.join(shipped_models(kind)) or 'none'}")
        check_card(card, kind)
    except RecordError as error:
        raise RecordError(f"card.json: {error}") from error
    return card


def _read_arrays(content):
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)
    except Exception as error:  # noqa: BLE001  NumPy and zipfile raise many kinds for a damaged file
        raise RecordError(f"weights.npz: {shown(error)}") from error


def _check_arrays(arrays, expected):
    """Raises RecordError for arrays that are not finite, or not those of the card's network.

    Args:
      arrays: {path: array}.
      expected: {path: shape and dtype}.
    """
    if differing := sorted(arrays.keys() ^ expected.keys()):
        raise RecordError(f"weights.npz and the network of card.json differ in the array {shown(differing[0])}")
    for name, array in arrays.items():
        if array.shape != expected[name].shape:
            raise RecordError(f"weights.npz: {name} is of shape {array.shape}; the network of card.json has "
                              f"{expected[name].shape}")
        if array.dtype.kind != "f":
            raise RecordError(f"weights.npz: {name} is of type {array.dtype}, not of floating point numbers")
        with np.errstate(over="ignore"):
            finite = np.isfinite(array.astype(expected[name].dtype, copy=False)).all()
        if not finite:
            raise RecordError(f"weights.npz: {name} holds numbers that are not finite")


def _flat(params):
    return flax.traverse_util.flatten_dict(params, sep="/")


def _sha256(content):
    return hashlib.sha256(content).hexdigest()
