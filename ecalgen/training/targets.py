"""The targets of a regressor: named observables of a shower, or a user's own functions, standardised."""
import dataclasses
import inspect
import numbers
from collections.abc import Callable

import numpy as np

from ecalgen.data.observables import OBSERVABLES, of_showers
from ecalgen.data.showers import incident_energy
from ecalgen.errors import ConfigError, UserError
from ecalgen.machine.imports import import_named

PARTICLE = {"incident_energy": lambda energy, momentum, point, grid: incident_energy(momentum),
            "momentum": lambda energy, momentum, point, grid: momentum,
            "point": lambda energy, momentum, point, grid: point}
"""Targets that follow from the particle alone, in GeV and cm; they are also known for a generated shower."""


@dataclasses.dataclass(frozen=True)
class Targets:
    """(o - mean) / std of K quantities of a shower; mean and std are those of the training showers.

    Args:
      names: of the K columns.
      functions: name in the config -> `(energy [N, nx, ny], momentum [N, 3], point [N, 2], grid)` -> `[N]` or
        `[N, M]`.
      frame: `(energy, momentum, point)` -> the shower as the regressor sees it, such as `Discriminator.frame`.
      mean, std, weights: `[K]`; the weights are alpha_k of the loss.
    """

    names: tuple[str, ...]
    functions: dict[str, Callable]
    frame: Callable
    mean: np.ndarray
    std: np.ndarray
    weights: np.ndarray

    def __call__(self, showers):
        """`Showers` -> `[N, K]`, float32."""
        return (_columns(self.functions, self.frame, showers) - self.mean) / self.std


def fit_targets(names, weights, frame, showers):
    """The `Targets` that `config.regressor.targets` names, on the scale of these showers.

    Args:
      names: of observables, or `module:function` of a user's own, which may have an argument `grid` after the others;
        a name with M columns makes M targets.
      weights: alpha of each name.
      frame: as in `Targets`.
      showers: the training showers.

    Raises:
      ConfigError: an unknown name, a function that fails or does not give numbers, or a quantity that is not finite or
        never changes.
    """
    functions, first = find_functions(names, weights), showers[:1]
    widths = {name: _column(name, function, *frame(first.energy, first.momentum, first.point), first.grid).shape[1]
              for name, function in functions.items()}
    labels = tuple(name if width == 1 else f"{name}[{k}]" for name, width in widths.items() for k in range(width))
    values = _columns(functions, frame, showers)
    for label, column in zip(labels, values.T, strict=True):
        if bad := int(np.sum(~np.isfinite(column))):
            raise ConfigError(f"config.regressor.targets: {label} is not finite for {bad} of {len(column)} showers; "
                              "make it a number for every shower")
        if np.ptp(column) == 0:
            raise ConfigError(f"config.regressor.targets: {label} is the same in all showers; there is nothing to "
                              "learn")
    mean, std = values.mean(axis=0, dtype=float), values.std(axis=0, dtype=float)
    alphas = np.repeat(np.asarray(weights, np.float32), list(widths.values()))
    return Targets(labels, functions, frame, mean.astype(np.float32), std.astype(np.float32), alphas)


def find_functions(names, weights):
    """{name: function} of observables or of `module:function`.

    Raises:
      ConfigError: an unknown name, no name at all, not as many weights as names, or weights that are none.
    """
    if not names or len(names) != len(weights):
        raise ConfigError(f"config.regressor has {len(names)} targets and {len(weights)} weights; give each "
                          "target one, like \"('sparsity', 'delta_x')\" and \"(1., 0.5)\"")
    if not all(isinstance(weight, numbers.Real) and weight >= 0 for weight in weights):
        raise ConfigError(f"config.regressor.weights is {tuple(weights)}; a weight is a number of at least 0")
    named = OBSERVABLES | PARTICLE
    return {name: named[name] if name in named else _imported(name) for name in names}


def _imported(name):
    if ":" not in name:
        raise ConfigError(f"config.regressor.targets names {name!r}; it is one of "
                          f"{', '.join(OBSERVABLES | PARTICLE)}, or your own function of (energy, momentum, point) as "
                          "module:function")
    try:
        function = import_named(name)
    except UserError as error:
        raise ConfigError(f"config.regressor.targets: {error}") from error
    return function if takes_grid(function) else lambda energy, momentum, point, grid: function(energy, momentum, point)


def takes_grid(function):
    """Whether a user's function has an argument `grid`."""
    try:
        return "grid" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def _columns(functions, frame, showers):
    compute = lambda *arrays: np.concatenate(
        [_column(name, function, *frame(*arrays[:3]), arrays[3]) for name, function in functions.items()], axis=1)
    return of_showers(compute, showers)


def _column(name, function, energy, momentum, point, grid):
    try:
        value = np.asarray(function(energy, momentum, point, grid))
    except Exception as error:  # the function may be anyone's
        raise ConfigError(f"config.regressor.targets: {name}(energy, momentum, point) fails: {error}") from error
    if value.dtype.kind not in "fiub" or value.ndim not in (1, 2) or len(value) != len(energy):
        raise ConfigError(f"config.regressor.targets: {name} gives {value.dtype} of shape {list(value.shape)} for "
                          f"{len(energy)} showers; it must be numbers, [N] or [N, M]")
    return value.reshape(len(energy), -1).astype(np.float32)
