"""Mean energy along and across the track, and in depth, of generated showers, over that of real showers."""
import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.data.observables import lateral, layer_energies, of_showers, track_coordinates
from ecalgen.data.showers import incident_energy
from ecalgen.evaluation.metrics.bootstrap import resampled
from ecalgen.evaluation.metrics.registry import Metric, register

EDGES = np.arange(-6.0, 7.0)
"""Edges of the bins, in cells from the track; two more bins hold the energy beyond them."""


def profile_ratios(real, generated, reference, seed=0, bootstrap=200):
    """Mean profiles and their ratios to the real one, with the percentile intervals of the bootstrap.

    Args:
      real, generated, reference: `Showers`.
      seed: of the bootstrap.
      bootstrap: resamplings of the showers.

    Returns:
      {"unit", "edges_cells", "along" and "across": {"real", "generated" (`[B]`), "ratio" and "reference_ratio"
      (`[B]`), "ratio_interval" and "reference_ratio_interval" (`[B, 2]`)}}; a ratio is None where its real mean is 0.
      Where the cells are read out in depth, "depth" has a bin for each layer, and "depths_cm" are their centres.
    """
    ours, theirs, others = map(profiles, (real, generated, reference))
    result = {"unit": "MeV per GeV of incident energy", "edges_cells": EDGES.tolist()}
    if real.grid.deep:
        result["depths_cm"] = [round(float(depth), 6) for depth in real.grid.depths()]
    for axis in ours:
        result[axis] = {"real": ours[axis].mean(0).tolist(), "generated": theirs[axis].mean(0).tolist()}
        for prefix, rows in (("", theirs[axis]), ("reference_", others[axis])):
            spread = np.quantile(resampled(_ratio, ours[axis], rows, bootstrap, seed), [0.025, 0.975], axis=0)
            result[axis] |= {f"{prefix}ratio": _listed(_ratio(ours[axis], rows)),
                             f"{prefix}ratio_interval": _listed(spread.T)}
    return result


def profiles(showers):
    """Energy of each shower in each bin along and across its track, in MeV per GeV: `{"along", "across": [N, B]}`.

    Where the cells are read out in depth, `"depth": [N, nz]` is that in each layer.
    """
    share = 1 / np.asarray(incident_energy(showers.momentum), np.float64)[:, None]
    return {axis: values * share for axis, values in of_showers(_binned_energy, showers).items()}


@jax.jit
def _binned_energy(energy, momentum, point, grid):
    along, across = track_coordinates(momentum, point, grid)
    binned = {"along": _sums(energy, along), "across": _sums(energy, across)}
    return binned | ({"depth": layer_energies(energy)} if grid.deep else {})


def _sums(energy, position):
    """Sum of the energy in each bin of the position: cells and `[N, nx, ny]` -> `[N, B]`."""
    edges, energy = [-np.inf, *EDGES, np.inf], lateral(energy)
    return jnp.stack([jnp.where((low <= position) & (position < high), energy, 0).sum((1, 2))
                      for low, high in zip(edges[:-1], edges[1:], strict=True)], axis=-1)


def _ratio(real, other):
    """Mean of `other` over that of `real`, NaN where the latter is 0: `[N, B]`, `[M, B]` -> `[B]`."""
    means = real.mean(axis=0)
    return np.where(means > 0, other.mean(axis=0) / np.where(means > 0, means, 1), np.nan)


def _listed(values):
    """Lists for JSON, with None for NaN."""
    return np.where(np.isnan(values), None, values).tolist()


register(Metric("profile", lambda sets, settings: profile_ratios(*sets[:3], settings.seed, settings.bootstrap)))
