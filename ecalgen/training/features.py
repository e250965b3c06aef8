"""Features of showers that an energy score compares, by name.

Each entry of `FEATURES` makes a function (variables, cells, momentum, point) -> `[N, F]`. The variables are those of
the discriminator, and the cells are in the space of the transform.
"""
import functools

import jax.numpy as jnp

from ecalgen.models.observed import seen_observables, seen_rings
from ecalgen.models.particle import incident_vector
from ecalgen.models.regressor import outputs_and_embedding
from ecalgen.models.whitening import Whitening, fit_whitening


def whitened(discriminator, transform, data, seen=seen_observables):
    """What networks see of showers, whitened given the particle: F = 31 observables, each of order one.

    The showers are those that the discriminator sees, such as folded into the octant. The whitening is fitted here, to
    the training showers, because a discriminator without a branch of observables has none.

    Args:
      discriminator: a network with a `frame`.
      transform: of the cells.
      data: the training arrays, as `steps.gan_step` takes them.
      seen: (energy, momentum, point, grid) -> columns `[N, F]`.
    """
    domain = discriminator.domain
    framed = lambda cells, *given: discriminator.frame(transform.inverse(cells), *given)
    fitted = {"params": fit_whitening(*framed(*(data[name] for name in ("cells", "momentum", "point"))), domain, seen)}

    def features(variables, *shower):
        del variables
        energy, momentum, point = framed(*shower)
        return Whitening().apply(fitted, seen(energy, momentum, point, domain.grid),
                                 incident_vector(momentum, point, domain))

    return features


def regressor_features(discriminator, transform, data):
    """Outputs and embedding of the frozen regressor in a discriminator: F = K + embedding.

    The outputs are in standard deviations of the targets. The embedding is not rescaled.
    """
    del transform, data

    def features(variables, *shower):
        params = variables["params"]["regressor"]
        found = outputs_and_embedding(discriminator.regressor, params, *discriminator.views(*shower))
        return jnp.concatenate(found, axis=1)

    return features


def observables_and_rings(*shower):
    """The columns of `seen_observables` and of `seen_rings`: `[N, 31 + 78]`."""
    return jnp.concatenate([seen_observables(*shower), seen_rings(*shower)], axis=1)


FEATURES = {"observables": whitened, "rings": functools.partial(whitened, seen=observables_and_rings),
            "regressor": regressor_features}
"""Name in `config.train.energy_features` -> (discriminator, transform, training arrays) -> the function."""
