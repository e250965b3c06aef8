"""The features of showers that the metrics compare."""
import functools

import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.observables import observables, observables_of, of_showers
from ecalgen.data.showers import incident_energy, reference_point, slopes
from ecalgen.data.transforms import make_transform
from ecalgen.evaluation.metrics.published import legacy_statistics
from ecalgen.evaluation.metrics.registry import EvaluationError
from ecalgen.models.regressor import Regressor
from ecalgen.sampling.weights import load_weights

PHYSICS = ("longitudinal_asymmetry", "transverse_asymmetry", "longitudinal_width", "transverse_width", "sparsity")
PHYSICS_IN_DEPTH = ("mean_depth", "depth_width", "layer_shares", "cell_sparsity")
COORDINATES = ("log_energy", "slope_x", "slope_y", "track_x", "track_y")
CONDITIONS = ["log_energy", "slope_x", "slope_y", "point_x", "point_y"]


def make_extractor(name):
    """A function `Showers` -> float32 features `[N, F]`.

    Args:
      name: one of `FEATURES`: `raw` (the cells in MeV), `physics` (24 corrected statistics, and more of cells in
        depth), `legacy` (24 statistics of the public scoring program) or `embedding` (64 numbers from the shipped
        regressor of the incident particle).

    Raises:
      ValueError: for any other name.
      EvaluationError: `legacy` or `embedding` for showers of another grid than the shipped ones.
    """
    if name not in FEATURES:
        raise ValueError(f"no features are called {name!r}; there are {', '.join(FEATURES)}")
    extract = functools.partial(of_showers, FEATURES[name]())
    return extract if name not in BOUND else lambda showers: extract(_of_shashlik(name, showers))


def _of_shashlik(name, showers):
    """The showers, if their grid is that to which these features are bound."""
    if showers.grid.shape != SHASHLIK.shape:
        raise EvaluationError(f"the features {name!r} belong to {SHASHLIK} and cannot judge {showers.grid}; choose a "
                              "protocol with other features, such as 'paper'")
    return showers


def observable_columns(showers):
    """Every observable of the showers as columns: `{name: [N, K]}`, K = 1 for most, 20 sparsities and 4 rings.

    Showers that are read out in depth also have those of `DEPTH_OBSERVABLES`, with a share for each layer.

    The rings are `ring_shares`, their energies over S. In MeV, incident energies from 1 to 100 GeV spread them so
    widely that an error of 10 % is not seen.
    """
    values = of_showers(observables, showers)
    columns = {name: values[name].reshape(len(showers), -1) for name in observables_of(showers.grid)}
    total = showers.energy.reshape(len(showers), -1).sum(axis=1, dtype=np.float64)[:, None]
    columns["ring_shares"] = columns.pop("ring_energies") / np.where(total > 0, total, 1)
    return columns


def condition_columns(showers):
    """log E, both slopes, and the crossing of track and reference plane in cm: `{name: [N, 1]}`."""
    slope, track = slopes(showers.momentum), reference_point(showers.momentum, showers.point, showers.grid)
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
    given = np.column_stack([np.log(incident_energy(showers.momentum)), slopes(showers.momentum), showers.point])
    return np.concatenate([features, given], axis=1), names + CONDITIONS


def cell_features(showers):
    """log(1 + e / 0.1 MeV) of every cell: `[N, cells]`, and their name.

    Cells that are read out in depth are summed along each axis in turn: the sums are fewer, and trees are slow.
    """
    if not showers.grid.deep:
        logs = np.log1p(showers.energy.reshape(len(showers), -1) / 0.1)
        return logs, [f"log(1 + e / 0.1 MeV) of {logs.shape[1]} cells"]
    sums = [showers.energy.sum(axis).reshape(len(showers), -1) for axis in (1, 2, 3)]
    logs = np.log1p(np.concatenate(sums, axis=1) / 0.1)
    return logs, [f"log(1 + e / 0.1 MeV) of {logs.shape[1]} sums of cells along x, y or z"]


def image_features(showers):
    """log(1 + e / 0.1 MeV) of every cell as an image: `[N, nx, ny]`, or a channel a layer, and their name."""
    logs = np.log1p(showers.energy / 0.1)
    return logs, [f"log(1 + e / 0.1 MeV) of {logs[0].size} cells"]


@jax.jit
def raw(energy, momentum, point, grid):
    """The cells as they are: `[N, cells]`, MeV."""
    del momentum, point, grid
    return energy.reshape(len(energy), -1)


@jax.jit
def physics(energy, momentum, point, grid):
    """Two asymmetries, two widths and 20 sparsities, unscaled, in the order of the legacy statistics: `[N, 24]`.

    Those of PHYSICS_IN_DEPTH follow for cells that are read out in depth: `[N, 46 + nz]`.
    """
    values = observables(energy, momentum, point, grid)
    names = PHYSICS + PHYSICS_IN_DEPTH if grid.deep else PHYSICS
    return jnp.concatenate([values[name].reshape(len(energy), -1) for name in names], axis=-1)


def _embedding():
    """The shipped regressor's embedding of the cells, `[N, 64]`; `experiments.checks.embedding` trains it."""
    params, card = load_weights("embedding", "regressor")
    regressor, transform = Regressor(outputs=card["outputs"]), make_transform(**card["transform"])
    embed = lambda energy: regressor.apply({"params": params}, transform.forward(energy)[..., None])[1]
    return jax.jit(lambda energy, momentum, point, grid: embed(energy))


FEATURES = {
    "raw": lambda: raw,
    "physics": lambda: physics,
    "legacy": lambda: legacy_statistics,
    "embedding": _embedding,
}
"""Name -> maker of the extractor. Makers are called on first use, because some load weights."""
BOUND = ("legacy", "embedding")
"""Features that belong to the grid of the shipped showers."""
