"""Linearity and resolution: mean and relative deviation of the visible fraction, in bins of incident energy."""
import numpy as np

from ecalgen.data.showers import incident_energy
from ecalgen.evaluation.metrics.bootstrap import interval

SMALLEST_BIN = 20
"""Showers of each set that a bin needs."""


def responses(real, generated, reference, seed=0, bootstrap=200):
    """Linearity and resolution of all three sets, in octaves of the incident energy.

    The response is linear where the mean visible fraction is the same at all energies.

    Args:
      real, generated, reference: `Showers`; bins with fewer than SMALLEST_BIN of any are left out.
      seed: of the bootstrap.
      bootstrap: resamplings of the showers of a bin, for `bootstrap.interval`.

    Returns:
      {"quantity", "bins": [{"low", "high" (GeV), "real", "generated", "reference": {"showers"} and `moments`}]}.
    """
    sets = {"real": real, "generated": generated, "reference": reference}
    energies = {name: np.asarray(incident_energy(showers.momentum)) for name, showers in sets.items()}
    fractions = {name: visible_fractions(showers) for name, showers in sets.items()}
    bins = []
    for low, high in octaves(energies["real"]):
        inside = {name: fractions[name][(values >= low) & (values < high)] for name, values in energies.items()}
        if min(map(len, inside.values())) >= SMALLEST_BIN:
            bins.append({"low": low, "high": high} | {
                name: {"showers": len(values)} | moments(values, seed, bootstrap) for name, values in inside.items()})
    return {"quantity": "visible fraction", "bins": bins}


def octaves(energies):
    """Bins [1, 2), [2, 4) and so on, GeV, that cover the energies `[N]`."""
    first, last = (int(np.floor(np.log2(energy))) for energy in (energies.min(), energies.max()))
    return [(2.0**power, 2.0 ** (power + 1)) for power in range(first, last + 1)]


def visible_fractions(showers):
    """S / E_p, the share of the particle's energy seen in the cells: `[N]`."""
    return showers.energy.sum((1, 2), dtype=np.float64) / (1000 * np.asarray(incident_energy(showers.momentum)))


def moments(values, seed=0, bootstrap=200):
    """Mean and resolution (deviation / mean, 0 where the mean is) of `[N]` values with their intervals.

    Returns:
      {"mean", "mean_interval", "resolution", "resolution_interval"}.
    """
    values = np.asarray(values, np.float64)
    drawn = values[np.random.default_rng(seed).integers(len(values), size=(bootstrap, len(values)))]
    mean, resolution = float(values.mean()), float(_resolution(values))
    return {"mean": mean, "mean_interval": interval(mean, drawn.mean(axis=1), bounds=(-np.inf, np.inf)),
            "resolution": resolution, "resolution_interval": interval(resolution, _resolution(drawn), (0, np.inf))}


def _resolution(values):
    """Deviation / mean over the last axis."""
    mean = values.mean(axis=-1)
    return np.where(mean > 0, values.std(axis=-1) / np.where(mean > 0, mean, 1), 0)
