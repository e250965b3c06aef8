"""The discriminator: shapes, and that it sees cells and conditions through every switch."""
import itertools

import jax
import jax.numpy as jnp
import pytest

from ecalgen.models.discriminator import Discriminator

MOMENTUM, POINT = jnp.array([[0.1, 0.2, 5.0], [3.0, -2.0, 40.0]]), jnp.array([[0.0, 0.1], [-2.0, 1.0]])
CELLS = jax.random.uniform(jax.random.key(2), (2, 30, 30))
SWITCHES = list(itertools.product([False, True], [0, 8], ["projection", "concatenation"]))


@pytest.mark.parametrize("spectral_norm, attention, conditioning", SWITCHES)
def test_a_logit_a_shower_from_cells_and_conditions(spectral_norm, attention, conditioning):
    network = Discriminator((4, 8, 8), attention, spectral_norm, conditioning, embedding=8)
    variables = network.init(jax.random.key(0), CELLS, MOMENTUM, POINT)
    logits = network.apply(variables, CELLS, MOMENTUM, POINT)
    assert logits.shape == (2,)
    assert (logits != network.apply(variables, 2 * CELLS, MOMENTUM, POINT)).all()
    assert (logits != network.apply(variables, CELLS, 2 * MOMENTUM, POINT)).all()
    assert (logits != network.apply(variables, CELLS, MOMENTUM, POINT + 1)).all()
    assert ("spectral" in variables) == spectral_norm


def test_projection_is_linear_in_the_features():
    """D(x, y) - D(x, y') = <V(y) - V(y'), phi(x)>, so it is additive in phi: checked with the logit layer removed."""
    network = Discriminator((4, 8, 8), attention=0, spectral_norm=False, embedding=8)
    params = network.init(jax.random.key(0), CELLS, MOMENTUM, POINT)["params"]
    params = params | {"logit": jax.tree.map(jnp.zeros_like, params["logit"])}
    params["project"] = jax.tree.map(jnp.zeros_like, params["project"])
    assert (network.apply({"params": params}, CELLS, MOMENTUM, POINT) == 0).all()
