"""The features of showers that the metrics compare."""
import functools

import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.data.observables import OBSERVABLES, observables, of_showers
from ecalgen.data.showers import conditions, incident_energy, reference_point, slopes
from ecalgen.data.transforms import make_transform
from ecalgen.evaluation.metrics.published import legacy_statistics
from ecalgen.models.regressor import Regressor
from ecalgen.sampling.weights import load_weights

PHYSICS = ("longitudinal_asymmetry", "transverse_asymmetry", "longitudinal_width", "transverse_width", "sparsity")
COORDINATES = ("log_energy", "slope_x", "slope_y", "track_x", "track_y")
CONDITIONS = ["log_energy", "slope_x", "slope_y", "point_x", "point_y"]


def make_extractor(name):
    """A function `Showers` -> float32 features `[N, F]`.

    Args:
      name: one of `FEATURES`: `raw` (900 cells in MeV), `physics` (24 corrected statistics), `legacy` (24 statistics
        of the public scoring program) or `embedding` (64 numbers from the shipped regressor of the incident particle).

    Raises:
      ValueError: for any other name.
    """
    if name not in FEATURES:
        raise ValueError(f"no features are called {name!r}; there are {', '.join(FEATURES)}")
    return functools.partial(of_showers, FEATURES[name]())


def observable_columns(showers):
    """Every observable of the showers as columns: `{name: [N, K]}`, K = 1 for most, 20 sparsities and 4 rings.

    The rings are `ring_shares`, their energies over S. In MeV, incident energies from 1 to 100 GeV spread them so
    widely that an error of 10 % is not seen.
    """
    values = of_showers(observables, showers)
    columns = {name: values[name].reshape(len(showers), -1) for name in OBSERVABLES}
    total = showers.energy.sum((1, 2), dtype=np.float64)[:, None]
    columns["ring_shares"] = columns.pop("ring_energies") / np.where(total > 0, total, 1)
    return columns


def condition_columns(showers):
    """log E, both slopes, and the crossing of track and reference plane in cm: `{name: [N, 1]}`."""
    slope, track = slopes(showers.momentum), reference_point(showers.momentum, showers.point)
    columns = np.log(np.asarray(incident_energy(showers.momentum))), *slope.T, *track.T
    return {name: column.astype(np.float64)[:, None] for name, column in zip(COORDINATES, columns, strict=True)}


def observable_features(showers, with_conditions=False):
    """The columns of the observables side by side: `[N, F]` and the F names.

    Args:
      showers: the `Showers`.
      with_conditions: add log E, slopes and point, so that a classifier can be conditioned on the particle.
    """
    columns = observable_columns(showers)
    names = [name if values.shape[1] == 1 else f"{name}_{k}"
             for name, values in columns.items() for k in range(values.shape[1])]
    features = np.concatenate(list(columns.values()), axis=1)
    if not with_conditions:
        return features, names
    return np.concatenate([features, conditions(showers.momentum, showers.point)], axis=1), names + CONDITIONS


def cell_features(showers):
    """log(1 + e / 0.1 MeV) of every cell: `[N, 900]`, and their name."""
    return np.log1p(showers.energy.reshape(len(showers), -1) / 0.1), ["log(1 + e / 0.1 MeV) of 900 cells"]


@jax.jit
def raw(energy, momentum, point):
    """The cells as they are: `[N, 900]`, MeV."""
    del momentum, point
    return energy.reshape(len(energy), -1)


@jax.jit
def physics(energy, momentum, point):
    """Two asymmetries, two widths and 20 sparsities, unscaled, in the order of the legacy statistics: `[N, 24]`."""
    values = observables(energy, momentum, point)
    return jnp.concatenate([values[name].reshape(len(energy), -1) for name in PHYSICS], axis=-1)


def _embedding():
    """The shipped regressor's embedding of the cells, `[N, 64]`; `experiments.checks.embedding` trains it."""
    params, card = load_weights("embedding", "regressor")
    regressor, transform = Regressor(outputs=card["outputs"]), make_transform(**card["transform"])
    embed = lambda energy: regressor.apply({"params": params}, transform.forward(energy)[..., None])[1]
    return jax.jit(lambda energy, momentum, point: embed(energy))


FEATURES = {
    "raw": lambda: raw,
    "physics": lambda: physics,
    "legacy": lambda: legacy_statistics,
    "embedding": _embedding,
}
"""Name -> maker of the extractor. Makers are called on first use, because some load weights."""
