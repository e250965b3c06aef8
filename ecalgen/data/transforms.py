"""Invertible maps between the energy of a cell (e, in MeV) and the number a network sees (y, without unit)."""
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from ecalgen.errors import ConfigError

MAX_ENERGY = 1e5
"""MeV, above the energy of any cell: a 100 GeV electron leaves 17 GeV in all cells together, at most 10 GeV in one."""


class Transform(NamedTuple):
    """A map of cell energies, elementwise on arrays of any shape.

    Args:
      forward: e >= 0 (MeV) -> y >= 0.
      inverse: y -> e in [0, `MAX_ENERGY`]; y is clipped first, so that no output of a network, finite or infinite,
        gives a negative or an infinite energy.
    """

    forward: Callable[[jax.Array], jax.Array]
    inverse: Callable[[jax.Array], jax.Array]


def none(scale: float = 1.0) -> Transform:
    """y = e / s; e = s y."""
    return _clipped(lambda e: e / scale, lambda y: scale * y, MAX_ENERGY / scale)


def log1p(scale: float = 1.0) -> Transform:
    """y = log(1 + e/s); e = s (exp(y) - 1)."""
    return _clipped(lambda e: jnp.log1p(e / scale), lambda y: scale * jnp.expm1(y), math.log1p(MAX_ENERGY / scale))


def sqrt(scale: float = 1.0) -> Transform:
    """y = sqrt(e/s); e = s y^2. The slope of y at e = 0 is infinite, so differentiate the inverse only."""
    return _clipped(lambda e: jnp.sqrt(e / scale), lambda y: scale * jnp.square(y), math.sqrt(MAX_ENERGY / scale))


def boxcox(scale: float = 1.0, exponent: float = 0.25) -> Transform:
    """y = ((1 + e/s)^lambda - 1) / lambda; e = s ((1 + lambda y)^(1/lambda) - 1), with 0 < lambda <= 1.

    It runs from log1p (lambda -> 0) to none (lambda = 1). expm1 and log1p keep small energies exact.

    Raises:
      ConfigError: for an exponent outside (0, 1].

    References:
      Box and Cox, An analysis of transformations, J. R. Stat. Soc. B 26 (1964) 211.
    """
    if not 0 < exponent <= 1:
        raise ConfigError(f"boxcox needs an exponent in (0, 1], not {exponent}; its limit 0 is log1p")
    return _clipped(
        lambda e: jnp.expm1(exponent * jnp.log1p(e / scale)) / exponent,
        lambda y: scale * jnp.expm1(jnp.log1p(exponent * y) / exponent),
        math.expm1(exponent * math.log1p(MAX_ENERGY / scale)) / exponent,
    )


TRANSFORMS = {"none": none, "log1p": log1p, "sqrt": sqrt, "boxcox": boxcox}


def make_transform(name: str, scale: float = 1.0, gain: float = 1.0, **options) -> Transform:
    """The transform called `name`, its y multiplied by `gain`.

    Args:
      name: one of `TRANSFORMS`.
      scale: s, the energy in MeV around which the slope of the map changes.
      gain: brings y to order one, which is what networks of spectral norm one expect.
      **options: `exponent` for boxcox.

    Raises:
      ConfigError: for an unknown name, or a scale or gain that is not a positive number.
    """
    if name not in TRANSFORMS:
        raise ConfigError(f"unknown transform {name!r}; there are {', '.join(TRANSFORMS)}")
    if not 0 < scale < math.inf:
        raise ConfigError(f"the scale of a transform is an energy in MeV, positive and finite, not {scale}")
    if not 0 < gain < math.inf:
        raise ConfigError(f"the gain of a transform is a positive and finite number, not {gain}")
    transform = TRANSFORMS[name](scale, **options)
    return Transform(lambda e: gain * transform.forward(e), lambda y: transform.inverse(y / gain))


def _clipped(forward, inverse, ceiling):
    """Clips before the inverse, so that nothing overflows, and after it, where rounding may pass `MAX_ENERGY`."""
    return Transform(forward, lambda y: jnp.minimum(inverse(jnp.clip(y, 0.0, ceiling)), MAX_ENERGY))
