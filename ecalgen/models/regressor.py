"""The regressor: physical quantities of a shower from its cells alone."""
from collections.abc import Sequence

import flax.linen as nn
import jax.numpy as jnp

from ecalgen.models.layers import Conv, Dense, DownBlock


class Regressor(nn.Module):
    """K quantities of a shower, and the embedding they are read from, from its cells.

    Args:
      outputs: K, how many quantities.
      widths: channels at 16x16, 8x8 and 4x4.
      embedding: width of the layer before the last one.
    """

    outputs: int
    widths: Sequence[int] = (16, 32, 64)
    embedding: int = 64

    @nn.compact
    def __call__(self, cells):
        """`cells [N, 30, 30]`, in the space of the transform -> (`[N, outputs]`, `[N, embedding]`)."""
        x = jnp.pad(cells[..., None], ((0, 0), (1, 1), (1, 1), (0, 0)))
        for i, width in enumerate(self.widths):
            x = DownBlock(width, name=f"down{i}")(x)
        x = nn.leaky_relu(Conv(self.widths[-1], name="conv")(x), 0.1)
        embedding = jnp.tanh(Dense(self.embedding, name="embed")(x.reshape(len(x), -1)))
        return Dense(self.outputs, name="outputs")(embedding), embedding
