"""The physics-anchored generator: a network corrects each cell of a prior that was fitted by likelihood."""
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.data.grid import OLD, Domain
from ecalgen.data.octant import fold, unfold_cells
from ecalgen.data.showers import for_cells
from ecalgen.models import hits
from ecalgen.models.layers import (
    UP_SIDES,
    Conv,
    Dense,
    Modulation,
    SelfAttention,
    UpBlock,
    cell_layers,
    cropped,
    first_maps,
    first_pixels,
    framed,
)
from ecalgen.models.observed import seen_observables
from ecalgen.models.particle import incident_vector
from ecalgen.models.prior import (
    PROFILES,
    LatentMixture,
    TotalHead,
    cell_features,
    draw_mixture,
    shares_of,
    total_unit,
)
from ecalgen.models.whitening import Whitening

LARGEST = 3.0
"""Bound of a correction to log mu, log eps or log kappa: delta = 3 tanh(o / 3)."""
LOG_MU = np.array([1, 0, 0], np.float32)
"""Factors that select log mu among the maps."""
SCALES = np.array([0.25, 1, 1], np.float32)
"""Scales of the maps in the input of the correction; log mu has the widest range."""


class AnchoredGenerator(nn.Module):
    """Cells of a shower in MeV: e_i = S h_i / sum h, with h_i drawn around the corrected prior.

        S ~ p(S | c),  (log share, log eps, log kappa) = prior(c, S, z),  (a, b, k) = correction(noise, c, prior, o)
        h_i = hits(n'_i; log S + log share_i + a_i, log eps_i + b_i, log kappa_i + k_i)

    where o are the observables of the shower that the same noise makes with a = b = k = 0. So the network sees what the
    prior has drawn, and corrects it. n' is noise that neighbouring cells share; how much they share is trained.

    Args:
      shape_latents: K, the number of latents z of the shape of a shower, with which the prior was fitted.
      profile: `fitted` by the prior's stage, or `fixed`, a falling exponential that does not depend on the particle.
      profile_widths: widths of the profile's hidden layers.
      spectrum: give a single hit the spectrum that was fitted by the prior's stage (`hits.shaped`).
      shared: let neighbouring cells share as much noise as was fitted by the prior's stage (`hits.shared`).
      corners: with `shared`, those at corners share noise, too.
      mixture: number of normal distributions of the latents, as fitted by the prior's stage; 0 for N(0, 1).
      total: draw S from its fitted distribution; otherwise S is the sum of the cells.
      correction: add the network; without it the prior alone makes the showers.
      sight: give o, the observables of what the prior has drawn, to the network.
      correlated: let neighbouring cells share noise (`hits.correlated`) where `shared` does not; otherwise n' = n.
      by_hits: let this sharing depend on the expected number of hits.
      octant: fold every shower into the octant px >= py >= 0.
      network: of the correction: `convolutions`, or `cells`, a small network of each cell alone, which is faster. Cells
        that are read out in depth need the latter.
      latent: number of noise variables of the correction.
      widths: channels of the convolutions at 4x4, 8x8 and 16x16 (of 30x30 cells), or widths of the hidden layers of
        `cells`.
      attention: the map on which self-attention acts, one of `UP_SIDES`; 0 for none.
      spectral_norm: divide the correction's kernels, except the last one, by their largest singular value.
    """

    SIDES: ClassVar = UP_SIDES[:2]
    WIDTHS: ClassVar = 3
    CHOICES: ClassVar = {"profile": tuple(PROFILES), "network": ("convolutions", "cells")}
    COUNTS: ClassVar = ("latent", "shape_latents")
    OPTIONS: ClassVar = ("mixture",)
    AXES: ClassVar = (2, 3)
    shape_latents: int = 4
    profile: str = "fitted"
    profile_widths: Sequence[int] = (32, 32)
    spectrum: bool = False
    shared: bool = False
    corners: bool = False
    mixture: int = 0
    total: bool = True
    correction: bool = True
    sight: bool = True
    correlated: bool = True
    by_hits: bool = False
    octant: bool = True
    network: str = "convolutions"
    latent: int = 64
    widths: Sequence[int] = (36, 36, 24)
    attention: int = 0
    spectral_norm: bool = False
    domain: Domain = OLD

    def draw_noise(self, key):
        """The noise of one shower, N(0, 1): a dict with an entry for each use."""
        keys = jax.random.split(key, 5)
        noise = {"component": jax.random.normal(keys[0]), "total": jax.random.normal(keys[1]),
                 "shape": jax.random.normal(keys[2], (self.shape_latents,)),
                 "cells": jax.random.normal(keys[3], self.domain.grid.shape)}
        if self.mixture:
            noise["mixture"] = jax.random.normal(jax.random.fold_in(keys[2], 0))
        return noise | ({"latent": jax.random.normal(keys[4], (self.latent,))} if self.correction else {})

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        """`noise` of `draw_noise`, `[N, ...]`; `momentum [N, 3]` GeV, `point [N, 2]` cm -> cells `[N, ...]` MeV."""
        grid = self.domain.grid
        incident = fold(momentum, point, grid) if self.octant else (momentum, point)
        given = incident_vector(*incident, self.domain)
        score = draw_mixture(TotalHead(name="total")(given), noise["component"], noise["total"])
        centre, scale = total_unit(momentum, self.domain.scales)
        total = jnp.maximum(centre + score * scale, 0.1 * centre)
        z = noise["shape"]
        if self.mixture:
            z = LatentMixture(self.mixture, self.shape_latents, name="latents").draw(noise["mixture"], z)
        maps = PROFILES[self.profile](self.profile_widths, self.domain, name="profile")(*incident, score, z)
        drawn = hits.cell_energy
        if self.spectrum:
            log_slopes = self.param("spectrum", nn.initializers.zeros, (hits.KNOTS,))
            drawn = lambda n, *maps: hits.shaped(hits.cell_energy(n, *maps), maps[1], log_slopes)
        n = noise["cells"]
        maps += for_cells(jnp.log(total), n)[None] * for_cells(LOG_MU, maps)
        if self.shared:
            n = hits.shared(n, maps[0] - maps[1], *shares_of(self, self.corners))
        if self.correction:
            if self.correlated and not self.shared:
                shape = (len(grid.shape), 3) if self.by_hits else (len(grid.shape),)
                weights = self.param("neighbours", nn.initializers.zeros, shape)
                n = hits.correlated(n, weights, maps[0] - maps[1] if self.by_hits else None)
            signal = jnp.concatenate([noise["latent"], z, given, score[:, None]], axis=1)
            if self.sight:
                alone = scaled(drawn(n, *maps), total)
                seen = Whitening(name="whitening")(seen_observables(alone, *incident, grid), given)
                signal = jnp.concatenate([signal, seen], axis=1)
            seen = jnp.concatenate([maps * for_cells(SCALES, maps), n[None]])
            if self.network == "cells":
                maps += CellCorrection(self.widths, name="correction")(signal, seen, cell_features(*incident, grid)[0])
            else:
                outputs = Correction(self.widths, self.attention, self.spectral_norm, name="correction")(
                    signal, jnp.moveaxis(seen, 0, -1), update_stats)
                maps += jnp.moveaxis(outputs, -1, 0)
        cells = drawn(n, *maps)
        if self.total:
            cells = scaled(cells, total)
        return unfold_cells(cells, momentum, grid) if self.octant else cells


def scaled(cells, total):
    """The cells times a factor each shower, so that their sum is `total [N]`."""
    drawn = cells.sum(tuple(range(1, cells.ndim)))
    return cells * for_cells(total / jnp.maximum(drawn, 1e-3), cells)


class Correction(nn.Module):
    """Corrections to log mu, log eps and log kappa of each cell, from a signal of the shower and maps of the prior.

    The signal becomes maps of half the cells' side (16x16), as in the plain generator. There the prior's maps join,
    four cells in each pixel.
    """

    widths: Sequence[int]
    attention: int
    spectral_norm: bool

    @nn.compact
    def __call__(self, signal, maps, update_stats=False):
        """`signal [N, S]`, `maps [N, nx, ny, 4]` -> `[N, nx, ny, 3]`."""
        normed = self.spectral_norm
        shape = maps.shape[1:3]
        x = Dense(first_pixels(shape) * self.widths[0], normed, name="project")(signal, update_stats)
        x = first_maps(x, shape)
        for i, width in enumerate(self.widths[1:]):
            x = UpBlock(width, normed, name=f"up{i}")(x, signal, update_stats)
            if UP_SIDES[i] == self.attention:
                x = SelfAttention(normed, name="attention")(x, update_stats)
        x = jnp.concatenate([x, space_to_depth(framed(maps, mode="edge"))], axis=-1)
        x = Conv(self.widths[-1], spectral_norm=normed, name="join")(x, update_stats)
        y = nn.relu(Modulation(normed, name="modulation")(x, signal, update_stats))
        x = nn.relu(x + Conv(self.widths[-1], spectral_norm=normed, name="residual")(y, update_stats))
        outputs = cropped(depth_to_space(Conv(12, kernel_scale=0.003, name="outputs")(x)), shape)
        return LARGEST * jnp.tanh(outputs / LARGEST)


class CellCorrection(nn.Module):
    """Corrections of `Correction` from a network of each cell alone: its maps, its place and the shower's signal."""

    widths: Sequence[int]

    @nn.compact
    def __call__(self, signal, maps, place):
        """`signal [N, S]`, `maps [4, N, cells]`, `place [8 or 13, N, cells]` -> `[3, N, cells]`."""
        outputs = cell_layers(jnp.concatenate([place, maps]), signal, self.widths, 3, kernel_scale=0.003)
        return LARGEST * jnp.tanh(outputs / LARGEST)


def space_to_depth(x):
    """Blocks of 2x2 pixels become channels: `[N, H, W, C]` -> `[N, H/2, W/2, 4C]`."""
    n, height, width, channels = x.shape
    x = x.reshape(n, height // 2, 2, width // 2, 2, channels).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(n, height // 2, width // 2, 4 * channels)


def depth_to_space(x):
    """The inverse of `space_to_depth`: `[N, H, W, 4C]` -> `[N, 2H, 2W, C]`."""
    n, height, width, channels = x.shape
    x = x.reshape(n, height, width, 2, 2, channels // 4).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(n, 2 * height, 2 * width, channels // 4)
