"""Parameters of networks for the tests."""
import jax
import numpy as np


def stirred(params):
    """Parameters with what starts at zero, such as biases and attention's weight, moved away from it."""
    leaves, tree = jax.tree.flatten(jax.device_get(params))
    rng = np.random.default_rng(0)
    return jax.tree.unflatten(tree, [leaf + 0.1 * rng.normal(size=leaf.shape).astype("f4") for leaf in leaves])
