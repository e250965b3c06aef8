"""Generator and discriminator of cells that are read out in depth, made of two-dimensional convolutions.

Convolutions act on a block of cells from three sides: each axis in turn becomes the channels of a convolution over the
others.

Source: Rehm et al. 2021, "Physics validation of novel convolutional 2D architectures for speeding up high energy
physics simulations", EPJ Web Conf. 251, 03042; Jaruskova and Vallecorsa, "Generative adversarial networks ensemble".
"""
import math
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.data.grid import OLD_ENSEMBLES, Domain
from ecalgen.data.showers import incident_energy
from ecalgen.models.layers import Conv, Dense, Modulation, UpBlock, cells_relu, down_blocks
from ecalgen.models.whitening import LIMIT

STEPS = 4
"""Factor by which the generator's first maps are enlarged; the cells are the centre of its last maps."""
START = 0.5
"""Scale of the maps at the start, in standard deviations of the cells."""
SMALLEST = 1e-3
"""Smallest standard deviation of a cell, in roots of 100 MeV: 0.1 keV."""
ROTATIONS = ((1, 2, 3), (2, 3, 1), (3, 1, 2))
"""Orders of the axes x, y, z behind that of the showers; the last one becomes the channels."""
BACK = ((1, 2, 3), (3, 1, 2), (2, 3, 1))
"""The orders that undo them."""


def energy_condition(momentum, scales):
    """log E in standard deviations from its mean, and its square: `[N, 3]` GeV -> `[N, 2]`."""
    log_energy = (jnp.log(incident_energy(momentum)) - scales.log_energy) / scales.log_energy_spread
    return jnp.stack([log_energy, log_energy**2], axis=1)


def relative_unit(momentum):
    """sqrt(E / 10 GeV), a unit in which roots of cells are alike at all energies: `[N, 3]` GeV -> `[N, 1, 1, 1]`."""
    return jnp.sqrt(incident_energy(momentum) / 10)[:, None, None, None]


def middle(scales):
    """log of the energy of a shower, in 100 MeV, at 10 GeV."""
    return math.log(100 * scales.fraction)


def fit_typical(cells, momentum, scales):
    """Parameters of `Typical` from real showers, by least squares: `[N, nx, ny, nz]`, `[N, 3]` GeV -> dict."""
    terms = np.column_stack([np.ones(len(cells)), energy_condition(momentum, scales)]).astype(np.float32)
    relative = np.asarray(cells / relative_unit(momentum)).reshape(len(cells), -1)
    fitted = np.linalg.lstsq(terms, relative, rcond=None)[0]
    spread = np.std(relative - terms @ fitted, axis=0)
    return {"bias": jnp.asarray(fitted[0]), "kernel": jnp.asarray(fitted[1:]),
            "log_spread": jnp.log(np.maximum(spread, SMALLEST))}


def log_squares(cells):
    """log of the summed squares of `[N, nx, ny, nz]`; for roots of energies, log of the total energy: `[N, 1]`."""
    return jnp.log(jnp.sum(cells**2, axis=(1, 2, 3)) + 1e-3)[:, None]


def rotated(blocks, order):
    """Blocks `[N, X, Y, Z]` with their axes in one of `ROTATIONS` or `BACK`."""
    return jnp.transpose(blocks, (0, *order))


class Typical(nn.Module):
    """Mean of each cell, linear in `energy_condition`, and standard deviation; they start at `fit_typical`."""

    shape: tuple[int, int, int]

    @nn.compact
    def __call__(self, given):
        """`[N, 2]` -> `[N, nx, ny, nz]` and `[1, nx, ny, nz]`."""
        cells = math.prod(self.shape)
        kernel = self.param("kernel", nn.initializers.zeros, (given.shape[1], cells))
        bias, log_spread = (self.param(name, nn.initializers.zeros, (cells,)) for name in ("bias", "log_spread"))
        mean = (given @ kernel + bias[None]).reshape(-1, *self.shape)
        return mean, jnp.exp(log_spread).reshape(1, *self.shape)


class VolumeGenerator(nn.Module):
    """Cells of a block, in the space of the transform, from noise and the incident energy.

        y = up(z, E),  y <- y + sum over rotations R of R^-1 conv(conv(R y, R n)),
        cells = sqrt(E / 10 GeV) max(0, mean(E) + spread y)

    Mean and spread (standard deviation) of each cell start at those of real showers (`Typical`). `up` makes maps over x
    and y whose channels are z. n is one noise variable a cell; without it no network lights single cells at random.

    Args:
      latent: number of noise variables of a shower, besides those of the cells.
      widths: channels of the maps at a quarter and at half of the cells, 7x7 and 14x14 for 25x25.
      hidden: channels of the convolutions of each rotation.
      rounds: how often the convolutions from all three sides are applied.
    """

    WIDTHS: ClassVar = 2
    COUNTS: ClassVar = ("latent", "hidden", "rounds")
    AXES: ClassVar = (3,)
    latent: int = 128
    widths: Sequence[int] = (64, 48)
    hidden: int = 32
    rounds: int = 2
    domain: Domain = OLD_ENSEMBLES

    def draw_noise(self, key):
        """The noise of one shower, N(0, 1): `[latent]` and `[nx, ny, nz]`."""
        keys = jax.random.split(key)
        return {"latent": jax.random.normal(keys[0], (self.latent,)),
                "cells": jax.random.normal(keys[1], self.domain.grid.shape)}

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        """`noise` of `draw_noise`, `[N, ...]`; `momentum [N, 3]` GeV, `point [N, 2]` unused -> `[N, nx, ny, nz]`."""
        del point, update_stats
        shape, given = self.domain.grid.shape, energy_condition(momentum, self.domain.scales)
        signal = jnp.concatenate([noise["latent"], given], axis=1)
        first = [-(-count // STEPS) for count in shape[:2]]
        x = Dense(math.prod(first) * self.widths[0], name="project")(signal).reshape(-1, *first, self.widths[0])
        x = UpBlock(self.widths[1], name="up0")(x, signal)
        x = UpBlock(shape[2], name="up1")(x, signal)
        left, low = ((STEPS * pixels - count) // 2 for pixels, count in zip(first, shape[:2], strict=True))
        x = START * x[:, left:left + shape[0], low:low + shape[1]]
        for i in range(self.rounds):
            looks = []
            for j, (order, back) in enumerate(zip(ROTATIONS, BACK, strict=True)):
                y = nn.relu(Modulation(name=f"modulation{i}_{j}")(rotated(x, order), signal))
                y = jnp.concatenate([y, rotated(noise["cells"], order)], axis=-1)
                y = nn.relu(Conv(self.hidden, name=f"look{i}_{j}")(y))
                answer = Conv(shape[order[-1] - 1], kernel_scale=0.01, name=f"answer{i}_{j}")(y)
                looks.append(rotated(answer, back))
            x += sum(looks)
        mean, spread = Typical(shape, name="typical")(given)
        return relative_unit(momentum) * cells_relu(mean + spread * x)


class VolumeDiscriminator(nn.Module):
    """Is this block of cells real, given the incident energy, and which incident energy do the cells predict?

    Convolutions of stride 2 act on it from its three sides, in units of the energy in the block. Their features and
    that energy predict log E, in standard deviations from its mean (the auxiliary task). The logit also depends on E,
    on that prediction, and on the distance of the sampling fraction from its mean, in units of a tenth of it.

    Args:
      widths: channels of the maps at a half, a quarter and an eighth of the cells.
      embedding: width of the layers where the three sides meet.
      spectral_norm: divide the kernels by their largest singular value.
      gain: the logit's factor, that of `models.discriminator.Discriminator`.
    """

    WIDTHS: ClassVar = 3
    AXES: ClassVar = (3,)
    widths: Sequence[int] = (32, 48, 64)
    embedding: int = 96
    spectral_norm: bool = True
    gain: float = 5.0
    domain: Domain = OLD_ENSEMBLES

    @nn.compact
    def __call__(self, cells, momentum, point, update_stats=False):
        """`cells [N, nx, ny, nz]`, `momentum [N, 3]` GeV, `point [N, 2]` unused -> `[N]` and `[N, 1]`."""
        del point
        normed, scales = self.spectral_norm, self.domain.scales
        total, expected = log_squares(cells), middle(scales)
        own = 10 * cells * jnp.exp((expected - total) / 2)[..., None, None]
        sides = [Side(self.widths, normed, name=f"side{j}")(rotated(own, order), update_stats)
                 for j, order in enumerate(ROTATIONS)]
        seen = jnp.concatenate([*sides, (total - expected) / scales.log_energy_spread], axis=1)
        predicted = Dense(1, name="energy")(nn.leaky_relu(Dense(self.embedding, name="read")(seen), 0.1))
        fraction = LIMIT * jnp.arcsinh(10 * (log_squares(cells / relative_unit(momentum)) - expected) / LIMIT)
        met = jnp.concatenate([*sides, fraction, energy_condition(momentum, scales), predicted], axis=1)
        met = nn.leaky_relu(Dense(self.embedding, normed, name="meet")(met, update_stats), 0.1)
        return self.gain * Dense(1, normed, name="logit")(met, update_stats)[:, 0], predicted


class Side(nn.Module):
    """Features from strided convolutions of blocks from one side: `[N, X, Y, C]` -> `[N, widths[-1]]`."""

    widths: Sequence[int]
    spectral_norm: bool

    @nn.compact
    def __call__(self, x, update_stats=False):
        x = down_blocks(x, self.widths, self.spectral_norm, update_stats=update_stats)
        return x.mean((1, 2))
