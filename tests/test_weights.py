"""Weights on disk: round trip, and a clear refusal of everything damaged."""
import json

import numpy as np
import pytest

from ecalgen.weights import WeightsError, load_weights, save_weights, shipped_models

PARAMS = {"dense": {"kernel": np.arange(6.0, dtype="f4").reshape(2, 3), "bias": np.ones(3, "f4")}}


@pytest.fixture
def run(tmp_path):
    save_weights(tmp_path / "generator", PARAMS, {"kind": "generator", "system": "x"})
    return tmp_path


def test_round_trip(run):
    params, card = load_weights(run, "generator")
    np.testing.assert_array_equal(params["dense"]["kernel"], PARAMS["dense"]["kernel"])
    assert card["format"] == 1 and card["system"] == "x"


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
    with pytest.raises(WeightsError, match="no readable weights"):
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


@pytest.mark.parametrize("kind", ["generator", "regressor"])
def test_what_ships_loads_and_is_small(kind):
    for name in shipped_models(kind):
        params, card = load_weights(name, kind)
        assert params and card["kind"] == kind
    assert shipped_models(kind)
