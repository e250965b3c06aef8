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
from ecalgen.data.observables import from_track, lateral
from ecalgen.data.octant import fold, fold_cells
from ecalgen.data.showers import for_cells
from ecalgen.models.layers import Dense
from ecalgen.models.observed import seen_observables
from ecalgen.models.particle import incident_vector

RANKED = 13
"""The highest cells whose energies the network sees."""
RADII = (0.0, 2.0, 3.0, 5.0, 8.0, 12.0, 1e3)
"""Edges of the rings around the track, in cells."""
LIGHT = (0.3, 0.6, 1.0, 1.5, 3.0, 10.0)
"""MeV: cells above each of these are counted, in each ring."""
ZERO = 0.1
"""MeV: energies enter as log(1 + e / ZERO)."""
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

    The observables; the `RANKED` highest cells; in each ring around the track the number of lit cells, of lit pairs
    beside each other and across a corner, of cells above each of `LIGHT`, the sum of log energies, of their squares and
    of the products of neighbours; and the incident particle.

    Args:
      energy: `[N, nx, ny]` or `[N, nx, ny, nz]` MeV.
      momentum, point: `[N, 3]` GeV, `[N, 2]` cm.
      domain: of the showers.
    """
    grid = domain.grid
    energy, (momentum, point) = fold_cells(energy, momentum, grid), fold(momentum, point, grid)
    cells = lateral(energy)
    x, y = from_track(momentum, point, grid)
    distance = jnp.sqrt(x**2 + y**2)
    lit, logs = (cells > 0).astype(cells.dtype), jnp.log1p(cells / ZERO)
    maps = [lit, logs, logs**2, *((cells >= least).astype(cells.dtype) for least in LIGHT)]
    pairs = [_neighbours(values, across) for values in (lit, logs) for across in (False, True)]
    rings = [(distance >= low) & (distance < high) for low, high in zip(RADII, RADII[1:], strict=False)]
    sums = [jnp.where(ring, values, 0).sum((1, 2)) for values in (*maps, *pairs) for ring in rings]
    return jnp.concatenate([seen_observables(energy, momentum, point, grid), jnp.log1p(ranked(cells) / ZERO),
                            jnp.stack(sums, axis=1), incident_vector(momentum, point, domain)], axis=1)


def ranked(cells, count=RANKED):
    """The energies of the highest cells in falling order: `[N, nx, ny]` -> `[N, count]`; equal ones count once."""
    found = []
    for _ in range(count):
        found.append(cells.max((1, 2)))
        cells = jnp.where(cells >= found[-1][:, None, None], 0, cells)
    return jnp.stack(found, axis=1)


def _neighbours(values, across):
    """The sum of a cell's products with its next cells along x and y, or with those across two of its corners."""
    right, up = jnp.pad(values[:, 1:], ((0, 0), (0, 1), (0, 0))), jnp.pad(values[:, :, 1:], ((0, 0), (0, 0), (0, 1)))
    if not across:
        return values * (right + up)
    corner = lambda cells: jnp.pad(cells, ((0, 0), (0, 1), (0, 0)))
    return values * (corner(up[:, 1:]) + corner(jnp.pad(values[:, 1:, :-1], ((0, 0), (0, 0), (1, 0)))))
