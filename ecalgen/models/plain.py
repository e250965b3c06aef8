"""The papers' plain generator: a self-attention, spectral-norm network from noise and conditions to cells."""
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from ecalgen.data.grid import OLD, Domain
from ecalgen.data.octant import fold, unfold_cells
from ecalgen.data.showers import conditions
from ecalgen.models.layers import (
    UP_SIDES,
    Conv,
    Dense,
    Modulation,
    SelfAttention,
    UpBlock,
    cells_relu,
    cropped,
    first_maps,
    first_pixels,
    sides,
)
from ecalgen.models.particle import UNITS, energy_unit


class PlainGenerator(nn.Module):
    """Cells of a shower, in the space of the transform, from noise and the incident particle.

    A dense layer makes 4x4 maps; one `UpBlock` a width makes 8x8, 16x16 and 32x32, cropped to 30x30. On another grid
    the first maps are such that the last ones hold its cells. A last ReLU makes exact zeros. Source: Rogachev and
    Ratnikov 2021, EPJ Web Conf. 251, 03043 (SAGAN + SN in G and D).

    Args:
      latent: number of noise variables of a shower.
      widths: channels at 4x4, 8x8, 16x16 and 32x32.
      attention: the map on which self-attention acts, one of `UP_SIDES`; 0 for none.
      spectral_norm: divide every kernel by its largest singular value.
      conditioning: `concatenation`, the conditions join the noise at the input; `projection`, they also
        scale and shift every map.
      cell_noise: maps of noise, one number a cell, that join before the last convolutions. About a hundred cells of a
        shower are lit at random, and `latent` numbers cannot describe which.
      unit: of the generated cells, one of `particle.UNITS`.
      octant: generate every shower in the octant px >= py >= 0, then turn it to the octant of its particle.
    """

    SIDES: ClassVar = UP_SIDES
    WIDTHS: ClassVar = 4
    CHOICES: ClassVar = {"conditioning": ("projection", "concatenation"), "unit": tuple(UNITS)}
    COUNTS: ClassVar = ("latent",)
    OPTIONS: ClassVar = ("cell_noise",)
    latent: int = 64
    widths: Sequence[int] = (64, 64, 32, 16)
    attention: int = 16
    spectral_norm: bool = True
    conditioning: str = "projection"
    cell_noise: int = 0
    unit: str = "none"
    octant: bool = False
    domain: Domain = OLD

    def draw_noise(self, key):
        """The noise of one shower, N(0, 1): `[latent]` numbers, and maps `[W, H, cell_noise]`."""
        keys = jax.random.split(key)
        return {"latent": jax.random.normal(keys[0], (self.latent,)),
                "cells": jax.random.normal(keys[1], (*sides(self.domain.grid.shape), self.cell_noise))}

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        """`noise` of `draw_noise`, `[N, ...]`; `momentum [N, 3]` GeV, `point [N, 2]` cm -> `[N, nx, ny]`."""
        grid = self.domain.grid
        incident = fold(momentum, point, grid) if self.octant else (momentum, point)
        given = jnp.concatenate([noise["latent"], conditions(*incident, self.domain.scales)], axis=-1)
        signal = given if self.conditioning == "projection" else None
        x = Dense(first_pixels(grid.shape) * self.widths[0], self.spectral_norm, name="project")(given, update_stats)
        x = first_maps(x, grid.shape)
        for i, width in enumerate(self.widths[1:]):
            x = UpBlock(width, self.spectral_norm, name=f"up{i}")(x, signal, update_stats)
            if UP_SIDES[i] == self.attention:
                x = SelfAttention(self.spectral_norm, name="attention")(x, update_stats)
        if self.cell_noise:
            x = jnp.concatenate([x, noise["cells"]], axis=-1)
            x = Conv(self.widths[-1], spectral_norm=self.spectral_norm, name="mix")(nn.relu(x), update_stats)
        x = nn.relu(Modulation(self.spectral_norm, name="modulation")(x, signal, update_stats))
        x = Conv(1, spectral_norm=self.spectral_norm, name="cells")(x, update_stats)
        cells = cells_relu(cropped(x, grid.shape)[..., 0])
        cells *= energy_unit(self.unit, momentum)
        return unfold_cells(cells, momentum, grid) if self.octant else cells
