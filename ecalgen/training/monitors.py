"""What is measured of a state of training, against validation showers, at each checkpoint."""
import jax
import numpy as np

from ecalgen.data.observables import observables
from ecalgen.data.transforms import make_transform
from ecalgen.sampling.sampler import make_sampler

GENERATED = 500
"""Validation showers that a generator is compared with."""
REGRESSED = 2_000
"""Validation showers that a regressor reads."""


def wasserstein_monitor(generator, transform, validation):
    """state -> mean Wasserstein-1 distance of each observable to the validation showers, in their deviations."""
    real = validation[:GENERATED]
    sample = make_sampler(generator, transform)
    expected = {name: np.asarray(value).reshape(len(real), -1)
                for name, value in observables(real.energy, real.momentum, real.point).items()}

    def distance(name, value):
        ours = np.sort(np.asarray(value).reshape(expected[name].shape), axis=0)
        theirs = np.sort(expected[name], axis=0)
        return float(np.mean(np.mean(np.abs(ours - theirs), axis=0) / (theirs.std(axis=0) + 1e-12)))

    def monitor(state):
        energy = sample(state.sampled, jax.random.key(0), real.momentum, real.point)
        values = observables(energy, real.momentum, real.point)
        distances = {f"w1_{name}": distance(name, value) for name, value in values.items()}
        return distances | {"w1": float(np.mean(list(distances.values())))}

    return monitor


def error_monitor(predict, config, validation, targets):
    """state -> MSE of a regressor on validation showers, of each target in units of its variance, and their mean.

    `predict(state, cells, momentum, point)` -> `[N, K]`.
    """
    real = validation[:REGRESSED]
    cells = make_transform(**config.data.transform).forward(real.energy)
    expected, jitted = targets(real), jax.jit(predict)

    def monitor(state):
        predicted = jitted(state, cells, real.momentum, real.point)
        errors = np.mean((np.asarray(predicted) - expected) ** 2, axis=0)
        named = {f"mse_{name}": float(error) for name, error in zip(targets.names, errors, strict=True)}
        return named | {"mse": float(np.mean(errors))}

    return monitor
