"""The fitted prior: a shower as a total energy, shared among cells by a smooth profile, in hits.

p(e | particle) = p(S | particle) int p(z) prod_i p(e_i | S share_i(z), eps_i(z), kappa_i(z)) dz, where the K latents z
describe the shape of the shower, such as its depth and width. It is fitted by its evidence lower bound, in which p(z)
is N(0, 1). For a generated shower z is drawn from it, or from a mixture that was fitted to latents of real showers.
"""
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.stats import norm

from ecalgen.data.grid import OLD, Domain
from ecalgen.data.observables import from_track, lateral
from ecalgen.data.octant import fold, fold_cells
from ecalgen.data.showers import for_cells, incident_energy, slopes
from ecalgen.models import hits
from ecalgen.models.layers import Dense, cell_layers
from ecalgen.models.observed import seen_observables
from ecalgen.models.particle import azimuth, incident_vector
from ecalgen.models.whitening import Whitening

COMPONENTS = 3
"""Normal distributions in the mixture of the total energy."""
LARGEST = 2.0
"""Bound of log kappa."""
ALONG, ACROSS = 1, 9
"""Of `cell_features` in depth, the signed logarithms of the distances along the track's slope and across it."""
LAYERS = 5
"""Where cells are read out in depth, the noise that they share is fitted in every fifth layer, for speed."""
CENTRAL = 10
"""Side of the square of central cells in the input of the encoder."""


class TotalHead(nn.Module):
    """p(S | particle): a mixture of three normal distributions of (S / E - fraction) sqrt(E) / resolution."""

    @nn.compact
    def __call__(self, given):
        """`[N, 7]` -> log weights, means and log standard deviations, each `[N, COMPONENTS]`."""
        hidden = nn.tanh(Dense(16, name="hidden")(given))
        weights, means, deviations = jnp.split(Dense(3 * COMPONENTS, name="mixture")(hidden), 3, axis=-1)
        return jax.nn.log_softmax(weights), means + jnp.linspace(-1, 1, COMPONENTS)[None], deviations


def total_unit(momentum, scales):
    """(centre, scale) in MeV of the total energy, in which the mixture is written: `[N, 3]` -> `[N]` twice."""
    incident = incident_energy(momentum)
    return 1000 * scales.fraction * incident, 1000 * scales.resolution * jnp.sqrt(incident)


def mixture_log_likelihood(mixture, score):
    """log p of `score [N]`."""
    log_weights, means, deviations = mixture
    return jax.nn.logsumexp(
        log_weights + norm.logpdf((score[:, None] - means) * jnp.exp(-deviations)) - deviations, axis=-1)


def draw_mixture(mixture, choice, normal):
    """A score from two N(0, 1): `choice [N]`, which picks the component, and `normal [N]`."""
    log_weights, means, deviations = mixture
    picked = pick_component(log_weights, choice)
    pick = lambda values: jnp.sum(picked * values, axis=-1)
    return pick(means) + jnp.exp(pick(deviations)) * normal


def pick_component(log_weights, choice):
    """1 for the component that `choice [N]` of N(0, 1) picks, and 0 for the others: `[N or 1, C]` -> `[N, C]`."""
    below = norm.cdf(choice)[:, None] > jnp.cumsum(jnp.exp(log_weights[:, :-1]), axis=-1)
    picked = jnp.arange(log_weights.shape[1])[None] == jnp.sum(below, axis=-1, keepdims=True)
    return picked.astype(log_weights.dtype)


class LatentMixture(nn.Module):
    """The distribution of the latents of real showers: a mixture of normal distributions of independent latents.

    The bound pulls each q(z | shower) to N(0, 1). After some thousand steps the showers together do not fill it: the
    depths of showers have a tail, and latents depend on each other. The mixture is fitted to what they fill. In the
    place of N(0, 1) in the bound, it would let latents shrink until most of them say nothing.

    Source: Dai and Wipf 2019, arXiv:1903.05789, whose second stage fits the latents of the first.
    """

    components: int
    latents: int

    def setup(self):
        self.log_weights = self.param("log_weights", nn.initializers.zeros, (self.components,))
        self.means, self.log_deviations = (
            self.param(name, nn.initializers.normal(scale), (self.components, self.latents))
            for name, scale in (("means", 0.3), ("log_deviations", 0.01)))

    def log_density(self, z):
        """log p of `z [N, K]`: `[N]`."""
        score = (z[:, None] - self.means[None]) * jnp.exp(-self.log_deviations)[None]
        each = jnp.sum(norm.logpdf(score) - self.log_deviations[None], axis=2)
        return jax.nn.logsumexp(jax.nn.log_softmax(self.log_weights)[None] + each, axis=1)

    def draw(self, choice, normal):
        """z `[N, K]` from N(0, 1): `choice [N]`, which picks the component, and `normal [N, K]`."""
        picked = pick_component(jax.nn.log_softmax(self.log_weights)[None], choice)
        return picked @ self.means + jnp.exp(picked @ self.log_deviations) * normal


class Profile(nn.Module):
    """Expected energy of each cell and of a hit in it, from a network of the cell's place relative to the track.

    Where the cells are read out in depth, z also changes the share of each layer, and in each layer the width and the
    side of the track to which energy turns.
    """

    widths: Sequence[int]
    domain: Domain

    @nn.compact
    def __call__(self, momentum, point, score, z):
        """Particles, `score [N]` of their total and `z [N, K]` -> `[3, N, cells]`: log share, log eps, log kappa."""
        place, log_r = cell_features(momentum, point, self.domain.grid)
        given = jnp.concatenate([incident_vector(momentum, point, self.domain), score[:, None], z], axis=1)
        log_share, log_eps, log_kappa = cell_layers(place, given, self.widths, 3)
        if self.domain.grid.deep:
            in_layers = 0.1 * Dense(4 * self.domain.grid.shape[2], name="layers")(given)
            share, width, along, across = jnp.split(in_layers[:, None, None], 4, axis=-1)
            log_share += share + width * log_r + along * place[ALONG] + across * place[ACROSS]
        share = _log_softmax(_more_than_radial(log_share - 2 * log_r - 0.5 * jnp.exp(log_r), self.domain.grid))
        return jnp.stack([share, 0.3 * log_eps - 0.5, LARGEST * jnp.tanh(0.3 * log_kappa / LARGEST)])


class FixedProfile(nn.Module):
    """The profile at which `Profile` starts: shares exp(-r / 2) / r^2 and hits of 0.6 MeV for every particle."""

    widths: Sequence[int]
    domain: Domain

    @nn.compact
    def __call__(self, momentum, point, score, z):
        """Particles `[N]` -> `[3, N, cells]`: log share, log eps and log kappa, those of `Profile`."""
        del score, z  # there are no layers either
        log_r = cell_features(momentum, point, self.domain.grid)[1]
        share = _log_softmax(_more_than_radial(-2 * log_r - 0.5 * jnp.exp(log_r), self.domain.grid))
        return jnp.stack([share, jnp.full_like(share, -0.5), jnp.zeros_like(share)])


PROFILES = {"fitted": Profile, "fixed": FixedProfile}


def cell_features(momentum, point, grid):
    """The place of each cell relative to the track: `[8, N, nx, ny]`, and log r `[N, nx, ny]`.

    The track is taken at the reference depth. Lengths are in cells, along the track's slope and across it; r is at
    least 0.14. The distance across has no sign, as both sides of the track are equivalent.

    Where the cells are read out in depth, the track is taken in each layer. Five features follow: two of the distance
    across with its sign, without which no latent could turn a shower to one side, and three of the depth, of which the
    last is that of the rear. The shapes are `[13, N, nx, ny, nz]` and `[N, nx, ny, nz]`.
    """
    slope = slopes(momentum)
    dx, dy = (from_track_in_layers if grid.deep else from_track)(momentum, point, grid)
    nx, ny = (for_cells(component, dx) for component in azimuth(slope).T)
    along, across = dx * nx + dy * ny, dy * nx - dx * ny
    log_r = 0.5 * jnp.log(dx**2 + dy**2 + 0.02)
    place = [along / 1.5, _signed_log(along), jnp.abs(across) / 1.5, jnp.log(jnp.abs(across) + 0.15), log_r,
             jnp.exp(log_r) / 5, jnp.log(jnp.abs(dx) + 0.1), jnp.log(jnp.abs(dy) + 0.1)]
    if grid.deep:
        t = relative_depths(grid)  # from the front, and from the rear below
        place += [across / 1.5, _signed_log(across)]
        place += [jnp.broadcast_to(feature, dx.shape) for feature in (t - 1, np.log(t), np.log(t[..., ::-1]))]
    return jnp.stack(place), log_r


def _signed_log(distance):
    """sign(d) log(1 + |d| / 0.15) / 2, which resolves distances near the track."""
    return jnp.sign(distance) * jnp.log1p(jnp.abs(distance) / 0.15) / 2


def from_track_in_layers(momentum, point, grid):
    """x and y of every cell from the track in its layer, in cells: `[N, nx, ny, nz]` twice."""
    track = point[:, :, None] + slopes(momentum)[:, :, None] * grid.depths()[None, None]
    return tuple(centres[None, :, :, None] - (track / grid.unit)[:, axis, None, None]
                 for axis, centres in enumerate(grid.centres()))


def relative_depths(grid):
    """Depths of the layers over the reference depth: `[1, 1, 1, nz]`."""
    return grid.depths()[None, None, None] / grid.reference_depth


def _more_than_radial(log_share, grid):
    """Log shares with those of the cells' areas and, in depth, of t^2 exp(-3 t), whose mean is the reference depth."""
    areas = np.log(grid.areas())
    if not grid.deep:
        return log_share + areas[None] if grid.radii else log_share
    t = relative_depths(grid)
    return log_share + areas[None, :, :, None] + (2 * np.log(t) - 3 * t)


def centre(cells, side):
    """The square of at most `side` x `side` central cells: `[N, nx, ny]` -> `[N, sx, sy]`."""
    edges = [max(0, count - side) // 2 for count in cells.shape[1:3]]
    return cells[:, edges[0]:cells.shape[1] - edges[0], edges[1]:cells.shape[2] - edges[1]]


def layer_moments(energy, momentum, point, grid):
    """x, y and r of each layer's energy from the track, weighted with the layer's share: `[N, 3 nz]`, in cells."""
    total = jnp.maximum(energy.sum((1, 2, 3)), 1e-3)[:, None]
    dx, dy = from_track_in_layers(momentum, point, grid)
    return jnp.concatenate([(energy * distance).sum((1, 2)) / total
                            for distance in (dx, dy, jnp.sqrt(dx**2 + dy**2))], axis=1)


class Encoder(nn.Module):
    """q(z | shower), which predicts mean and log standard deviation of z.

    It sees whitened observables, the central cells and, in depth, the moments of the layers.
    """

    latents: int
    domain: Domain

    @nn.compact
    def __call__(self, observables, energy, momentum, point):
        """`[N, F]`, cells, `[N, 3]`, `[N, 2]` -> `[N, latents]` twice."""
        shown = lateral(energy)
        central = centre(shown, CENTRAL).reshape(len(shown), -1)
        shares = jnp.sqrt(central / jnp.maximum(shown.sum((1, 2)), 1e-3)[:, None])
        given = incident_vector(momentum, point, self.domain)
        layers = [30 * layer_moments(energy, momentum, point, self.domain.grid)] if self.domain.grid.deep else []
        x = jnp.concatenate([observables, 5 * shares, given, *layers], axis=1)
        for i in range(2):
            x = nn.silu(Dense(64, name=f"dense{i}")(x))
        mean, log_std = jnp.split(Dense(2 * self.latents, name="outputs")(x), 2, axis=-1)
        return mean, log_std - 1


class Prior(nn.Module):
    """Everything that the prior's stage fits; the generator takes `total` and `profile` from it.

    Args:
      shape_latents: K, the number of latents z.
      profile: one of PROFILES.
      profile_widths: widths of the profile's hidden layers.
      octant: fold every shower into the octant px >= py >= 0.
      spectrum: fit the spectrum of a single hit, too (`hits.shaped`).
      shared: fit how much noise neighbouring cells share, too (`hits.shared`).
      corners: with `shared`, cells at corners share noise, too.
      mixture: number of normal distributions from which z is drawn (`LatentMixture`); 0 for N(0, 1).
    """

    shape_latents: int
    profile: str
    profile_widths: Sequence[int]
    octant: bool
    spectrum: bool = False
    shared: bool = False
    corners: bool = False
    mixture: int = 0
    domain: Domain = OLD

    def seen(self, energy, momentum, point):
        """Showers, folded into the octant where `octant` is set."""
        if not self.octant:
            return energy, momentum, point
        return fold_cells(energy, momentum, self.domain.grid), *fold(momentum, point, self.domain.grid)

    @nn.compact
    def __call__(self, energy, momentum, point, normal):
        """The terms of the evidence lower bound of showers.

        Args:
          energy: `[N, nx, ny]` or `[N, nx, ny, nz]` MeV.
          momentum, point: `[N, 3]` GeV, `[N, 2]` cm.
          normal: `[N, K]`, the noise of the draw from q(z | shower).

        Returns:
          {name: `[N]`}: `total` = log p(S); `cells` = log p(cells | S, z); `divergence` = KL(q(z) | N(0, 1)); with
          `mixture` also `latents` = log p(z) of the mixture at the drawn z, which are held; with `shared` also `pairs`
          = log p(pairs of lit cells).
        """
        energy, momentum, point = self.seen(energy, momentum, point)
        given = incident_vector(momentum, point, self.domain)
        cells = tuple(range(1, energy.ndim))
        total = energy.sum(cells)
        centre, scale = total_unit(momentum, self.domain.scales)
        score = (total - centre) / scale
        observed = Whitening(name="whitening")(seen_observables(energy, momentum, point, self.domain.grid),
                                                given)
        mean, log_std = Encoder(self.shape_latents, self.domain, name="encoder")(observed, energy, momentum, point)
        z = mean + jnp.exp(log_std) * normal
        log_share, log_eps, log_kappa = PROFILES[self.profile](self.profile_widths, self.domain, name="profile")(
            momentum, point, score, z)
        log_mu = log_share + for_cells(jnp.log(jnp.maximum(total, 1e-3)), log_share)
        lit, density = energy > 0, 0.0
        if self.spectrum:
            log_slopes = self.param("spectrum", nn.initializers.zeros, (hits.KNOTS,))
            energy, density = hits.unshaped(energy, log_eps, log_slopes)
        likelihood = hits.log_likelihood(energy, log_mu, log_eps, log_kappa) + jnp.where(lit, density, 0)
        terms = {"total": mixture_log_likelihood(TotalHead(name="total")(given), score),
                 "cells": likelihood.sum(cells),
                 "divergence": 0.5 * jnp.sum(mean**2 + jnp.exp(2 * log_std) - 1 - 2 * log_std, axis=1)}
        if self.mixture:
            mixture = LatentMixture(self.mixture, self.shape_latents, name="latents")
            terms["latents"] = mixture.log_density(lax.stop_gradient(z))
        if self.shared:
            some = np.s_[..., ::LAYERS] if self.domain.grid.deep else np.s_[...]
            terms["pairs"] = hits.shared_log_likelihood(lit[some], (log_mu - log_eps)[some],
                                                        *shares_of(self, self.corners))
        return terms


def shares_of(module, corners):
    """The parameters of `hits.shared` in a module: `shares`, and `corners` where cells at corners share noise."""
    names = ("shares", "corners") if corners else ("shares",)
    return [module.param(name, nn.initializers.constant(hits.START), (hits.SHARES,)) for name in names]


def _log_softmax(logits):
    """log softmax over all cells of a shower."""
    return jax.nn.log_softmax(logits.reshape(logits.shape[0], -1)).reshape(logits.shape)
