"""The fields that the card of trained weights must hold, by kind, and the arrays of the network that it describes."""
import dataclasses
import functools
import json
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from ecalgen.data.grid import DOMAIN_RECORD, OLD_ENSEMBLES, SHASHLIK, domain_record, read_domain
from ecalgen.data.showers import ENERGY, names_of_quantities
from ecalgen.data.transforms import make_transform
from ecalgen.machine.records import (
    COUNT,
    FLAG,
    NUMBER,
    OBJECT,
    PAIR,
    TEXT,
    Kind,
    Maybe,
    RecordError,
    Rows,
    check_record,
    shown,
)
from ecalgen.models.build import GENERATORS, RENAMED, build_ensemble, build_generator
from ecalgen.models.refined import RefinedGenerator, Refiner
from ecalgen.models.regressor import Regressor

SIZE = Kind("a whole number from 0 to ten million", lambda value: type(value) is int and 0 <= value <= 10**7)
FIELDS = {int: SIZE, float: NUMBER, bool: FLAG, str: TEXT, Sequence[int]: Rows(SIZE), Sequence[float]: Rows(NUMBER)}
"""Type of an argument of a network -> the values that a card may give it."""
LONGEST = 64
"""Largest number of layers in a list of widths, and of rounds of a network."""
MEMBERS = Kind("a whole number from 1 to 100", lambda value: type(value) is int and 1 <= value <= 100)
TRANSFORM = {"name": TEXT}
TRAINED = {"system": TEXT, "preset": TEXT, "generator": {"name": TEXT}, "data": {"transform": TRANSFORM},
           "provenance": OBJECT}
CARDS = {
    "generator": TRAINED | {"steps": COUNT, "trained_on": OBJECT, "members": Maybe(MEMBERS)},
    "regressor": {"system": TEXT, "transform": TRANSFORM, "outputs": SIZE},
    "refiner": {"generator_sha256": TEXT, "features": SIZE, "widths": Rows(SIZE), "provenance": OBJECT},
}
"""Kind -> the fields that its card must have."""
OLD_ENSEMBLE = TRAINED | {"steps": Rows(COUNT), "trained_on": {ENERGY: PAIR}}
"""The fields of a card of the kind `ensemble`, which older versions wrote."""


def current(card):
    """The card as this version writes it: an ensemble of older versions is a generator of `members`.

    Raises:
      RecordError: an ensemble's card lacks a field.
    """
    if card.get("kind") != "ensemble":
        return card
    check_record(card, OLD_ENSEMBLE)
    along_z = dict.fromkeys(names_of_quantities(OLD_ENSEMBLES.grid), [0.0, 0.0])
    return card | {"kind": "generator", "members": len(card["steps"]), "steps": max(card["steps"], default=0),
                   "domain": domain_record(OLD_ENSEMBLES), "trained_on": along_z | card["trained_on"]}


def check_card(card, kind):
    """Raises RecordError for a card of that kind whose fields cannot be as they are."""
    check_record(card, CARDS[kind])
    if kind == "generator":
        if "domain" in card:
            check_record(card["domain"], DOMAIN_RECORD, "domain")
        check_record(card["trained_on"], dict.fromkeys(names_of_quantities(domain_of_card(card).grid), PAIR),
                     "trained_on")
    if kind == "refiner":
        return
    transform = card["transform"] if kind == "regressor" else card["data"]["transform"]
    try:
        make_transform(**transform)
    except (TypeError, ValueError) as error:
        raise RecordError(f"its transform {shown(json.dumps(transform))} cannot be made: {shown(error)}") from error


def domain_of_card(card):
    """The `Domain` of a generator; cards of older versions have none.

    Raises:
      RecordError: its fields cannot be.
    """
    return read_domain(card.get("domain"))


def card_arrays(card, kind):
    """The arrays of the network that a sound card describes: a nested dict of their shapes and types.

    Raises:
      RecordError: no such network can be built.
    """
    if kind == "regressor":
        return _regressor_arrays(card["outputs"])
    if kind == "refiner":
        return _arrays(lambda: Refiner(card["widths"]).init(jax.random.key(0), jnp.zeros((1, card["features"]))))
    _check_generator(card["generator"])
    return generator_arrays(card["generator"], domain_of_card(card), card.get("members"))


def generator_of_card(card):
    """The generator of a card, without spectral norm, which in every file is folded into the kernels.

    With a field `refine`, which `weights.load_generator` adds, its showers are refined.
    """
    domain = domain_of_card(card)
    generator = _build(folded(card["generator"]), card.get("members"), domain)
    if not card.get("refine"):
        return generator
    inverse = make_transform(**card["data"]["transform"]).inverse
    return RefinedGenerator(generator, card["refine"]["candidates"], domain, inverse, tuple(card["refine"]["widths"]))


def folded(fields):
    """The fields of a generator without spectral norm."""
    return fields | {name: False for name in fields if name == "spectral_norm"}


def _build(fields, members, domain):
    return build_ensemble(fields, members, domain) if members else build_generator(fields, domain)


def _check_generator(fields):
    """Raises RecordError for a field that the generator does not have, or that is of another type."""
    if fields["name"] not in GENERATORS:
        raise RecordError(f"generator.name is {shown(fields['name'])}; it must be one of {', '.join(GENERATORS)}")
    known = {field.name: FIELDS[field.type] for field in dataclasses.fields(GENERATORS[fields["name"]])
             if field.type in FIELDS}
    known |= {old: known[new] for old, new in RENAMED.items() if new in known}
    for name, value in fields.items():
        if name != "name" and name not in known:
            raise RecordError(f"generator.{shown(name)} is no field of the generator {fields['name']}")
        check_record(value, known.get(name, TEXT), f"generator.{shown(name)}")
    for name in ("widths", "profile_widths", "scales"):
        if len(fields.get(name, ())) > LONGEST:
            raise RecordError(f"generator.{name} has {len(fields[name])} numbers; it must have at most {LONGEST}")
    if fields.get("rounds", 0) > LONGEST:
        raise RecordError(f"generator.rounds is {fields['rounds']}; it must be at most {LONGEST}")


def generator_arrays(fields, domain, members=None):
    """The arrays of the generator, or ensemble, that `config.generator` describes in a domain, as `card_arrays`."""
    return _generator_arrays(json.dumps(fields), members, domain)


@functools.lru_cache(maxsize=64)
def _generator_arrays(fields, members, domain):
    """Arrays of the generator of these fields, given as JSON, or of an ensemble of them, in a domain."""
    def init():
        generator, key = _build(json.loads(fields), members, domain), jax.random.key(0)
        noise = jax.tree.map(lambda part: part[None], generator.draw_noise(key))
        return generator.init(key, noise, jnp.ones((1, 3)), jnp.zeros((1, 2)))

    return _arrays(init)


@functools.lru_cache(maxsize=64)
def _regressor_arrays(outputs):
    """Arrays of the regressor with this number of outputs."""
    return _arrays(lambda: Regressor(outputs=outputs).init(jax.random.key(0), jnp.zeros((1, *SHASHLIK.shape, 1))))


def _arrays(init):
    """Shapes and types of the parameters that `init` makes, without computing any."""
    try:
        return jax.eval_shape(init)["params"]
    except Exception as error:  # noqa: BLE001  Flax and JAX raise many kinds for sizes that do not fit
        raise RecordError(f"its network cannot be built: {shown(error)}") from error
