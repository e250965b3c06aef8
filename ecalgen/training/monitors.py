"""Measurements of a state of training, against validation showers, at each checkpoint."""
import jax
import numpy as np

from ecalgen.data.observables import observables
from ecalgen.machine.chunks import in_chunks
from ecalgen.sampling.sampler import chunk_size, make_sampler

GENERATED = 500
"""Validation showers that a generator is compared with."""
REGRESSED = 2_000
"""Validation showers whose targets a regressor predicts."""


def wasserstein_monitor(generator, transform, validation):
    """state -> mean Wasserstein-1 distance of each observable to the validation showers, in standard deviations."""
    real = validation[:GENERATED]
    sample, key, chunk = make_sampler(generator, transform), jax.random.key(0), 8 * chunk_size(real.grid)
    expected = {name: np.asarray(value).reshape(len(real), -1)
                for name, value in observables(real.energy, real.momentum, real.point, real.grid).items()}

    def monitor(state):
        make = lambda momentum, point, first: sample(state.sampled, key, momentum, point, first)
        energy = in_chunks(make, chunk, real.grid.shape, real.momentum, real.point)
        values = observables(energy, real.momentum, real.point, real.grid)
        distances = {f"w1_{name}": float(np.mean(wasserstein(np.asarray(value).reshape(expected[name].shape),
                                                             expected[name]))) for name, value in values.items()}
        return distances | {"w1": float(np.mean(list(distances.values())))}

    return monitor


def wasserstein(values, expected):
    """W1 = mean |a_(i) - b_(i)| / std(b) of sorted columns: `[N, K]` and `[N, K]` -> `[K]`."""
    distance = np.mean(np.abs(np.sort(values, axis=0) - np.sort(expected, axis=0)), axis=0)
    return distance / (expected.std(axis=0) + 1e-12)


def error_monitor(predict, transform, validation, targets):
    """state -> MSE of a regressor on validation showers, of each target in units of its variance, and their mean.

    `predict(state, cells, momentum, point)` -> `[N, K]`.
    """
    real = validation[:REGRESSED]
    cells = transform.forward(real.energy)
    expected, jitted = targets(real), jax.jit(predict)

    def monitor(state):
        predicted = jitted(state, cells, real.momentum, real.point)
        errors = np.mean((np.asarray(predicted) - expected) ** 2, axis=0)
        named = {f"mse_{name}": float(error) for name, error in zip(targets.names, errors, strict=True)}
        return named | {"mse": float(np.mean(errors))}

    return monitor
