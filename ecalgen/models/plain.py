"""The papers' plain generator: a self-attention, spectral-norm network from noise and conditions to cells."""
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from ecalgen.data.octant import fold, unfold_cells
from ecalgen.data.showers import CELLS, conditions
from ecalgen.models.layers import Conv, Dense, Modulation, SelfAttention, UpBlock, cells_relu
from ecalgen.models.particle import energy_unit

EDGED = 32
"""Side of the last maps; the cells are their centre."""


class PlainGenerator(nn.Module):
    """Cells of a shower, in the space of the transform, from noise and the incident particle.

    A dense layer makes 4x4 maps; one `UpBlock` a width makes 8x8, 16x16 and 32x32, cropped to 30x30. A last ReLU makes
    exact zeros. Source: Rogachev and Ratnikov 2021, EPJ Web Conf. 251, 03043 (SAGAN + SN in G and D).

    Args:
      latent: number of noise variables of a shower.
      widths: channels at 4x4, 8x8, 16x16 and 32x32.
      attention: side of the map on which self-attention acts; 0 for none.
      spectral_norm: divide every kernel by its largest singular value.
      conditioning: `concatenation`, the conditions join the noise at the input; `projection`, they also
        scale and shift every map.
      cell_noise: maps of noise, one number a cell, that join before the last convolutions. About a hundred cells of a
        shower are lit at random, and `latent` numbers cannot describe which.
      unit: of the generated cells, one of `particle.UNITS`.
      octant: generate every shower in the octant px >= py >= 0, then turn it to the octant of its particle.
    """

    SIDES: ClassVar = (8, 16, 32)
    WIDTHS: ClassVar = 4
    latent: int = 64
    widths: Sequence[int] = (64, 64, 32, 16)
    attention: int = 16
    spectral_norm: bool = True
    conditioning: str = "projection"
    cell_noise: int = 0
    unit: str = "none"
    octant: bool = False

    def draw_noise(self, key):
        """The noise of one shower, N(0, 1): `[latent]` numbers, and maps `[32, 32, cell_noise]`."""
        keys = jax.random.split(key)
        return {"latent": jax.random.normal(keys[0], (self.latent,)),
                "cells": jax.random.normal(keys[1], (EDGED, EDGED, self.cell_noise))}

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        """`noise` of `draw_noise`, `[N, ...]`; `momentum [N, 3]` GeV, `point [N, 2]` cm -> `[N, 30, 30]`."""
        incident = fold(momentum, point) if self.octant else (momentum, point)
        given = jnp.concatenate([noise["latent"], conditions(*incident)], axis=-1)
        signal = given if self.conditioning == "projection" else None
        x = Dense(16 * self.widths[0], self.spectral_norm, name="project")(given, update_stats)
        x = x.reshape(-1, 4, 4, self.widths[0])
        for i, width in enumerate(self.widths[1:]):
            x = UpBlock(width, self.spectral_norm, name=f"up{i}")(x, signal, update_stats)
            if x.shape[1] == self.attention:
                x = SelfAttention(self.spectral_norm, name="attention")(x, update_stats)
        if self.cell_noise:
            x = jnp.concatenate([x, noise["cells"]], axis=-1)
            x = Conv(self.widths[-1], spectral_norm=self.spectral_norm, name="mix")(nn.relu(x), update_stats)
        x = nn.relu(Modulation(self.spectral_norm, name="modulation")(x, signal, update_stats))
        x = Conv(1, spectral_norm=self.spectral_norm, name="cells")(x, update_stats)
        edge = (EDGED - CELLS) // 2
        cells = cells_relu(x[:, edge:edge + CELLS, edge:edge + CELLS, 0])
        cells *= energy_unit(self.unit, momentum)
        return unfold_cells(cells, momentum) if self.octant else cells
