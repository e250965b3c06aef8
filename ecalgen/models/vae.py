"""The conditional variational autoencoder: each cell is drawn around a shower that a few latents describe.

p(e | c) = int p(z) prod_i p(e_i | z, c) dz with z ~ N(0, 1) and each cell's energy from the compound Poisson
distribution of `hits`. The decoder predicts maps of its expected energy, energy of a hit and shape. It is fitted by
E_q log p(e | z, c) - beta KL(q(z | e, c) | p(z)): Kingma and Welling 2014, arXiv:1312.6114, with the weight beta of
Higgins et al. 2017.
"""
import math
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from ecalgen.data.grid import OLD, Domain
from ecalgen.data.octant import fold, fold_cells, unfold_cells
from ecalgen.data.showers import incident_energy
from ecalgen.models import hits
from ecalgen.models.anchored import depth_to_space
from ecalgen.models.discriminator import energy_scales
from ecalgen.models.layers import (
    UP_SIDES,
    Conv,
    Dense,
    Modulation,
    SelfAttention,
    UpBlock,
    cropped,
    down_blocks,
    first_maps,
    first_pixels,
    framed,
    pooled,
)
from ecalgen.models.particle import incident_vector
from ecalgen.models.prior import LARGEST


class Decoder(nn.Module):
    """log mu, log eps and log kappa of every cell, from z and the incident particle."""

    widths: Sequence[int]
    attention: int
    domain: Domain

    @nn.compact
    def __call__(self, z, momentum, point):
        """`z [N, latent]`, `momentum [N, 3]` GeV, `point [N, 2]` cm -> `[N, nx, ny, 3]`."""
        shape = self.domain.grid.shape
        signal = jnp.concatenate([z, incident_vector(momentum, point, self.domain)], axis=1)
        x = first_maps(Dense(first_pixels(shape) * self.widths[0], name="project")(signal), shape)
        for i, width in enumerate(self.widths[1:]):
            x = UpBlock(width, name=f"up{i}")(x, signal)
            if UP_SIDES[i] == self.attention:
                x = SelfAttention(name="attention")(x)
        x = nn.relu(Modulation(name="modulation")(x, signal))
        outputs = cropped(depth_to_space(Conv(12, name="outputs")(x)), shape)
        mean = 1000 * self.domain.scales.fraction / math.prod(shape)
        typical = jnp.log(mean * incident_energy(momentum))[:, None, None]
        return jnp.stack([typical + outputs[..., 0], 0.3 * outputs[..., 1] - 0.5,
                          LARGEST * jnp.tanh(0.3 * outputs[..., 2] / LARGEST)], axis=-1)


class VAEGenerator(nn.Module):
    """The decoder as a generator of cells in MeV.

    Args:
      latent: number of latents z.
      widths: the decoder's channels at 4x4, 8x8 and 16x16.
      attention: the map on which self-attention acts, one of `UP_SIDES`; 0 for none.
      octant: fold every shower into the octant px >= py >= 0.
    """

    SIDES: ClassVar = UP_SIDES[:2]
    WIDTHS: ClassVar = 3
    COUNTS: ClassVar = ("latent",)
    latent: int = 16
    widths: Sequence[int] = (64, 64, 48)
    attention: int = 0
    octant: bool = True
    domain: Domain = OLD

    def draw_noise(self, key):
        """The noise of one shower, N(0, 1): z `[latent]`, and one number for every cell."""
        keys = jax.random.split(key)
        return {"latent": jax.random.normal(keys[0], (self.latent,)),
                "cells": jax.random.normal(keys[1], self.domain.grid.shape)}

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        """`noise` of `draw_noise`, `[N, ...]`; `momentum [N, 3]` GeV, `point [N, 2]` cm -> `[N, nx, ny]` MeV."""
        del update_stats
        grid = self.domain.grid
        incident = fold(momentum, point, grid) if self.octant else (momentum, point)
        maps = Decoder(self.widths, self.attention, self.domain, name="decoder")(noise["latent"], *incident)
        cells = hits.cell_energy(noise["cells"], *jnp.moveaxis(maps, -1, 0))
        return unfold_cells(cells, momentum, grid) if self.octant else cells


class VAE(nn.Module):
    """Encoder and decoder in training; the arguments are those of `VAEGenerator`, and the encoder's channels.

    Args:
      encoder: channels at 16x16, 8x8 and 4x4.
    """

    latent: int
    widths: Sequence[int]
    attention: int
    octant: bool
    encoder: Sequence[int] = (24, 36, 48)
    domain: Domain = OLD

    @nn.compact
    def __call__(self, energy, momentum, point, normal):
        """The terms of the bound, of showers `[N, nx, ny]` MeV and noise `normal [N, latent]`.

        Returns:
          {name: `[N]`}: `cells` = log p(cells | z), `divergence` = KL(q(z) | p(z)).
        """
        if self.octant:
            grid = self.domain.grid
            energy, (momentum, point) = fold_cells(energy, momentum, grid), fold(momentum, point, grid)
        x = pooled(down_blocks(framed(energy_scales(energy, momentum)), self.encoder), self.encoder[-1])
        x = jnp.concatenate([x / 16, incident_vector(momentum, point, self.domain)], axis=1)
        x = nn.silu(Dense(64, name="hidden")(x))
        mean, log_std = jnp.split(Dense(2 * self.latent, name="posterior")(x), 2, axis=-1)
        maps = Decoder(self.widths, self.attention, self.domain, name="decoder")(
            mean + jnp.exp(log_std) * normal, momentum, point)
        return {"cells": hits.log_likelihood(energy, *jnp.moveaxis(maps, -1, 0)).sum((1, 2)),
                "divergence": 0.5 * jnp.sum(mean**2 + jnp.exp(2 * log_std) - 1 - 2 * log_std, axis=1)}
