"""The protocol of generators, on which training, sampling and export depend."""
import inspect
from typing import Any, Protocol

import flax.linen as nn
import jax

from ecalgen.errors import ConfigError


class Generator(Protocol):
    """A Flax module that makes showers of incident particles from noise.

    The noise is a tree of arrays. Shower i depends only on its own noise, momentum and point, and on no other shower of
    its batch.
    """

    def draw_noise(self, key: jax.Array) -> Any:
        """The noise of one shower: a tree of arrays without an axis for showers."""

    def __call__(self, noise: Any, momentum: jax.Array, point: jax.Array, update_stats: bool = False) -> jax.Array:
        """Cells of N showers, in the space of the config's transform.

        Args:
          noise: as of `draw_noise`, each array with a first axis of N showers.
          momentum: `[N, 3]` GeV.
          point: `[N, 2]` cm, where the particles enter the front face.
          update_stats: whether to update the collections that training carries along, such as spectral norm's.
        """


METHODS = {name: tuple(inspect.signature(getattr(Generator, name)).parameters)[1:]
           for name in ("draw_noise", "__call__")}
"""Method of a `Generator` -> its arguments after `self`."""


def check_generator(generator):
    """Check that an object is a `Generator`.

    Raises:
      ConfigError: it is no Flax module, or a method is missing or takes other arguments.
    """
    missing = [] if isinstance(generator, nn.Module) else ["flax.linen.Module as its base class"]
    missing += [f"{name}({', '.join(arguments)})" for name, arguments in METHODS.items()
                if not _takes(getattr(generator, name, None), arguments)]
    if missing:
        raise ConfigError(f"{type(generator).__name__} is no generator; it lacks {' and '.join(missing)} (see "
                          "ecalgen.models.protocol.Generator)")


def _takes(method, arguments):
    """Whether a method can be called with these arguments, in this order or by name."""
    try:
        parameters = list(inspect.signature(method).parameters)
    except (TypeError, ValueError):
        return False
    return tuple(parameters[:len(arguments)]) == arguments
