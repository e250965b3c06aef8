"""The regressor's shapes; that it learns is tested with its training step."""
import jax
import jax.numpy as jnp

from ecalgen.models.regressor import Regressor


def test_outputs_and_embedding():
    network = Regressor(outputs=5, widths=(4, 4, 4), embedding=16)
    cells = jnp.ones((3, 30, 30))
    outputs, embedding = network.apply(network.init(jax.random.key(0), cells), cells)
    assert outputs.shape == (3, 5) and embedding.shape == (3, 16)
    assert (jnp.abs(embedding) <= 1).all()
