"""The state: what an optimiser step does to it, by hand."""
import jax
import jax.numpy as jnp
import numpy as np
import optax
import tiny

from ecalgen.training.state import Network, init_gan


def test_a_step_of_gradient_descent():
    optimiser = optax.sgd(0.1)
    params = {"kernel": jnp.array([1.0, 2.0])}
    network = Network(params=params, spectral={"u": 0}, optimiser=optimiser.init(params))
    after = network.updated({"kernel": jnp.array([5.0, -5.0])}, optimiser, {"u": 1})
    np.testing.assert_allclose(after.params["kernel"], [0.5, 2.5])
    assert after.spectral == {"u": 1} and after.variables == {"params": after.params, "spectral": {"u": 1}}


def test_the_average_starts_as_a_copy_of_its_own():
    optimiser = optax.sgd(0.1)
    state = init_gan(tiny.networks(optimiser, optimiser), jax.random.key(0), tiny.data())
    for ours, theirs in zip(jax.tree.leaves(state.ema), jax.tree.leaves(state.generator.params), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours is not theirs
