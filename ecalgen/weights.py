"""Weights of trained networks on disk: `weights.npz` and a `card.json`, in a run or shipped with the package."""
import hashlib
import json
import os
import pathlib

import flax.traverse_util
import numpy as np

from ecalgen.errors import UserError

SHIPPED = pathlib.Path(__file__).parent / "shipped"
FORMAT = 1


class WeightsError(UserError):
    """Weights that are missing, damaged or of another format; the message says which and what to do."""


def save_weights(folder, params, card):
    """Write `folder/weights.npz` and `folder/card.json`, each whole or not at all.

    Args:
      params: nested dict of arrays.
      card: JSON-able; what the weights are and how to build their network.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {path: np.asarray(value) for path, value in flax.traverse_util.flatten_dict(params, sep="/").items()}
    temporary = folder / "weights.tmp.npz"
    np.savez_compressed(temporary, **arrays)
    card = {"format": FORMAT, "sha256": _sha256(temporary)} | card
    card_temporary = folder / "card.tmp"
    card_temporary.write_text(json.dumps(card, indent=1) + "\n")
    os.replace(temporary, folder / "weights.npz")
    os.replace(card_temporary, folder / "card.json")


def load_weights(source, kind):
    """(params, card) of a finished run's folder or of a shipped model's name.

    Args:
      source: the folder or the name.
      kind: what the card must say it is, `generator` or `regressor`.

    Raises:
      WeightsError: no such model, one of another kind, damaged files, or a format that this version cannot read.
    """
    folder = _folder(source, kind)
    try:
        card = json.loads((folder / "card.json").read_text())
        if card["format"] != FORMAT:
            raise WeightsError(f"{folder} has format {card['format']}; this version of ecalgen reads format {FORMAT}")
        if card["sha256"] != _sha256(folder / "weights.npz"):
            raise WeightsError(f"{folder / 'weights.npz'} is damaged (its checksum differs from the card's); "
                               "write or copy it again")
        if card["kind"] != kind:
            raise WeightsError(f"{source} holds weights of the kind {card['kind']}, not {kind}; "
                               f"of that kind these ship: {', '.join(shipped_models(kind)) or 'none'}")
        with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
            params = flax.traverse_util.unflatten_dict(dict(arrays), sep="/")
    except (OSError, KeyError, json.JSONDecodeError) as error:
        raise WeightsError(f"{folder} holds no readable weights ({error}); write or copy them again") from error
    return params, card


def shipped_models(kind):
    """Names of the models of a kind that ship."""
    return sorted(path.parent.name for path in SHIPPED.glob("*/card.json")
                  if json.loads(path.read_text())["kind"] == kind)


def _folder(source, kind):
    if not str(source):
        raise WeightsError(f"no model is named; these ship: {', '.join(shipped_models(kind)) or 'none'}")
    for folder in (pathlib.Path(source) / "generator", SHIPPED / str(source)):
        if (folder / "card.json").exists():
            return folder
    if (pathlib.Path(source) / "config.json").exists():
        raise WeightsError(f"{source} holds no generator yet; finish its training, or write what it has so far with "
                           f"python -m ecalgen.main --config=... --workdir={source} --mode=evaluate")
    raise WeightsError(f"{str(source)!r} is neither a run's folder nor a shipped model; "
                       f"these ship: {', '.join(shipped_models(kind)) or 'none'}")


def _sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
