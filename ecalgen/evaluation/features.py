"""What the metrics see of a shower: the jitted feature extractors."""
import functools

import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.data.observables import OBSERVABLES, observables
from ecalgen.data.transforms import make_transform
from ecalgen.evaluation.legacy import legacy_statistics
from ecalgen.models.regressor import Regressor
from ecalgen.weights import load_weights

CHUNK = 1024
"""Showers per call of an extractor; the last chunk is padded to it, so that each extractor compiles once."""
PHYSICS = ("longitudinal_asymmetry", "transverse_asymmetry", "longitudinal_width", "transverse_width", "sparsity")


def make_extractor(name):
    """The extractor of that name: a function of `Showers`, giving float32 features `[N, F]`.

    Args:
      name: one of `FEATURES`: `raw` (900, the cells in MeV), `physics` (24, the corrected statistics), `legacy` (24,
        those of the public scoring program) or `embedding` (64, of the shipped regressor of the incident particle).

    Raises:
      ValueError: for any other name.
    """
    if name not in FEATURES:
        raise ValueError(f"no features are called {name!r}; there are {', '.join(FEATURES)}")
    return functools.partial(_by_chunks, FEATURES[name]())


def observable_columns(showers):
    """Every observable of the showers as columns: `{name: [N, K]}`, K = 1 for most, 20 sparsities and 4 rings."""
    values = _by_chunks(observables, showers)
    return {name: values[name].reshape(len(showers), -1) for name in OBSERVABLES}


def _by_chunks(function, showers):
    """`function(energy, momentum, point)`, an array or a tree of them, of all showers."""
    columns = showers.energy, showers.momentum, showers.point
    parts = [function(*(_padded(column[start:start + CHUNK]) for column in columns))
             for start in range(0, len(showers), CHUNK)]
    return jax.tree.map(lambda *values: np.concatenate(values)[:len(showers)], *parts)


def _padded(column):
    """The column made CHUNK long with copies of its last entry."""
    return np.pad(column, [(0, CHUNK - len(column)), *[(0, 0)] * (column.ndim - 1)], mode="edge")


@jax.jit
def raw(energy, momentum, point):
    """The cells as they are: `[N, 900]`, MeV."""
    del momentum, point
    return energy.reshape(len(energy), -1)


@jax.jit
def physics(energy, momentum, point):
    """Two asymmetries, two widths and 20 sparsities, corrected, unscaled and ordered as the legacy ones: `[N, 24]`."""
    values = observables(energy, momentum, point)
    return jnp.concatenate([values[name].reshape(len(energy), -1) for name in PHYSICS], axis=-1)


def _embedding():
    """The shipped regressor's embedding of the cells, `[N, 64]`; `experiments.embedding` trains it."""
    params, card = load_weights("embedding", "regressor")
    regressor, transform = Regressor(outputs=card["outputs"]), make_transform(**card["transform"])
    return jax.jit(lambda energy, momentum, point: regressor.apply({"params": params}, transform.forward(energy))[1])


FEATURES = {
    "raw": lambda: raw,
    "physics": lambda: physics,
    "legacy": lambda: legacy_statistics,
    "embedding": _embedding,
}
"""Name -> maker of the function, called on first use because some makers load weights."""
