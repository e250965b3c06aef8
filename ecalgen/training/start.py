"""What a run starts from when `config.init` names a trained generator, of this grid and particle or of others.

These parts of the generator carry over: the profile and the total energy of a prior, and all layers of its networks.
They see places relative to the track, not indices of cells, so that they also fit another grid. Layers whose maps
belong to the old grid do not fit it: the part that holds them starts anew.

These start anew: the discriminator and a regressor, which do not ship; the encoders of the prior and of the VAE; and
the whitening, which least squares fit to the new showers. The whitening is turned towards the old one
(`whitening.turned`), because the correction sees its directions one by one.

The scales of the particle stay the old ones, so that an energy, a slope or a place is the same number to the old
layers. The visible fraction and its resolution belong to the calorimeter and are those of the new showers: so the total
energy carries over to a calorimeter of another sampling fraction. Lengths stay in units of the grid's own cells. A
shower is equally wide in cm in all cells of a material, and the old profile at first predicts one that is equally wide
in cells. But the share of a wide cell is an integral over it, so that lengths in cm do not predict it either. In short
fits to 1,000 showers, judged by `validation`, the prior was equally good in either unit after two hundred steps.
"""
import dataclasses
from typing import Any, NamedTuple

import jax

from ecalgen.data.grid import Domain
from ecalgen.errors import ConfigError
from ecalgen.models.build import RENAMED, build_generator
from ecalgen.sampling.cards import domain_of_card, generator_arrays
from ecalgen.sampling.weights import copy_weights, load_weights
from ecalgen.training.state import START

FOLDER = "start"
"""In the folder of a run; it holds the weights that the run starts from."""
FITTED = "whitening"
"""The part of a generator that is fitted to the showers of every run."""
OF_CALORIMETER = ("fraction", "resolution")
"""Scales that belong to the calorimeter; the others belong to the particle."""


class Start(NamedTuple):
    """The generator that a run starts from.

    Args:
      source: the name or the folder that `config.init` gives.
      params: {part: parameters} that carry over.
      anew: names of the parts that start anew, because their maps belong to another grid.
      whitening: its parameters, towards which the new whitening is turned; None without one.
      domain: of the generator's own showers.
    """

    source: str
    params: dict
    anew: tuple
    whitening: Any
    domain: Domain

    @property
    def fitted(self):
        """No parameters that later stages leave as they are."""
        return {}

    def __str__(self):
        anew = [f"{name} (its maps belong to {self.domain.grid})" for name in self.anew]
        fitted = [f"{FITTED} (fitted to these showers)"] if self.whitening else []
        return f"starting from {self.source}: {', '.join(self.params)}; anew: {', '.join([*anew, *fitted, 'all else'])}"

    def domain_of(self, domain):
        """The domain of the run: that of its showers, with the old scales of the particle."""
        own = {name: getattr(domain.scales, name) for name in OF_CALORIMETER}
        return Domain(domain.grid, dataclasses.replace(self.domain.scales, **own))

    def hand_to(self, stage):
        """The `Stage`, started from this generator; without stages before it, only its shapes are asked for."""
        return dataclasses.replace(stage, init=lambda key, before: stage.init(
            key, before if before is None else {START: self} | before))


def read_start(config, grid, workdir=None):
    """The `Start` of a run with showers in a grid, or None where `config.init` is not set.

    Args:
      config: of the run.
      grid: of its showers.
      workdir: of the run, which keeps a copy of the weights from its first step on.

    Raises:
      ConfigError: nothing of the generator fits this grid; and the errors of `read_weights`.
    """
    if not config.get("init"):
        return None
    params, card = read_weights(config, workdir)
    expected = generator_arrays(config.generator.to_dict(), Domain(grid))
    shapes = lambda tree: jax.tree.map(lambda array: array.shape, tree)
    fits = {name: shapes(params[name]) == shapes(expected[name]) for name in params}
    carried = {name: params[name] for name in params if name != FITTED and fits[name]}
    anew = tuple(name for name in params if name != FITTED and not fits[name])
    domain = domain_of_card(card)
    if not carried:
        raise ConfigError(f"config.init is {config.init!r}, a generator of {domain.grid}, of which nothing fits "
                          f"{grid}; start from a generator of this grid, or leave the field out")
    return Start(config.init, carried, anew, params.get(FITTED), domain)


def read_weights(config, workdir=None):
    """(params, card) of the generator that `config.init` names, or of the copy in the folder of the run.

    Raises:
      WeightsError: no such model, or its files are damaged.
      ConfigError: a generator of other fields or of another transform.
    """
    kept = workdir is not None and _is_kept(workdir)
    params, card = load_weights(workdir / FOLDER if kept else config.init, "generator")
    _check_same(config, card)
    return params, card


def keep_start(config, workdir):
    """Copy the weights that `config.init` names into the run's folder, so that a later call does not need them."""
    if config.get("init") and not _is_kept(workdir):
        copy_weights(config.init, "generator", workdir / FOLDER)


def _is_kept(workdir):
    """Whether the copy is there; its card is written last."""
    return (workdir / FOLDER / "generator" / "card.json").exists()


def _check_same(config, card):
    """Raises ConfigError where the generator of a card is not that of the config, or makes other cells."""
    fields, there = config.generator.to_dict(), card["generator"]
    same = "give the same fields, or leave config.init out"
    if fields["name"] != there["name"]:
        raise ConfigError(f"config.init is {config.init!r}, a generator {there['name']!r}, but config.generator.name "
                          f"is {fields['name']!r}; {same}")
    built = build_generator(there)
    for name, value in fields.items():
        argument = RENAMED[name] if name not in built.__dataclass_fields__ else name
        if name != "name" and _plain(value) != (other := _plain(getattr(built, argument))):
            raise ConfigError(f"config.init is {config.init!r}, whose generator has {name} {other}, but "
                              f"config.generator.{name} is {_plain(value)}; {same}")
    transform, theirs = config.data.transform.to_dict(), card["data"]["transform"]
    if transform != theirs:
        raise ConfigError(f"config.init is {config.init!r}, whose config.data.transform is {theirs}, but here it is "
                          f"{transform}; give the same one, or leave config.init out")


def _plain(value):
    return tuple(value) if isinstance(value, list | tuple) else value
