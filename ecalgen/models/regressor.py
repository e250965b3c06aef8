"""Regressors: physical quantities of a shower from its image, alone or together with the incident particle.

Source: the regressors compared in Rogachev and Ratnikov 2023, table 1.
"""
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from ecalgen.models.layers import DOWN_SIDES, Conv, Dense, down_blocks, framed, pooled, with_maps

EMBEDDING = ("intermediates", "embedding")
"""Collection and name under which a regressor keeps the layer before its outputs, for those who ask for it."""


class Regressor(nn.Module):
    """A convolutional network (CNN, or CNN SA with self-attention) that predicts K quantities of a shower.

    Args:
      outputs: K, how many quantities.
      widths: channels at 16x16, 8x8 and 4x4.
      embedding: width of the layer before the last one.
      attention: the map on which self-attention acts, one of `DOWN_SIDES`; 0 for none.
      conditional: add the incident particle to the input.
      early: where it joins: as maps beside the cells, in place of after the convolutions.
    """

    SIDES: ClassVar = DOWN_SIDES
    WIDTHS: ClassVar = 3
    COUNTS: ClassVar = ("embedding",)
    outputs: int
    widths: Sequence[int] = (16, 32, 64)
    embedding: int = 64
    attention: int = 0
    conditional: bool = False
    early: bool = False

    @nn.compact
    def __call__(self, views, given=None, update_stats=False):
        """`views [N, nx, ny, C]` of the cells, `given [N, Y]` -> `[N, outputs]`, and the embedding `[N, embedding]`."""
        early = self.conditional and self.early
        x = framed(with_maps(views, given) if early else views)
        x = down_blocks(x, self.widths, attention=self.attention)
        x = nn.leaky_relu(Conv(self.widths[-1], name="conv")(x), 0.1).reshape(len(x), -1)
        if self.conditional and not early:
            x = jnp.concatenate([x, given], axis=1)
        embedding = jnp.tanh(Dense(self.embedding, name="embed")(x))
        self.sow(*EMBEDDING, embedding)
        return Dense(self.outputs, name="outputs")(embedding), embedding


class DiscArch(nn.Module):
    """A regressor with the layers of a discriminator, which may share the first of them.

    Args:
      outputs: K, how many quantities.
      widths: channels at 16x16, 8x8 and 4x4.
      attention: the map on which self-attention acts, one of `DOWN_SIDES`; 0 for none.
      spectral_norm: divide the convolutions' kernels by their largest singular value.
      shared: number of downward blocks that a discriminator shares.
      embedding: width of the layer before the last one.
      conditional: add the incident particle to the input.
    """

    SIDES: ClassVar = DOWN_SIDES
    WIDTHS: ClassVar = 3
    COUNTS: ClassVar = ("embedding",)
    outputs: int
    widths: Sequence[int] = (32, 64, 128)
    attention: int = 0
    spectral_norm: bool = True
    shared: int = 2
    embedding: int = 64
    conditional: bool = False

    @nn.compact
    def __call__(self, views, given=None, update_stats=False):
        """`views [N, nx, ny, C]` of the cells, `given [N, Y]` -> `[N, outputs]`, and the maps that are shared."""
        blocks = lambda x, start, stop: down_blocks(
            x, self.widths, self.spectral_norm, self.attention, update_stats, start, stop)
        maps = blocks(framed(views), 0, self.shared)
        x = pooled(blocks(maps, self.shared, None), self.widths[-1], self.spectral_norm, update_stats)
        if self.conditional:
            x = jnp.concatenate([x, given], axis=1)
        hidden = nn.leaky_relu(Dense(self.embedding, name="embed")(x), 0.1)
        self.sow(*EMBEDDING, hidden)
        return Dense(self.outputs, name="outputs")(hidden), maps


def outputs_and_embedding(regressor, params, views, given):
    """The outputs of a trained regressor and the layer before them.

    Args:
      regressor: without spectral norm.
      params: its parameters.
      views, given: its arguments.

    Returns:
      `[N, K]` and `[N, embedding]`.
    """
    collection, name = EMBEDDING
    (outputs, _), kept = regressor.apply({"params": params}, views, given, mutable=[collection])
    return outputs, kept[collection][name][0]
