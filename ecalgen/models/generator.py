"""The papers' plain generator: a self-attention, spectral-norm network from noise and conditions to cells."""
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from ecalgen.data.showers import CELLS, conditions
from ecalgen.models.layers import Conv, Dense, Modulation, SelfAttention, UpBlock, cells_relu


class Generator(nn.Module):
    """Cells of a shower, in the space of the transform, from noise and the incident particle.

    Dense to 4x4, then one `UpBlock` a width to 8x8, 16x16 and 32x32, cropped to 30x30; a last ReLU makes
    exact zeros. Source: Rogachev and Ratnikov 2021, EPJ Web Conf. 251, 03043 (SAGAN + SN in G and D).

    Args:
      latent: numbers of noise a shower.
      widths: channels at 4x4, 8x8, 16x16 and 32x32.
      attention: side of the map that self-attention looks at; 0 for none.
      spectral_norm: divide every kernel by its largest singular value.
      conditioning: `concatenation`, the conditions join the noise at the input; `projection`, they also
        scale and shift every map.
    """

    SIDES: ClassVar = (8, 16, 32)
    WIDTHS: ClassVar = 4
    latent: int = 64
    widths: Sequence[int] = (64, 64, 32, 16)
    attention: int = 16
    spectral_norm: bool = True
    conditioning: str = "projection"

    def draw_noise(self, key):
        """The noise of one shower, `[latent]`, N(0, 1)."""
        return jax.random.normal(key, (self.latent,))

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        """`noise [N, latent]`, `momentum [N, 3]` GeV, `point [N, 2]` cm -> `[N, 30, 30]`."""
        given = jnp.concatenate([noise, conditions(momentum, point)], axis=-1)
        signal = given if self.conditioning == "projection" else None
        x = Dense(16 * self.widths[0], self.spectral_norm, name="project")(given, update_stats)
        x = x.reshape(-1, 4, 4, self.widths[0])
        for i, width in enumerate(self.widths[1:]):
            x = UpBlock(width, self.spectral_norm, name=f"up{i}")(x, signal, update_stats)
            if x.shape[1] == self.attention:
                x = SelfAttention(self.spectral_norm, name="attention")(x, update_stats)
        x = nn.relu(Modulation(self.spectral_norm, name="modulation")(x, signal, update_stats))
        x = Conv(1, spectral_norm=self.spectral_norm, name="cells")(x, update_stats)
        edge = (x.shape[1] - CELLS) // 2
        return cells_relu(x[:, edge:edge + CELLS, edge:edge + CELLS, 0])
