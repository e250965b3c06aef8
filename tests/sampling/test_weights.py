"""Weights on disk: round trip, and a clear refusal of everything damaged."""
import hashlib
import json
import pathlib
import shutil

import numpy as np
import pytest
from exporting import save_run

from ecalgen.sampling.cards import CARDS
from ecalgen.sampling.sampler import load_sampler
from ecalgen.sampling.weights import SHIPPED, WeightsError, card_sha256, load_weights, save_weights, shipped_models


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The folder of a small generator, which no test changes."""
    return save_run(tmp_path_factory.mktemp("small"), "plain")


@pytest.fixture
def run(small, tmp_path):
    return shutil.copytree(small, tmp_path / "run")


def rewritten(run, arrays=None, **changes):
    """The run with other arrays or card fields, and checksums that fit; None drops a field."""
    params, card = load_weights(run, "generator")
    card = {name: value for name, value in (card | changes).items() if value is not None and "sha256" not in name}
    save_weights(run / "generator", params | (arrays or {}), card)
    return run


def test_round_trip(run):
    params, card = load_weights(run, "generator")
    save_weights(run / "generator", params, {name: card[name] for name in card if "sha256" not in name})
    again, _ = load_weights(run, "generator")
    np.testing.assert_array_equal(again["project"]["kernel"], params["project"]["kernel"])
    assert params["project"]["kernel"].shape == (11, 128)  # 6 of noise and 5 conditions; 16 pixels of 8 channels
    assert card["format"] == 1 and card["system"] == "plain"


def test_no_other_file_is_left(run):
    assert sorted(path.name for path in (run / "generator").iterdir()) == ["card.json", "weights.npz"]


@pytest.mark.parametrize("position", [0.1, 0.5, 0.9])
def test_a_flipped_byte_is_noticed(run, position):
    path = run / "generator" / "weights.npz"
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="weights.npz is damaged .* write or copy it again"):
        load_weights(run, "generator")


def test_truncated_or_missing_files(run):
    card = run / "generator" / "card.json"
    whole = card.read_text()
    card.write_text(whole[:20])
    with pytest.raises(WeightsError, match="no readable weights .card.json: no JSON"):
        load_weights(run, "generator")
    card.write_text(whole)
    (run / "generator" / "weights.npz").unlink()
    with pytest.raises(WeightsError, match="no readable weights"):
        load_weights(run, "generator")


def test_another_format_is_refused(run):
    card = run / "generator" / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"format": 99}))
    with pytest.raises(WeightsError, match="has format 99; this version of ecalgen reads format 1"):
        load_weights(run, "generator")


def test_an_edited_card_is_refused_and_one_without_its_checksum_loads(run):
    path = run / "generator" / "card.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card))  # other spaces are no other content
    load_weights(run, "generator")
    path.write_text(json.dumps(card | {"steps": 10**6}))
    with pytest.raises(WeightsError, match="card.json is damaged or edited .* write or copy it again"):
        load_weights(run, "generator")
    del card["card_sha256"]
    path.write_text(json.dumps(card))
    assert load_weights(run, "generator")[1]["steps"] == 0


def test_the_checksum_of_a_card_is_that_of_its_sorted_json():
    card = {"b": [1.5, None], "card_sha256": "x", "a": "µ"}
    assert card_sha256(card) == hashlib.sha256(rb'{"a":"\u00b5","b":[1.5,null]}').hexdigest()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_arrays_that_are_not_finite_are_refused(run, bad):
    rewritten(run, {"cells": {"kernel": np.full((3, 3, 4, 1), bad, "f4"), "bias": np.zeros(1, "f4")}})
    with pytest.raises(WeightsError, match="weights.npz: cells/kernel holds numbers that are not finite"):
        load_sampler(run)


@pytest.mark.parametrize("arrays, message", [
    ({"cells": {"kernel": np.zeros((3, 3, 4, 2), "f4"), "bias": np.zeros(1, "f4")}},
     r"cells/kernel is of shape \(3, 3, 4, 2\); the network of card.json has \(3, 3, 4, 1\)"),
    ({"cells": {"kernel": np.zeros((3, 3, 4, 1), int), "bias": np.zeros(1, "f4")}}, "cells/kernel is of type int64"),
    ({"cells": {"kernel": np.zeros((3, 3, 4, 1), "f4")}}, "card.json differ in the array cells/bias"),
    ({"more": np.zeros(1, "f4")}, "card.json differ in the array more"),
    ({"cells": {"kernel": np.full((3, 3, 4, 1), 1e300), "bias": np.zeros(1, "f4")}}, "numbers that are not finite"),
])
def test_arrays_of_another_network_are_refused(run, arrays, message):
    with pytest.raises(WeightsError, match=message):
        load_sampler(rewritten(run, arrays))


def test_a_card_that_cannot_be_is_refused_by_its_field(run):
    with pytest.raises(WeightsError, match="card.json: field generator is missing"):
        load_sampler(rewritten(run, generator=None))


def test_folders_that_are_no_run_are_called_what_they_are(run, tmp_path):
    with pytest.raises(WeightsError, match="card.json' is neither a run's folder nor a shipped model, but a file;"):
        load_weights(run / "generator" / "card.json", "generator")
    with pytest.raises(WeightsError, match="but a folder without the config.json that a run has; these ship: an"):
        load_weights(tmp_path, "generator")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(WeightsError, match="but a folder whose config.json is no recipe of ecalgen; these ship"):
        load_weights(tmp_path, "generator")
    with pytest.raises(WeightsError, match="cannot be read .File name too long.; name another folder"):
        load_weights("x" * 300, "generator")


@pytest.mark.parametrize("kind", ["generator", "regressor"])
def test_what_ships_loads_and_is_small(kind):
    for name in shipped_models(kind):
        params, card = load_weights(name, kind)
        assert params and card["kind"] == kind
        assert card["card_sha256"] == card_sha256(card)
    assert shipped_models(kind)


def test_a_shipped_regressor_is_checked_as_generators_are(tmp_path):
    params, card = load_weights("embedding", "regressor")
    folder = pathlib.Path(shutil.copytree(SHIPPED / "embedding", tmp_path / "run" / "generator"))
    for changes, message in (({"outputs": 4}, r"outputs/kernel is of shape \(64, 5\); .* \(64, 4\)|outputs/bias is of"),
                             ({"outputs": 0}, "cannot be built|is of shape")):
        save_weights(folder, params, {name: card[name] for name in card if "sha256" not in name} | changes)
        with pytest.raises(WeightsError, match=message):
            load_weights(tmp_path / "run", "regressor")
    assert "outputs" in CARDS["regressor"]
