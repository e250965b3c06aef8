"""A library of showers as a generator: each particle gets the stored shower of the most similar particle.

Source: Chekalina et al. 2018, talk "Generative Models for Fast Calorimeter Simulation: LHCb Case", "Shower Library".
"""
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from ecalgen.data.grid import OLD, Domain
from ecalgen.data.octant import fold, fold_cells, unfold_cells
from ecalgen.data.showers import for_cells, incident_energy, reference_point
from ecalgen.errors import ConfigError
from ecalgen.models.particle import incident_vector

CONDITIONS = 5
"""Numbers by which showers are compared: log E, both slopes and both coordinates of the track."""


class ShowerLibrary(nn.Module):
    """The nearest stored shower in scaled conditions, its energies scaled by E / E_stored.

    The parameters are the showers themselves; nothing is trained. Folded into the octant px >= py >= 0, eight times as
    many stored showers lie near any particle.

    Args:
      showers: how many are stored.
      scales: factors of the first five numbers of `incident_vector`; a difference counts less with a smaller factor.
      neighbours: number of nearest showers from which one is drawn with equal probability.
      shift: move the shower by less than a cell to the track, sharing energy between neighbouring cells.
      octant: fold particles and stored showers into the octant.
    """

    COUNTS: ClassVar = ("showers", "neighbours")
    AXES: ClassVar = (2, 3)
    showers: int
    scales: Sequence[float] = (0.5, 1.0, 1.0, 1.0, 1.0)
    neighbours: int = 1
    shift: bool = False
    octant: bool = True
    domain: Domain = OLD

    def draw_noise(self, key):
        """A uniform number in [0, 1), which chooses one of the neighbours."""
        return jax.random.uniform(key)

    def frame(self, momentum, point):
        """Particles as the library compares them."""
        return fold(momentum, point, self.domain.grid) if self.octant else (momentum, point)

    @property
    def shapes(self):
        """Array of the library -> its shape for one shower, and its type."""
        return {"energy": (self.domain.grid.shape, jnp.float16), "momentum": ((3,), jnp.float32),
                "point": ((2,), jnp.float32)}

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        """`noise [N]`, `momentum [N, 3]` GeV, `point [N, 2]` cm -> `[N, nx, ny]` MeV."""
        del update_stats
        stored = {name: self.param(name, nn.initializers.zeros, (self.showers, *shape), dtype)
                  for name, (shape, dtype) in self.shapes.items()}
        grid, incident = self.domain.grid, self.frame(momentum, point)
        index = lax.top_k(-distances(*incident, stored["momentum"], stored["point"], self.scales, self.domain),
                          self.neighbours)[1]
        rank = (noise * self.neighbours).astype(jnp.int32)
        chosen = jnp.take_along_axis(index, rank[:, None], axis=1)[:, 0]
        momentum_there, point_there = (stored[name][chosen] for name in ("momentum", "point"))
        ratio = incident_energy(momentum) / jnp.maximum(incident_energy(momentum_there), 1e-3)
        cells = stored["energy"][chosen].astype(jnp.float32)
        cells *= for_cells(ratio, cells)
        if self.shift:
            r0, r0_there = reference_point(*incident, grid), reference_point(momentum_there, point_there, grid)
            cells = moved(cells, (r0 - r0_there) / jnp.asarray(grid.pitch[:2])[None])
        return unfold_cells(cells, momentum, grid) if self.octant else cells


def fill(generator, energy, momentum, point):
    """The library's parameters, of its first `generator.showers` showers: `[N, nx, ny]` MeV, `[N, 3]`, `[N, 2]`.

    Raises:
      ConfigError: there are fewer.
    """
    if len(energy) < generator.showers:
        raise ConfigError(f"config.generator.showers is {generator.showers:,}, but the training split holds only "
                          f"{len(energy):,}; lower it")
    energy, momentum, point = (jnp.asarray(array[:generator.showers]) for array in (energy, momentum, point))
    cells = fold_cells(energy, momentum, generator.domain.grid) if generator.octant else energy
    incident = generator.frame(momentum, point)
    return {name: jnp.asarray(value, dtype)
            for (name, (_, dtype)), value in zip(generator.shapes.items(), (cells, *incident), strict=True)}


def distances(momentum, point, momentum_there, point_there, scales, domain):
    """Squared distances of particles `[N]` from stored ones `[M]` in scaled conditions: `[N, M]`."""
    ours, theirs = (incident_vector(*incident, domain)[:, :CONDITIONS] * jnp.asarray(scales)[None]
                    for incident in ((momentum, point), (momentum_there, point_there)))
    product = jnp.matmul(ours, theirs.T, precision=lax.Precision.HIGHEST)
    return jnp.sum(ours**2, axis=1)[:, None] - 2 * product + jnp.sum(theirs**2, axis=1)[None]


def moved(cells, offset):
    """Cells moved by `offset [N, 2]` cells, each below 1; energy that leaves a cell enters its neighbour."""
    for axis in (1, 2):
        cells = _moved_along_x(cells.swapaxes(1, axis), for_cells(offset[:, axis - 1], cells)).swapaxes(1, axis)
    return cells


def _moved_along_x(cells, d):
    beside = [(0, 0)] * (cells.ndim - 2)
    up = jnp.pad(cells[:, :-1], ((0, 0), (1, 0), *beside))
    down = jnp.pad(cells[:, 1:], ((0, 0), (0, 1), *beside))
    return (1 - jnp.abs(d)) * cells + jnp.maximum(d, 0) * up + jnp.maximum(-d, 0) * down
