"""Generator and discriminator of showers in a block of 25 x 25 x 25 cells, made of two-dimensional convolutions.

Convolutions act on a block from three sides: each axis in turn becomes the channels of a convolution over the others.

Source: Rehm et al. 2021, "Physics validation of novel convolutional 2D architectures for speeding up high energy
physics simulations", EPJ Web Conf. 251, 03042; Jaruskova and Vallecorsa, "Generative adversarial networks ensemble".
"""
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.data.showers import incident_energy
from ecalgen.models.layers import Conv, Dense, Modulation, UpBlock, cells_relu, down_blocks
from ecalgen.models.whitening import LIMIT

SIDE = 25
"""Cells along each axis of a block."""
EDGED = 28
"""Side of the generator's last maps; the block is their centre."""
START = 0.5
"""Scale of the maps at the start, in standard deviations of the cells."""
SMALLEST = 1e-3
"""Smallest standard deviation of a cell, in roots of 100 MeV: 0.1 keV."""
MIDDLE = float(np.log(2.7))
"""log of the energy of a block, in 100 MeV, at 10 GeV: the sampling fraction of the layered calorimeter is 0.027."""
ROTATIONS = ((1, 2, 3), (2, 3, 1), (3, 1, 2))
"""Orders of the axes x, y, z behind that of the showers; the last one becomes the channels."""
BACK = ((1, 2, 3), (3, 1, 2), (2, 3, 1))
"""The orders that undo them."""


def energy_condition(momentum):
    """log E about its middle in 2 to 500 GeV, of order one, and its square: `[N, 3]` GeV -> `[N, 2]`."""
    log_energy = (jnp.log(incident_energy(momentum)) - 4) / 1.5
    return jnp.stack([log_energy, log_energy**2], axis=1)


def relative_unit(momentum):
    """sqrt(E / 10 GeV), a unit in which roots of cells are alike at all energies: `[N, 3]` GeV -> `[N, 1, 1, 1]`."""
    return jnp.sqrt(incident_energy(momentum) / 10)[:, None, None, None]


def fit_typical(cells, momentum):
    """Parameters of `Typical` from real showers, by least squares: `[N, 25, 25, 25]`, `[N, 3]` GeV -> dict."""
    terms = np.column_stack([np.ones(len(cells)), energy_condition(momentum)]).astype(np.float32)
    relative = np.asarray(cells / relative_unit(momentum)).reshape(len(cells), -1)
    fitted = np.linalg.lstsq(terms, relative, rcond=None)[0]
    spread = np.std(relative - terms @ fitted, axis=0)
    return {"bias": jnp.asarray(fitted[0]), "kernel": jnp.asarray(fitted[1:]),
            "log_spread": jnp.log(np.maximum(spread, SMALLEST))}


def log_squares(cells):
    """log of the summed squares of `[N, 25, 25, 25]`; for roots of energies, log of the total energy: `[N, 1]`."""
    return jnp.log(jnp.sum(cells**2, axis=(1, 2, 3)) + 1e-3)[:, None]


def rotated(blocks, order):
    """Blocks `[N, X, Y, Z]` with their axes in one of `ROTATIONS` or `BACK`."""
    return jnp.transpose(blocks, (0, *order))


class Typical(nn.Module):
    """Mean of each cell, linear in `energy_condition`, and standard deviation; they start at `fit_typical`."""

    @nn.compact
    def __call__(self, given):
        """`[N, 2]` -> `[N, 25, 25, 25]` and `[1, 25, 25, 25]`."""
        kernel = self.param("kernel", nn.initializers.zeros, (given.shape[1], SIDE**3))
        bias, log_spread = (self.param(name, nn.initializers.zeros, (SIDE**3,)) for name in ("bias", "log_spread"))
        mean = (given @ kernel + bias[None]).reshape(-1, SIDE, SIDE, SIDE)
        return mean, jnp.exp(log_spread).reshape(1, SIDE, SIDE, SIDE)


class VolumeGenerator(nn.Module):
    """Cells of a block, in the space of the transform, from noise and the incident energy.

        y = up(z, E),  y <- y + sum over rotations R of R^-1 conv(conv(R y, R n)),
        cells = sqrt(E / 10 GeV) max(0, mean(E) + spread y)

    Mean and spread (standard deviation) of each cell start at those of real showers (`Typical`). `up` makes maps over x
    and y whose channels are z. n is one noise variable a cell; without it no network lights single cells at random.

    Args:
      latent: number of noise variables of a shower, besides those of the cells.
      widths: channels at 7x7 and 14x14.
      hidden: channels of the convolutions of each rotation.
      rounds: how often the convolutions from all three sides are applied.
    """

    WIDTHS: ClassVar = 2
    COUNTS: ClassVar = ("latent", "hidden", "rounds")
    latent: int = 128
    widths: Sequence[int] = (64, 48)
    hidden: int = 32
    rounds: int = 2

    def draw_noise(self, key):
        """The noise of one shower, N(0, 1): `[latent]` and `[25, 25, 25]`."""
        keys = jax.random.split(key)
        return {"latent": jax.random.normal(keys[0], (self.latent,)),
                "cells": jax.random.normal(keys[1], (SIDE, SIDE, SIDE))}

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        """`noise` of `draw_noise`, `[N, ...]`; `momentum [N, 3]` GeV, `point [N, 2]` unused -> `[N, 25, 25, 25]`."""
        del point, update_stats
        given = energy_condition(momentum)
        signal = jnp.concatenate([noise["latent"], given], axis=1)
        x = Dense(49 * self.widths[0], name="project")(signal).reshape(-1, 7, 7, self.widths[0])
        x = UpBlock(self.widths[1], name="up0")(x, signal)
        x = UpBlock(SIDE, name="up1")(x, signal)
        edge = (EDGED - SIDE) // 2
        x = START * x[:, edge:edge + SIDE, edge:edge + SIDE]
        for i in range(self.rounds):
            looks = []
            for j, (order, back) in enumerate(zip(ROTATIONS, BACK, strict=True)):
                y = nn.relu(Modulation(name=f"modulation{i}_{j}")(rotated(x, order), signal))
                y = jnp.concatenate([y, rotated(noise["cells"], order)], axis=-1)
                y = nn.relu(Conv(self.hidden, name=f"look{i}_{j}")(y))
                looks.append(rotated(Conv(SIDE, kernel_scale=0.01, name=f"answer{i}_{j}")(y), back))
            x += sum(looks)
        mean, spread = Typical(name="typical")(given)
        return relative_unit(momentum) * cells_relu(mean + spread * x)


class VolumeDiscriminator(nn.Module):
    """Is this block of cells real, given the incident energy, and which incident energy do the cells predict?

    Convolutions of stride 2 act on it from its three sides, in units of the energy in the block. Their features and
    that energy predict (log E - 4) / 1.5 (the auxiliary task). The logit also depends on E, on that prediction, and on
    the distance of the sampling fraction from its middle, in units of a tenth of it.

    Args:
      widths: channels at 13x13, 7x7 and 4x4.
      embedding: width of the layers where the three sides meet.
      spectral_norm: divide the kernels by their largest singular value.
      gain: the logit's factor, that of `models.discriminator.Discriminator`.
    """

    WIDTHS: ClassVar = 3
    widths: Sequence[int] = (32, 48, 64)
    embedding: int = 96
    spectral_norm: bool = True
    gain: float = 5.0

    @nn.compact
    def __call__(self, cells, momentum, point, update_stats=False):
        """`cells [N, 25, 25, 25]`, `momentum [N, 3]` GeV, `point [N, 2]` unused -> `[N]` and `[N, 1]`."""
        del point
        normed = self.spectral_norm
        total = log_squares(cells)
        own = 10 * cells * jnp.exp((MIDDLE - total) / 2)[..., None, None]
        sides = [Side(self.widths, normed, name=f"side{j}")(rotated(own, order), update_stats)
                 for j, order in enumerate(ROTATIONS)]
        seen = jnp.concatenate([*sides, (total - MIDDLE) / 1.5], axis=1)
        predicted = Dense(1, name="energy")(nn.leaky_relu(Dense(self.embedding, name="read")(seen), 0.1))
        fraction = LIMIT * jnp.arcsinh(10 * (log_squares(cells / relative_unit(momentum)) - MIDDLE) / LIMIT)
        met = jnp.concatenate([*sides, fraction, energy_condition(momentum), predicted], axis=1)
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
