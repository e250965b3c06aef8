"""Features of showers that an energy score compares, by name.

Each entry of `FEATURES` makes a function (variables, cells, momentum, point) -> `[N, F]`. The variables are those of
the discriminator, and the cells are in the space of the transform.
"""
import jax.numpy as jnp

from ecalgen.models.observed import seen_observables
from ecalgen.models.particle import incident_vector
from ecalgen.models.regressor import outputs_and_embedding
from ecalgen.models.whitening import Whitening, fit_whitening


def whitened_observables(discriminator, transform, data):
    """The observables that networks see, whitened given the particle: F = 31, each of order one.

    The showers are those that the discriminator sees, such as folded into the octant. The whitening is fitted here, to
    the training showers, because a discriminator without a branch of observables has none.

    Args:
      discriminator: a network with a `frame`.
      transform: of the cells.
      data: the training arrays, as `steps.gan_step` takes them.
    """
    domain = discriminator.domain
    framed = lambda cells, *given: discriminator.frame(transform.inverse(cells), *given)
    fitted = {"params": fit_whitening(*framed(*(data[name] for name in ("cells", "momentum", "point"))), domain)}

    def features(variables, *shower):
        del variables
        energy, momentum, point = framed(*shower)
        observed = seen_observables(energy, momentum, point, domain.grid)
        return Whitening().apply(fitted, observed, incident_vector(momentum, point, domain))

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


FEATURES = {"observables": whitened_observables, "regressor": regressor_features}
"""Name in `config.train.energy_features` -> (discriminator, transform, training arrays) -> the function."""
