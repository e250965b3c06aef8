"""Networks by name from a config, and what it says of names it does not know."""
import dataclasses
import importlib
import pathlib

import flax.linen as nn
import ml_collections
import pytest

import configs
from ecalgen.models.build import DISCRIMINATORS, GENERATORS, RENAMED, build_discriminator, build_generator

OLDER = {("wgan", "plain"): {"learnt_gain", "squares"}}
"""Fields that a config does not give, since the recipes of its older runs lack them."""
FIELDS = dict(name="plain", widths=[8, 8, 8, 8], attention=8, spectral_norm=True, conditioning="projection")


def config(**changes):
    return ml_collections.ConfigDict(FIELDS | changes)


def test_fields_become_arguments():
    generator = build_generator(config(latent=12))
    assert generator.latent == 12 and generator.widths == (8, 8, 8, 8) and generator.attention == 8


@pytest.mark.parametrize("build, kind", [(build_generator, "generator"), (build_discriminator, "discriminator")])
def test_unknown_names_are_refused_with_the_known_ones(build, kind):
    with pytest.raises(ValueError, match=f"config.{kind}.name is 'fancy'; it is one of plain, "):
        build(config(name="fancy"))
    with pytest.raises(ValueError, match=f"config.{kind}.conditioning is 'x'; it is one of projection, concatenation"):
        build(config(conditioning="x"))


def test_the_anchored_system():
    generator = build_generator(dict(name="anchored", profile="fixed", shape=3))
    assert generator.shape_latents == 3 and generator.profile == "fixed"
    assert build_discriminator(dict(name="physics", octant=False)).octant is False
    with pytest.raises(ValueError, match="config.generator.profile is 'x'; it is one of fitted, fixed"):
        build_generator(dict(name="anchored", profile="x"))


@pytest.mark.parametrize("changes, message", [
    (dict(widths=(8, 8)), r"config.generator.widths is \(8, 8\); 'anchored' takes 3 widths"),
    (dict(attention=7), "config.generator.attention is 7; it is the side of a map, one of 8, 16, or 0 for none"),
    (dict(shape=0), "config.generator.shape is 0; it must be at least 1"),
    (dict(mixture=-1), "config.generator.mixture is -1; it must be at least 0, which means none"),
])
def test_fields_that_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        build_generator(dict(name="anchored") | changes)


class Own(nn.Module):
    """A generator of one's own, some of whose arguments are called as those of other networks are."""

    network: str = "wide"
    shape: int = 0
    rounds: int = 0

    def draw_noise(self, key):
        """Nothing."""

    def __call__(self, noise, momentum, point, update_stats=False):
        """Nothing."""


def test_checks_of_other_networks_do_not_bind_one_of_ones_own(monkeypatch):
    monkeypatch.setitem(GENERATORS, "own", Own)
    generator = build_generator(dict(name="own", network="deep", shape=4, rounds=0))
    assert (generator.network, generator.shape, generator.rounds) == ("deep", 4, 0)
    with pytest.raises(ValueError, match="has no field .depth.; its fields are network, shape, rounds"):
        build_generator(dict(name="own", depth=1))


@pytest.mark.parametrize("path", sorted(pathlib.Path(configs.__path__[0]).glob("[!_]*.py")), ids=lambda path: path.stem)
def test_a_config_gives_every_argument_of_its_networks(path):
    """The defaults of the classes are only for cards and runs of older versions."""
    config = importlib.import_module(f"configs.{path.stem}").get_config()
    given_by_build = {"parent", "name", "auxiliary", "regressor", "decides", "bound", "adversarial_gradient", "domain"}
    for fields, classes in ((config.generator, GENERATORS), (config.discriminator, DISCRIMINATORS)):
        if fields:
            arguments = {field.name for field in dataclasses.fields(classes[fields.name])} - given_by_build
            given = {RENAMED.get(name, name) for name in fields} - {"name"}
            assert given == arguments - OLDER.get((path.stem, fields.name), set())
