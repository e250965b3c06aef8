"""Folders of trained generators with a harmed card or harmed weights, given to `load_sampler`."""
import functools
import hashlib
import io
import json
import pathlib
import tempfile

import jax
import numpy as np
from exporting import save_run
from fuzzing.harm import RECORDS, as_bytes, harmed, harmed_record, pick
from fuzzing.harness import Trial

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.showers import names_of_quantities
from ecalgen.sampling.sampler import load_sampler
from ecalgen.sampling.weights import card_sha256, load_weights, save_weights

MODELS = ("plain", "deconvolutional", "vae", "anchored", "anchored, cells")
ARRAYS = ("none", "dropped", "added", "renamed", "another shape", "another type", "not finite", "nested", "objects")
FILES = ("cut", "a byte", "no zip", "another array file", "a folder", "missing")


def draw(rng, folder):
    """One folder of a generator: its card or its weights harmed, with checksums that fit or without."""
    params, card = _model(pick(rng, MODELS))
    match pick(rng, ("text", "card", "card", "later format", "arrays", "arrays", "file")):
        case "text":
            kind = _harm_text(rng, folder, params, card)
        case "card":
            kind = _harm_card(rng, folder, params, card)
        case "later format":
            kind = "later format"
            save_weights(folder / "generator", params, card | {"format": pick(rng, (0, 2, 99, 1.0, True, "1", None))})
        case "arrays":
            kind = _harm_arrays(rng, folder, params, card)
        case _:
            kind = _harm_file(rng, folder, params, card)
    return Trial(kind, lambda: load_sampler(folder), _check_sampler)


@functools.cache
def _model(name):
    """(params, card without checksums) of a small untrained generator."""
    with tempfile.TemporaryDirectory() as folder:
        params, card = load_weights(save_run(pathlib.Path(folder), name), "generator")
    return params, {field: value for field, value in card.items() if "sha256" not in field}


def _harm_text(rng, folder, params, card):
    save_weights(folder / "generator", params, card)
    path = folder / "generator" / "card.json"
    kind, content = harmed(rng, json.loads(path.read_text()))
    path.write_bytes(content)
    return f"card, {kind}"


def _harm_card(rng, folder, params, card):
    """As an older version, or somebody who knows of the checksums, would write it."""
    save_weights(folder / "generator", params, card)
    path, kind = folder / "generator" / "card.json", pick(rng, RECORDS)
    whole = harmed_record(rng, kind, {name: value for name, value in json.loads(path.read_text()).items()
                                      if name != "card_sha256"})
    fitting = {"card_sha256": card_sha256(whole)} if rng.integers(2) else {}
    path.write_bytes(as_bytes(whole | fitting))
    return f"card with a checksum that fits, {kind}" if fitting else f"card without a checksum, {kind}"


def _harm_arrays(rng, folder, params, card):
    """With a checksum that fits."""
    kind = pick(rng, ARRAYS)
    save_weights(folder / "generator", params, card)
    path = folder / "generator" / "weights.npz"
    with np.load(path) as stored:
        arrays = dict(stored)
    name = pick(rng, list(arrays))
    match kind:
        case "dropped":
            del arrays[name]
        case "added":
            arrays[pick(rng, ("new", f"{name}/new", "", "../x"))] = np.zeros(3, "f4")
        case "renamed":
            arrays[name.upper()] = arrays.pop(name)
        case "another shape":
            array = arrays[name]
            arrays[name] = pick(rng, (array[None], array.ravel(), array.ravel()[:0], np.zeros((), "f4")))
        case "another type":
            arrays[name] = arrays[name].astype(pick(rng, ("f2", "f8", "i4", "c8", "?", "S4", "V2", "M8[s]")))
        case "not finite":
            arrays[name] = np.where(np.arange(arrays[name].size).reshape(arrays[name].shape) == 0,
                                    pick(rng, (np.nan, np.inf, -np.inf)), arrays[name])
        case "nested":
            arrays[f"{name}/deeper"] = arrays.pop(name)
        case "objects":
            arrays[name] = np.array([{"a": 1}], object)
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    _write_weights(folder, content.getvalue())
    return f"arrays, {kind}"


def _harm_file(rng, folder, params, card):
    """With a checksum that fits, where there is a file."""
    kind = pick(rng, FILES)
    save_weights(folder / "generator", params, card)
    path = folder / "generator" / pick(rng, ("weights.npz", "weights.npz", "card.json"))
    content = bytearray(path.read_bytes())
    path.unlink()
    match kind:
        case "cut":
            content = content[:rng.integers(len(content))]
        case "a byte":
            content[rng.integers(len(content))] ^= int(rng.integers(1, 256))
        case "no zip":
            content = rng.bytes(500)
        case "another array file":
            buffer = io.BytesIO()
            np.save(buffer, np.zeros(3))
            content = buffer.getvalue()
        case "a folder":
            path.mkdir()
        case "missing":
            pass
    if kind not in ("a folder", "missing"):
        path.write_bytes(content)
        if path.name == "weights.npz":
            _write_weights(folder, bytes(content))
    return f"file, {kind}"


def _write_weights(folder, content):
    """The weights, and a card whose checksums fit."""
    (folder / "generator" / "weights.npz").write_bytes(content)
    path = folder / "generator" / "card.json"
    card = json.loads(path.read_text()) | {"sha256": hashlib.sha256(content).hexdigest()}
    path.write_text(json.dumps(card | {"card_sha256": card_sha256(card)}))


def _check_sampler(sampler):
    """Every parameter is finite, and the card says what is asked of it."""
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(sampler.variables))
    card = sampler.card
    assert all(type(card[name]) is str for name in ("system", "preset")) and type(card["steps"]) is int
    assert type(card["provenance"]) is dict
    ranges = np.array([card["trained_on"][name] for name in names_of_quantities(SHASHLIK)], float)
    assert ranges.shape == (5, 2) and np.isfinite(ranges).all()
