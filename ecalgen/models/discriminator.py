"""The discriminator: is this shower real, given the particle that made it?"""
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from ecalgen.data.octant import fold, fold_cells
from ecalgen.data.showers import conditions, incident_energy
from ecalgen.models.layers import MLP, Conv, Dense, DownBlock, SelfAttention
from ecalgen.models.physics import Whitening, incident_vector, soft_observables


class Discriminator(nn.Module):
    """One logit a shower, from its cells in the space of the transform and the incident particle.

    Source: Rogachev and Ratnikov 2021, EPJ Web Conf. 251, 03043; projection: Miyato and Koyama 2018,
    arXiv:1802.05637, D(x, y) = psi(phi(x)) + <V(y), phi(x)>.

    Args:
      widths: channels at 16x16, 8x8 and 4x4.
      attention: side of the map that self-attention looks at; 0 for none.
      spectral_norm: divide every kernel by its largest singular value.
      conditioning: `projection` as above, or `concatenation` of the conditions to the cells, as maps.
      embedding: width of the layer that embeds the conditions (projection only).
      gain: the logit's factor. Spectral norm alone bounds a change of the logit by that of the cells, and 10 % of a
        10 GeV shower's energy moves them by 0.2 (sqrt cells of 100 MeV): nothing, beside the hinge's margin of 1.
    """

    SIDES: ClassVar = (16, 8, 4)
    WIDTHS: ClassVar = 3
    widths: Sequence[int] = (32, 64, 128)
    attention: int = 16
    spectral_norm: bool = True
    conditioning: str = "projection"
    embedding: int = 64
    gain: float = 1.0

    @nn.compact
    def __call__(self, cells, momentum, point, update_stats=False):
        """`cells [N, 30, 30]`, `momentum [N, 3]` GeV, `point [N, 2]` cm -> `[N]`."""
        given = conditions(momentum, point)
        x = jnp.pad(cells[..., None], ((0, 0), (1, 1), (1, 1), (0, 0)))
        if self.conditioning == "concatenation":
            maps = jnp.broadcast_to(given[:, None, None, :], (*x.shape[:3], given.shape[-1]))
            x = jnp.concatenate([x, maps], axis=-1)
        phi = _convolutions(self, x, update_stats)
        logit = Dense(1, self.spectral_norm, name="logit")(phi, update_stats)[:, 0]
        if self.conditioning == "projection":
            embedded = MLP((self.embedding,), self.spectral_norm, name="embed")(given, update_stats)
            projection = Dense(phi.shape[-1], self.spectral_norm, use_bias=False, name="project")
            logit += jnp.sum(projection(embedded, update_stats) * phi, axis=-1)
        return self.gain * logit


class PhysicsDiscriminator(nn.Module):
    """A discriminator of cells in MeV that also sees their observables, which have gradients of their own.

    Convolutions look at the cells on several scales of energy, and at where they lie from the track; a dense branch
    looks at the observables, whitened given the particle. Both meet in the last layers.

    Args:
      widths: channels at 16x16, 8x8 and 4x4.
      observables: add the branch of the observables.
      octant: see every shower from the octant px >= py >= 0.
      attention: side of the map that self-attention looks at; 0 for none.
      spectral_norm: divide every kernel by its largest singular value.
      embedding: width of the branch of the observables and of the layers where they meet.
      gain: the logit's factor, as in `Discriminator`.
    """

    SIDES: ClassVar = (16, 8, 4)
    WIDTHS: ClassVar = 3
    widths: Sequence[int] = (24, 36, 48)
    observables: bool = True
    octant: bool = True
    attention: int = 0
    spectral_norm: bool = True
    embedding: int = 96
    gain: float = 5.0

    @nn.compact
    def __call__(self, cells, momentum, point, update_stats=False):
        """`cells [N, 30, 30]` MeV, `momentum [N, 3]` GeV, `point [N, 2]` cm -> `[N]`."""
        if self.octant:
            cells, (momentum, point) = fold_cells(cells, momentum), fold(momentum, point)
        given = incident_vector(momentum, point)
        x = jnp.pad(energy_scales(cells, momentum), ((0, 0), (1, 1), (1, 1), (0, 0)))
        maps = jnp.broadcast_to(given[:, None, None, :], (*x.shape[:3], given.shape[-1]))
        x = jnp.concatenate([x, maps], axis=-1)
        seen = _convolutions(self, x, update_stats)
        if self.observables:
            whitened = Whitening(name="whitening")(soft_observables(cells, momentum, point), given)
            branch = MLP((self.embedding, self.embedding), self.spectral_norm, name="physics")
            seen = jnp.concatenate([seen, branch(jnp.concatenate([whitened, given], axis=1), update_stats)], axis=1)
        met = MLP((self.embedding,), self.spectral_norm, name="meet")(
            jnp.concatenate([seen, given], axis=1), update_stats)
        return self.gain * Dense(1, self.spectral_norm, name="logit")(met, update_stats)[:, 0]


def _convolutions(network, x, update_stats):
    """Features of `x [N, 32, 32, C]` for a discriminator inside whose `__call__` this is: `[N, widths[-1]]`."""
    normed = network.spectral_norm
    for i, width in enumerate(network.widths):
        x = DownBlock(width, normed, name=f"down{i}")(x, update_stats)
        if x.shape[1] == network.attention:
            x = SelfAttention(normed, name="attention")(x, update_stats)
    x = Conv(network.widths[-1], spectral_norm=normed, name="conv")(x, update_stats)
    return jnp.sum(nn.leaky_relu(x, 0.1), axis=(1, 2))


def energy_scales(cells, momentum):
    """Four views of cell energies, from the presence of a hit to the share of the core: `[N, 30, 30]` -> `[..., 4]`."""
    share = cells / (1000 * incident_energy(momentum)[:, None, None])
    root = jnp.sqrt(share + 1e-6) - 1e-3  # of finite slope at silent cells
    return jnp.stack([jnp.tanh(cells / 0.05), jnp.log1p(cells / 0.1) / 3, 6 * root, 20 * share], axis=-1)
