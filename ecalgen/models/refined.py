"""Refinement: of several showers of a generator one is kept, by a network's odds that it is one of Geant4.

Source: Turner et al. 2019, arXiv:1811.11357 (Metropolis-Hastings on a generator's samples). The chain here starts at
the first candidate, as no real shower of the particle is at hand. So two candidates remove a part of the difference.
"""
from collections.abc import Callable, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr

from ecalgen.data.grid import Domain
from ecalgen.data.observables import lateral
from ecalgen.data.octant import fold, fold_cells
from ecalgen.data.showers import for_cells
from ecalgen.models.layers import Dense
from ecalgen.models.observed import ZERO, seen_observables, seen_rings
from ecalgen.models.particle import incident_vector

RANKED = 13
"""The highest cells whose energies the network sees."""
LIMIT = 8.0
"""Standard deviations to which a feature is clipped, so that no shower has arbitrary odds."""


class Refiner(nn.Module):
    """The log odds that a shower is one of Geant4, up to a constant, from `shower_features`: `[N, F]` -> `[N]`."""

    widths: Sequence[int] = (128, 128)

    @nn.compact
    def __call__(self, features):
        width = features.shape[1]
        centre, scale = (jax.lax.stop_gradient(self.param(name, start, (width,))) for name, start in
                         (("centre", nn.initializers.zeros), ("scale", nn.initializers.ones)))
        x = jnp.clip((features - centre[None]) * scale[None], -LIMIT, LIMIT)
        for number, size in enumerate(self.widths):
            x = nn.leaky_relu(Dense(size, name=f"hidden{number}")(x), 0.1)
        return Dense(1, name="odds")(x)[:, 0]


class RefinedGenerator(nn.Module):
    """Showers of a generator, each chosen among candidates by Metropolis-Hastings with a `Refiner`'s odds.

    A candidate replaces the one before it with the probability min(1, odds / odds before).

    Args:
      generator: a `models.protocol.Generator`.
      candidates: how many it makes for each shower.
      domain: of its showers.
      energies: (cells of the generator) -> MeV, the inverse of its transform.
      widths: of the `Refiner`'s hidden layers.
    """

    generator: nn.Module
    candidates: int
    domain: Domain
    energies: Callable
    widths: Sequence[int] = (128, 128)

    def draw_noise(self, key):
        """The noise of one shower: that of each candidate, the first as without refinement, and of each decision."""
        keys = [key, *(jax.random.fold_in(key, number) for number in range(1, self.candidates))]
        return {"candidates": [self.generator.draw_noise(one) for one in keys],
                "decisions": [jax.random.normal(jax.random.fold_in(one, 0)) for one in keys[1:]]}

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        """`noise` of `draw_noise`, `[N, ...]`; `momentum [N, 3]` GeV, `point [N, 2]` cm -> cells, `[N, ...]`."""
        refiner = Refiner(self.widths, name="refiner")
        kept = kept_odds = None
        for number, own in enumerate(noise["candidates"]):
            cells = self.generator(own, momentum, point, update_stats)
            odds = refiner(shower_features(self.energies(cells), momentum, point, self.domain))
            if kept is None:
                kept, kept_odds = cells, odds
                continue
            taken = jnp.log(jnp.maximum(ndtr(noise["decisions"][number - 1]), 1e-30)) < odds - kept_odds
            kept, kept_odds = jnp.where(for_cells(taken, cells), cells, kept), jnp.where(taken, odds, kept_odds)
        return kept


def shower_features(energy, momentum, point, domain):
    """What a `Refiner` sees of showers, folded by the symmetries of their grid: `[N, F]`.

    The observables, the `RANKED` highest cells, the sums of `seen_rings`, and the incident particle.

    Args:
      energy: `[N, nx, ny]` or `[N, nx, ny, nz]` MeV.
      momentum, point: `[N, 3]` GeV, `[N, 2]` cm.
      domain: of the showers.
    """
    shower = fold_cells(energy, momentum, domain.grid), *fold(momentum, point, domain.grid)
    highest = jnp.log1p(ranked(lateral(shower[0])) / ZERO)
    return jnp.concatenate([seen_observables(*shower, domain.grid), highest, seen_rings(*shower, domain.grid),
                            incident_vector(*shower[1:], domain)], axis=1)


def ranked(cells, count=RANKED):
    """The energies of the highest cells in falling order: `[N, nx, ny]` -> `[N, count]`; equal ones count once."""
    found = []
    for _ in range(count):
        found.append(cells.max((1, 2)))
        cells = jnp.where(cells >= found[-1][:, None, None], 0, cells)
    return jnp.stack(found, axis=1)
