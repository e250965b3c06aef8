"""Cards of trained weights: the field that cannot be is named, and the network's arrays follow from a sound card."""
import json

import pytest

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.showers import names_of_quantities
from ecalgen.machine.records import RecordError
from ecalgen.sampling.cards import card_arrays, check_card
from ecalgen.sampling.sampler import condition_range
from ecalgen.sampling.weights import SHIPPED

QUANTITIES = names_of_quantities(SHASHLIK)


@pytest.fixture
def card():
    """That of a small plain generator."""
    return {"system": "plain", "preset": "test", "steps": 0, "provenance": {}, "data": {"transform": {"name": "sqrt"}},
            "generator": {"name": "plain", "latent": 6, "widths": [4, 4, 4, 4], "attention": 0},
            "trained_on": dict.fromkeys(QUANTITIES, [-1.0, 1.0])}


def test_the_arrays_are_those_of_the_network(card):
    """The last convolution of 3x3 makes one map of four: its kernel and bias by hand."""
    check_card(card, "generator")
    last = card_arrays(card, "generator")["cells"]
    assert (last["kernel"].shape, last["bias"].shape) == ((3, 3, 4, 1), (1,))


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*/card.json")), ids=lambda path: path.parent.name)
def test_cards_that_ship_are_sound(path):
    card = json.loads(path.read_text())
    check_card(card, card["kind"])
    assert card_arrays(card, card["kind"])


@pytest.mark.parametrize("changes, message", [
    ({"generator": None}, "field generator is missing"),
    ({"generator": []}, r"generator is \[\]; it must be an object"),
    ({"generator": {"name": "fancy"}}, "generator.name is fancy; it must be one of plain, "),
    ({"generator": {"name": "plain", "latent": "6"}}, 'generator.latent is "6"; it must be a whole number'),
    ({"generator": {"name": "plain", "octant": "no"}}, 'generator.octant is "no"; it must be true or false'),
    ({"generator": {"name": "plain", "layers": 6}}, "generator.layers is no field of the generator plain"),
    ({"generator": {"name": "plain", "widths": [4, 4]}}, "its network cannot be built: config.generator.widths is"),
    ({"generator": {"name": "plain", "widths": [4] * 100}}, "generator.widths has 100 numbers; it must have at most"),
    ({"generator": {"name": "volumes", "rounds": 10**6}}, "generator.rounds is 1000000; it must be at most 64"),
    ({"generator": {"name": "library"}}, "its network cannot be built: "),
    ({"data": {}}, "field data.transform is missing"),
    ({"data": {"transform": {"name": "sqrt", "scale": "1"}}}, "its transform .* cannot be made"),
    ({"data": {"transform": {"name": "cube"}}}, "its transform .* cannot be made: unknown transform 'cube'"),
    ({"steps": 1.5}, "steps is 1.5; it must be a whole number"),
    ({"trained_on": {"energy (GeV)": [1, 100]}}, "field trained_on.px/pz is missing"),
    ({"trained_on": dict.fromkeys(QUANTITIES, [0, float("nan")])}, "trained_on.energy .GeV. is .0, NaN."),
])
def test_cards_that_cannot_be_are_refused_by_their_field(card, changes, message):
    changed = {name: value for name, value in (card | changes).items() if value is not None}
    with pytest.raises(RecordError, match=message):
        check_card(changed, "generator")
        card_arrays(changed, "generator")


def test_a_card_knows_the_range_of_every_condition(showers):
    assert tuple(condition_range(showers)) == QUANTITIES
