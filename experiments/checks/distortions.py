"""Ways to spoil real showers, each by a known amount, like errors of a generator.

Each function is (showers, training showers, rng, amount) -> as many showers; it does not change its arrays.
"""
import dataclasses

import numpy as np
from scipy.optimize import brentq

from ecalgen.data.observables import longitudinal_width, track_coordinates, transverse_width
from ecalgen.data.showers import incident_energy


def cell_noise(showers, _training, rng, share):
    """Every cell times 1 + share n, n ~ N(0, 1), not below 0."""
    factor = 1 + share * rng.standard_normal(showers.energy.shape, dtype=np.float32)
    return _with(showers, showers.energy * np.maximum(factor, 0))


def energy_scale(showers, _training, _rng, share):
    """Every shower times 1 + share."""
    return _with(showers, showers.energy * np.float32(1 + share))


def width(showers, _training, _rng, share):
    """Cells times (1 + r^2)^g and each shower back to its energy: both mean widths grow, together, by about `share`.

    r is a cell's distance in cells from where the track crosses the reference plane. No cell is lit or put out.
    """
    square = sum(np.asarray(axis) ** 2 for axis in track_coordinates(showers.momentum, showers.point))
    total = showers.energy.sum((1, 2), keepdims=True)

    def spread(g):
        energy = showers.energy * (1 + square) ** g
        return _with(showers, energy * total / np.maximum(energy.sum((1, 2), keepdims=True), 1e-9))

    before = _mean_width(showers)
    return spread(brentq(lambda g: _mean_width(spread(g)) / before - 1 - share, 0, 1, xtol=1e-4))


def halo(showers, _training, _rng, share):
    """Cells of less than `share` of their shower's energy put out."""
    total = showers.energy.sum((1, 2), keepdims=True)
    return _with(showers, np.where(showers.energy < share * total, 0, showers.energy))


def shifted(showers, _training, rng, share):
    """A `share` of the showers moved by one cell along x, the particles staying where they are."""
    moved = np.roll(showers.energy, 1, axis=1)
    moved[:, 0] = 0
    return _with(showers, np.where(_some(rng, len(showers), share)[:, None, None], moved, showers.energy))


def dropped_mode(showers, _training, rng, share):
    """The `share` of the showers that are longest along the track, seen from the front, never made.

    In their place, others again; so that the particles stay as they were distributed, those nearest in energy.
    """
    kept = np.argsort(np.asarray(longitudinal_width(*_arrays(showers))))[:round(len(showers) * (1 - share))]
    energy = np.asarray(incident_energy(showers.momentum))
    order = kept[np.argsort(energy[kept])]
    lost = np.setdiff1d(np.arange(len(showers)), kept)
    chosen = np.arange(len(showers))
    chosen[lost] = order[np.clip(np.searchsorted(energy[order], energy[lost]), 0, len(order) - 1)]
    return showers[chosen]


def few(showers, _training, _rng, share):
    """Only a `share` of the showers are different ones, each repeated."""
    return showers[np.arange(len(showers)) % round(share * len(showers))]


def copies(showers, training, rng, share):
    """A `share` of the showers replaced by training showers."""
    chosen = _some(rng, len(showers), share)
    known = training[rng.permutation(len(training))[:len(showers)]]
    pick = lambda ours, theirs: np.where(chosen.reshape(-1, *[1] * (ours.ndim - 1)), theirs, ours)
    return dataclasses.replace(showers, energy=pick(showers.energy, known.energy),
                               momentum=pick(showers.momentum, known.momentum),
                               point=pick(showers.point, known.point))


def swapped(showers, _training, rng, share):
    """A `share` of the showers change particles with another one of nearly their energy, and so its direction."""
    order = np.argsort(np.asarray(incident_energy(showers.momentum)))
    pairs = order[:len(order) // 2 * 2].reshape(-1, 2)
    pairs = pairs[_some(rng, len(pairs), share)]
    chosen = np.arange(len(showers))
    chosen[pairs] = chosen[pairs[:, ::-1]]
    return _with(showers, showers.energy[chosen])


def uncorrelated(showers, _training, rng, share):
    """Each cell, with probability `share`, from another shower of nearly the same energy, as a share of its energy.

    With all cells drawn so, each cell has its distribution, and their correlations are lost.
    """
    order = np.argsort(np.asarray(incident_energy(showers.momentum)))
    fraction = showers.energy / np.maximum(showers.energy.sum((1, 2), keepdims=True), 1e-9)
    near = np.clip(np.arange(len(order))[:, None] + rng.integers(-50, 51, (len(order), fraction[0].size)), 0,
                   len(order) - 1)
    drawn = np.empty_like(fraction)
    drawn[order] = np.take_along_axis(fraction[order].reshape(len(order), -1), near, axis=0).reshape(fraction.shape)
    mixed = np.where(rng.random(fraction.shape) < share, drawn, fraction)
    return _with(showers, mixed * showers.energy.sum((1, 2), keepdims=True))


NONE = "nothing"
"""The one that all others are compared with."""
DISTORTIONS = {
    NONE: (lambda showers, _training, _rng, _share: showers, 0),
    "noise of 10 % on every cell": (cell_noise, 0.1),
    "noise of 30 % on every cell": (cell_noise, 0.3),
    "energies 1 % too large": (energy_scale, 0.01),
    "energies 3 % too large": (energy_scale, 0.03),
    "energies 10 % too large": (energy_scale, 0.1),
    "widths 2 % too large": (width, 0.02),
    "widths 5 % too large": (width, 0.05),
    "no cells below 0.01 % of a shower": (halo, 0.0001),
    "no cells below 0.1 % of a shower": (halo, 0.001),
    "5 % of the showers one cell off": (shifted, 0.05),
    "all showers one cell off": (shifted, 1),
    "the longest 5 % of the showers missing": (dropped_mode, 0.05),
    "the longest 20 % of the showers missing": (dropped_mode, 0.2),
    "every shower 10 times": (few, 0.1),
    "every shower 100 times": (few, 0.01),
    "10 % copies of training showers": (copies, 0.1),
    "nothing but copies of training showers": (copies, 1),
    "20 % of the directions swapped": (swapped, 0.2),
    "all directions swapped": (swapped, 1),
    "5 % of the cells from other showers": (uncorrelated, 0.05),
    "all cells from other showers": (uncorrelated, 1),
}
"""Description of the error -> (function, its amount)."""


def _with(showers, energy):
    return dataclasses.replace(showers, energy=np.asarray(energy, np.float32))


def _arrays(showers):
    return showers.energy, showers.momentum, showers.point


def _some(rng, count, share):
    """Which of `count` to change, exactly the rounded share of them."""
    return rng.permutation(count) < round(share * count)


def _mean_width(showers):
    return float(np.mean([function(*_arrays(showers)).mean() for function in (longitudinal_width, transverse_width)]))
