"""Linearity and resolution: mean and relative deviation of the visible fraction, in bins of incident energy."""
import math
import statistics

import numpy as np

from ecalgen.data.showers import incident_energy
from ecalgen.evaluation.metrics.bootstrap import interval
from ecalgen.evaluation.metrics.registry import Metric, register
from ecalgen.evaluation.wording import number

SMALLEST_BIN = 20
"""Showers of each set that a bin needs."""


def responses(real, generated, reference, seed=0, bootstrap=200):
    """Linearity and resolution of all three sets, in octaves of the incident energy.

    The response is linear if the mean visible fraction does not depend on the energy.

    Args:
      real, generated, reference: `Showers`; bins with fewer than SMALLEST_BIN of any set are left out.
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
    """Bins [1, 2), [2, 4) and so on, in GeV, that cover the energies `[N]`."""
    first, last = (int(np.floor(np.log2(energy))) for energy in (energies.min(), energies.max()))
    return [(2.0**power, 2.0 ** (power + 1)) for power in range(first, last + 1)]


def visible_fractions(showers):
    """S / E_p, the energy in the cells over that of the particle: `[N]`."""
    total = showers.energy.reshape(len(showers), -1).sum(1, dtype=np.float64)
    return total / (1000 * np.asarray(incident_energy(showers.momentum)))


def moments(values, seed=0, bootstrap=200):
    """Mean and resolution of `[N]` values with their intervals.

    The resolution is deviation / mean, and 0 where the mean is 0.

    Returns:
      {"mean", "mean_interval", "resolution", "resolution_interval"}.
    """
    values = np.asarray(values, np.float64)
    drawn = values[np.random.default_rng(seed).integers(len(values), size=(bootstrap, len(values)))]
    mean, resolution = float(values.mean()), float(_resolution(values))
    return {"mean": mean, "mean_interval": interval(mean, drawn.mean(axis=1), bounds=(-np.inf, np.inf)),
            "resolution": resolution, "resolution_interval": interval(resolution, _resolution(drawn), (0, np.inf))}


def verdict(entry):
    """For mean and resolution, the bin that is furthest off among those that differ from both real sets."""
    bins = entry["bins"]
    for name, title in (("mean", "visible fraction"), ("resolution", "resolution")):
        apart = [found for found in bins if _differs(found, name, len(bins))]
        if bins and not apart:
            yield "Good", f"{title} as in real showers at all energies"
        if apart:
            worst = max(apart, key=lambda found, name=name: abs(_shift(found, name)))
            yield "Off", (f"{title} off in {len(apart)} of {len(bins)} bins of energy, most by "
                          f"{number(100 * _shift(worst, name), 1)} % at {worst['low']:g} to {worst['high']:g} GeV")


def _resolution(values):
    """Standard deviation / mean over the last axis."""
    mean = values.mean(axis=-1)
    return np.where(mean > 0, values.std(axis=-1) / np.where(mean > 0, mean, 1), 0)


def _differs(entry, name, bins):
    """Whether generated showers differ from both real sets by more than the largest of `bins` differences by chance.

    The limit is z standard deviations with P(|normal| > z) = 5 % / bins (Bonferroni). A standard deviation is half an
    interval over 1.96.
    """
    limit = statistics.NormalDist().inv_cdf(1 - 0.025 / bins)
    error = lambda kind: (entry[kind][f"{name}_interval"][1] - entry[kind][f"{name}_interval"][0]) / (2 * 1.96)
    ours = entry["generated"]
    return all(abs(ours[name] - entry[kind][name]) > limit * math.hypot(error("generated"), error(kind))
               for kind in ("real", "reference"))


def _shift(entry, name):
    """Generated over real - 1, and infinity where the real number is 0."""
    return entry["generated"][name] / entry["real"][name] - 1 if entry["real"][name] > 0 else math.inf


register(Metric("response", lambda sets, settings: responses(*sets[:3], settings.seed, settings.bootstrap),
                verdict=verdict))
