"""Showers from a trained generator: a pure jitted function, and the same with weights from a run or shipped."""
import functools
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Literal

import jax
import numpy as np
from jax.typing import ArrayLike

from ecalgen.data.grid import OLD, Domain, Grid, domain_record
from ecalgen.data.particles import beside, check_particles, held, limits, scaled, trained_range
from ecalgen.data.showers import ENERGY, quantities
from ecalgen.data.transforms import Transform, make_transform
from ecalgen.machine.chunks import in_chunks, sizes
from ecalgen.machine.host import progress, use_warm_programs
from ecalgen.machine.provenance import provenance
from ecalgen.machine.seeds import check_first, make_key, shower_keys, words
from ecalgen.models.layers import at_precision, fold_spectral_norm
from ecalgen.models.protocol import Generator, check_generator
from ecalgen.sampling.cards import domain_of_card, generator_of_card
from ecalgen.sampling.weights import load_generator, save_weights

CHUNKS = {"cpu": 64 * 900}
"""Backend -> cells in a call of the network; the arrays of this many fit a core's cache."""
LARGE_CHUNK = 8192 * 900
"""Cells in a call of the network on any other backend, which is an accelerator."""
PRECISIONS = ("float32", "bfloat16")
DESCRIBED = ("generator", "members", "trained_on", "domain", "refine")
"""Fields of a card on which the function of its sampler depends, besides the transform."""


def make_sampler(generator: Generator, transform: Transform, trained_on: Mapping | None = None,
                 grid: Grid = OLD.grid) -> Callable[..., jax.Array]:
    """A pure `sample(variables, key, momentum, point, first=0)` -> `[N, *grid.shape]` MeV.

    Its parts are jitted separately, so the network's program is the same with and without a training range. Shower `i`
    depends only on its particle, the key and `first + i`, so a set may be made in chunks. `first` is a whole number
    below 2^31, or the `seeds.words` of one below 2^63.

    Args:
      generator: a `models.protocol.Generator`.
      transform: its inverse turns cells into MeV.
      grid: of the generator's calorimeter.
      trained_on: training range, a field of a card. With it, any particle gives a finite shower and a finite gradient;
        one that misses the calorimeter gives an empty shower. Without it, particles reach the generator as they are.

    Raises:
      ConfigError: the object is no generator.
    """
    check_generator(generator)

    @jax.jit
    def make(variables, key, momentum, point, first):
        noise = jax.vmap(generator.draw_noise)(shower_keys(key, len(momentum), first))
        return transform.inverse(generator.apply(variables, noise, momentum, point))

    def sample(variables, key, momentum, point, first=0):
        if trained_on is None:
            return make(variables, key, momentum, point, first)
        momentum, point, factors = held(limits(trained_on, grid), momentum, point, grid)
        return scaled(make(variables, key, momentum, point, first), factors)

    return sample


def chunk_size(grid):
    """Largest number of showers in a call of the network on this machine: 64 of 900 cells on a CPU."""
    showers = CHUNKS.get(jax.default_backend(), LARGE_CHUNK) / math.prod(grid.shape)
    return 2 ** max(0, round(math.log2(showers)))


class Sampler:
    """A trained generator as a function of the incident particles.

    Attributes:
      card: system, config, training range and provenance of the generator.
      domain, grid: grid and scales of its showers, and the grid alone.
      sample, variables: the pure function of `make_sampler` and its first argument, for your own jitted code.
    """

    def __init__(self, sample: Callable[..., jax.Array], variables: Mapping, card: dict):
        self.sample, self.variables, self.card = sample, variables, card
        self.domain: Domain = domain_of_card(card)
        self.grid: Grid = self.domain.grid

    def __repr__(self):
        low, high = self.card["trained_on"][ENERGY]
        refined = f"; refined, {refine['candidates']} candidates" if (refine := self.card.get("refine")) else ""
        return (f"<Sampler: {self.card['system']} ({self.card['preset']}), {self.card['steps']:,} steps; {self.grid}; "
                f"{low:.3g} to {high:.3g} GeV{refined}>")

    def __reduce__(self):
        """A pickle holds weights and card; whoever reads it builds the function again."""
        return _restored, (jax.device_get(self.variables), self.card)

    def __call__(self, momentum: ArrayLike, point: ArrayLike, seed: int = 0, first: int = 0,
                 misses: Literal["refuse", "empty"] = "refuse") -> np.ndarray:
        """Showers of these particles, float32 `[N, *grid.shape]` MeV; the same seed gives the same showers.

        A particle misses the calorimeter when it enters outside of the front face. For a particle outside of the
        training range a warning is issued: its direction, position and energy are moved to the nearest ones near that
        range, and its shower is scaled to its own energy.

        Args:
          momentum: `[N, 3]` GeV.
          point: `[N, 2]` cm, on the front face.
          seed: whole number from 0 to 2^64 - 1.
          first: number of the first shower, for a set made in chunks; the last number is at most 2^63 - 1.
          misses: `refuse` raises an error for a particle that misses, `empty` gives it an empty shower.

        Raises:
          BadShowers: conditions that are not numbers, do not match, or do not fly into the calorimeter.
          UserError: a seed, a first number or a choice for `misses` that cannot be, or arrays that JAX traces.
        """
        momentum, point = check_particles(momentum, point, misses, self.grid)
        key, first = make_key(seed), check_first(first, len(momentum))
        hits = ~beside(point, self.grid)
        _warn_outside(self.card["trained_on"], momentum[hits], point[hits], self.grid)
        sample = lambda momentum, point, start: self.sample(self.variables, key, momentum, point, words(first + start))
        return in_chunks(sample, chunk_size(self.grid), self.grid.shape, momentum, point)

    def compile(self) -> dict[int, float]:
        """Compile the programs for all numbers of showers: {showers in a call of the network: seconds}.

        The particles lie in the middle of the range on which the generator was trained.
        """
        energy, *slopes = (np.mean(limits) for limits in list(self.card["trained_on"].values())[:3])
        along = np.array([*slopes, 1.0])
        momentum, seconds = energy * along / np.linalg.norm(along), {}
        for showers in progress(sizes(chunk_size(self.grid)), desc="compiling", leave=False):
            start = time.perf_counter()
            self(np.tile(momentum, (showers, 1)), np.zeros((showers, 2)))
            seconds[showers] = time.perf_counter() - start
        return seconds


def load_sampler(source: str | os.PathLike, precision: Literal["float32", "bfloat16"] = "float32",
                 refine: int = 1) -> Sampler:
    """The `Sampler` of a finished run, or one that ships with the package.

    Args:
      source: a workdir, or the name of a shipped model.
      precision: of the networks' products, one of `PRECISIONS`. `bfloat16` is for accelerators; it makes other showers
        from the same seed.
      refine: number of candidates for each shower. One of them is kept by the odds of a network that they are Geant4's
        (`ecalgen refine` trains it). Sampling takes that many times as long.

    Raises:
      WeightsError: no such model, its files are damaged, or it has no refiner.
      ValueError: an unknown precision.
      UserError: a number of candidates that cannot be.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}; it is one of {', '.join(PRECISIONS)}")
    params, card = load_generator(source, refine)
    use_warm_programs()
    return _restored({"params": at_precision(jax.device_put(params), precision)}, card)


def _restored(variables, card):
    """The sampler of these variables."""
    described = {name: card.get(name) for name in DESCRIBED} | {"data": {"transform": card["data"]["transform"]}}
    return Sampler(_sample_of(json.dumps(described)), jax.device_put(variables), card)


@functools.lru_cache(maxsize=16)
def _sample_of(described):
    """The pure function of a card's DESCRIBED fields and its transform, as JSON. Equal ones share programs."""
    card = json.loads(described)
    return make_sampler(generator_of_card(card), make_transform(**card["data"]["transform"]), card["trained_on"],
                        domain_of_card(card).grid)


def export_generator(folder, state, config, showers, domain):
    """Write a trained generator for `load_sampler`: averaged parameters with spectral norm folded in, and a card.

    Args:
      folder: made when missing.
      state: state of the last stage, with `sampled`.
      config: of the run.
      showers: the training showers; their range goes into the card.
      domain: of the generator.
    """
    params = fold_spectral_norm(**jax.device_get(state.sampled))
    fields, members = config.to_dict(), config.get("ensemble", {}).get("members")
    card = {"kind": "generator", "system": config.system, "preset": config.preset, "generator": fields["generator"],
            "data": fields["data"], "steps": int(state.step), "trained_on": condition_range(showers),
            "domain": domain_record(domain), "provenance": provenance(config.seed)}
    if members:
        card |= {"members": members, "steps": config.train.steps}
    if config.get("init"):
        card["init"] = config.init
    if config.regressor:
        card["regressor"] = fields["regressor"]
    save_weights(folder, params, card)


def condition_range(showers):
    """{quantity: [lowest, highest]} of energy (GeV), slopes and reference point (cm) among showers."""
    return {name: [float(np.min(value)), float(np.max(value))]
            for name, value in quantities(showers.momentum, showers.point, showers.grid).items()}


def _warn_outside(trained_on, momentum, point, grid):
    messages = []
    with np.errstate(over="ignore"):  # slopes of particles along the face
        values = quantities(momentum, point, grid)
    for (name, value), least, most in zip(values.items(), *trained_range(trained_on, grid), strict=True):
        if outside := int(np.sum((value < least) | (value > most))):
            low, high = trained_on[name]
            messages.append(f"{name} of {outside} showers is outside [{low:.3g}, {high:.3g}]")
    if messages:
        warnings.warn(f"conditions outside the range this generator was trained on: {'; '.join(messages)}; do not "
                      "trust these showers (momenta are in GeV, points in cm)", stacklevel=3)
