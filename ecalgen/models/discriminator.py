"""The discriminator: is this shower real, given the particle that made it?

A discriminator may hold a regressor of K properties of the shower, whose predictions o^ join the conditions. The
regressor is either trained with the discriminator, whose first layers it shares (`auxiliary`, multi-task), or trained
before and frozen (`regressor`, two-step). Source: Rogachev and Ratnikov 2023, section 3.
"""
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

from ecalgen.data.grid import OLD, Domain
from ecalgen.data.observables import lateral
from ecalgen.data.octant import fold, fold_cells
from ecalgen.data.showers import conditions, for_cells, incident_energy
from ecalgen.models.layers import DOWN_SIDES, MLP, Dense, down_blocks, framed, pooled, with_maps
from ecalgen.models.observed import seen_observables
from ecalgen.models.particle import UNITS, energy_unit, incident_vector
from ecalgen.models.whitening import Whitening


class Discriminator(nn.Module):
    """One logit a shower, from its cells in the space of the transform and the incident particle.

    Source: Rogachev and Ratnikov 2021, EPJ Web Conf. 251, 03043; projection: Miyato and Koyama 2018,
    arXiv:1802.05637, D(x, y) = psi(phi(x)) + <V(y), phi(x)>.

    Args:
      widths: channels at 16x16, 8x8 and 4x4.
      attention: the map on which self-attention acts, one of `DOWN_SIDES`; 0 for none.
      spectral_norm: divide every kernel by its largest singular value.
      conditioning: `projection` as above, or `concatenation` of the conditions to the cells, as maps.
      embedding: width of the layer that embeds the conditions (projection only).
      gain: the logit's factor. Spectral norm alone bounds a change of the logit by the change of the cells. 10 % of
        the energy of a 10 GeV shower changes the cells by 0.2 (sqrt cells of 100 MeV), much less than the hinge's
        margin of 1.
      learnt_gain: learn a factor on the gain, which starts at 1.
      unit: divide the cells by this unit, one of `particle.UNITS`.
      squares: add the squares of the cells as a channel. The squares of roots of energies are the energies, and
        convolutions can compute their sum exactly; in real showers this sum varies by a few per cent only.
      octant: fold every shower into the octant px >= py >= 0.
      auxiliary: a `DiscArch` to be trained with it.
      regressor: a regressor of any kind, trained before.
      decides: whether the discriminator is conditioned on the regressor's predictions, or only returns them.
      bound: b, in standard deviations, at which predictions are clipped smoothly, b tanh(o^ / b); 0 for no bound. For
        showers of an untrained generator a regressor that was trained before may predict anything, and without a bound
        its predictions can dominate the logit.
      adversarial_gradient: whether the logit is differentiated by the parameters of `auxiliary` through the
        predictions. The shared layers receive the gradient of the logit through their maps in either case.
    """

    SIDES: ClassVar = DOWN_SIDES
    WIDTHS: ClassVar = 3
    CHOICES: ClassVar = {"conditioning": ("projection", "concatenation"), "unit": tuple(UNITS)}
    COUNTS: ClassVar = ("embedding",)
    widths: Sequence[int] = (32, 64, 128)
    attention: int = 16
    spectral_norm: bool = True
    conditioning: str = "projection"
    embedding: int = 64
    gain: float = 1.0
    learnt_gain: bool = False
    unit: str = "none"
    squares: bool = False
    octant: bool = False
    auxiliary: nn.Module | None = None
    regressor: nn.Module | None = None
    decides: bool = True
    bound: float = 0.0
    adversarial_gradient: bool = True
    domain: Domain = OLD

    def frame(self, cells, momentum, point):
        """The shower, folded into the octant where `octant` is set."""
        return _octant(cells, momentum, point, self.domain.grid) if self.octant else (cells, momentum, point)

    def views(self, cells, momentum, point):
        """The input of a regressor: the cells in their unit `[N, nx, ny, 1 or 2]`, and the conditions `[N, 5]`."""
        cells, momentum, point = self.frame(cells, momentum, point)
        cells /= energy_unit(self.unit, momentum)
        seen = [cells, cells**2] if self.squares else [cells]
        return jnp.stack(seen, axis=-1), conditions(momentum, point, self.domain.scales)

    @nn.compact
    def __call__(self, cells, momentum, point, update_stats=False):
        """`cells [N, nx, ny]`, `momentum [N, 3]` GeV, `point [N, 2]` cm -> `[N]`, and o^ `[N, K]` (K = 0 for none)."""
        x, given, predicted = _first_look(self, *self.views(cells, momentum, point), update_stats)
        if self.conditioning == "concatenation":
            x = with_maps(x, given)
        phi = _features(self, x, update_stats)
        logit = Dense(1, self.spectral_norm, name="logit")(phi, update_stats)[:, 0]
        if self.conditioning == "projection":
            embedded = MLP((self.embedding,), self.spectral_norm, name="embed")(given, update_stats)
            projection = Dense(phi.shape[-1], self.spectral_norm, use_bias=False, name="project")
            logit += jnp.sum(projection(embedded, update_stats) * phi, axis=-1)
        if self.learnt_gain:
            logit *= jnp.exp(self.param("log_gain", nn.initializers.zeros, ()))
        return self.gain * logit, predicted


class PhysicsDiscriminator(nn.Module):
    """A discriminator of cells in MeV and of their observables, through which gradients flow too.

    The input of the convolutions is the cells on several scales of energy, and the conditions as maps. The input of a
    dense branch is the observables, whitened given the particle. Both branches meet in the last layers.

    Args:
      widths: channels at 16x16, 8x8 and 4x4.
      observables: add the branch of the observables.
      octant: fold every shower into the octant px >= py >= 0.
      attention: the map on which self-attention acts, one of `DOWN_SIDES`; 0 for none.
      spectral_norm: divide every kernel by its largest singular value.
      embedding: width of the branch of the observables and of the layer where the branches meet.
      gain, auxiliary, regressor, decides, bound, adversarial_gradient: those of `Discriminator`.
    """

    SIDES: ClassVar = DOWN_SIDES
    WIDTHS: ClassVar = 3
    COUNTS: ClassVar = ("embedding",)
    AXES: ClassVar = (2, 3)
    widths: Sequence[int] = (24, 36, 48)
    observables: bool = True
    octant: bool = True
    attention: int = 0
    spectral_norm: bool = True
    embedding: int = 96
    gain: float = 5.0
    auxiliary: nn.Module | None = None
    regressor: nn.Module | None = None
    decides: bool = True
    bound: float = 0.0
    adversarial_gradient: bool = True
    domain: Domain = OLD

    def frame(self, cells, momentum, point):
        """The shower, folded into the octant where `octant` is set."""
        return _octant(cells, momentum, point, self.domain.grid) if self.octant else (cells, momentum, point)

    def views(self, cells, momentum, point):
        """The input of a regressor: `energy_scales [N, nx, ny, C]` and the `incident_vector [N, 7]`."""
        cells, momentum, point = self.frame(cells, momentum, point)
        return energy_scales(cells, momentum), incident_vector(momentum, point, self.domain)

    @nn.compact
    def __call__(self, cells, momentum, point, update_stats=False):
        """`cells [N, ...]` MeV, `momentum [N, 3]` GeV, `point [N, 2]` cm -> `[N]`, and o^ `[N, K]`."""
        views, particle = self.views(cells, momentum, point)
        x, given, predicted = _first_look(self, views, particle, update_stats)
        seen = _features(self, with_maps(x, given), update_stats)
        if self.observables:
            observed = seen_observables(*self.frame(cells, momentum, point), self.domain.grid)
            whitened = Whitening(name="whitening")(observed, particle)
            branch = MLP((self.embedding, self.embedding), self.spectral_norm, name="physics")
            seen = jnp.concatenate([seen, branch(jnp.concatenate([whitened, given], axis=1), update_stats)], axis=1)
        met = MLP((self.embedding,), self.spectral_norm, name="meet")(
            jnp.concatenate([seen, given], axis=1), update_stats)
        return self.gain * Dense(1, self.spectral_norm, name="logit")(met, update_stats)[:, 0], predicted


def _octant(cells, momentum, point, grid):
    """The shower, folded into the octant."""
    return fold_cells(cells, momentum, grid), *fold(momentum, point, grid)


def _first_look(network, views, given, update_stats):
    """The maps for the next block, the conditions with the regressor's predictions, and the predictions alone."""
    held = None
    if network.auxiliary is not None:
        if not (network.adversarial_gradient or network.is_initializing()):
            held = _held(network.auxiliary, views, given)  # before the spectral norm's vectors change
        predicted, x = network.auxiliary(views, given, update_stats)
    else:
        x = framed(views)
        predicted = jnp.zeros((len(x), 0)) if network.regressor is None else network.regressor(views, given)[0]
    if not network.decides:
        return x, given, predicted
    known = predicted if held is None else held
    known = network.bound * jnp.tanh(known / network.bound) if network.bound else known
    return x, jnp.concatenate([given, known], axis=1), predicted


def _held(regressor, views, given):
    """The predictions of a regressor, differentiable by the views and not by its parameters: `[N, K]`."""
    module, variables = regressor.unbind()
    return module.apply(lax.stop_gradient(variables), views, given)[0]


def _features(network, x, update_stats):
    """Features of the maps `x`, from the first block that a regressor does not share: `[N, widths[-1]]`."""
    start = 0 if network.auxiliary is None else network.auxiliary.shared
    x = down_blocks(x, network.widths, network.spectral_norm, network.attention, update_stats, start)
    return pooled(x, network.widths[-1], network.spectral_norm, update_stats)


def energy_scales(cells, momentum):
    """Four views of cell energies, from the presence of a hit to the share of the core: `[N, nx, ny]` -> `[..., 4]`.

    Of cells that are read out in depth, these are the views of their sums over depth. The presence of a hit and the
    root of the share in each layer follow: `[N, nx, ny, nz]` -> `[N, nx, ny, 4 + 2 nz]`.
    """
    summed = lateral(cells)
    share = summed / (1000 * incident_energy(momentum)[:, None, None])
    views = jnp.stack([jnp.tanh(summed / 0.05), jnp.log1p(summed / 0.1) / 3, 6 * _root(share), 20 * share], axis=-1)
    if cells.ndim == 3:
        return views
    share = cells / (1000 * for_cells(incident_energy(momentum), cells))
    return jnp.concatenate([views, jnp.tanh(cells / 0.05), 20 * _root(share)], axis=-1)


def _root(share):
    """The root of a share, of finite slope at silent cells."""
    return jnp.sqrt(share + 1e-6) - 1e-3
