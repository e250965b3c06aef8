"""Observables as a network sees them: the columns of a list of their own, with a gradient for each."""
import jax
import jax.numpy as jnp

from ecalgen.data.observables import OBSERVABLES, SPARSITY_THRESHOLDS

SEEN = ("longitudinal_asymmetry", "transverse_asymmetry", "longitudinal_width", "transverse_width", "delta_x",
        "delta_y", "ring_energies", "visible_fraction", "sparsity")
"""The observables that networks see, in the order of their columns. Trained weights belong to these columns, so a new
observable in `OBSERVABLES` does not join them."""


def seen_observables(energy, momentum, point, grid):
    """The observables as columns `[N, 31]`, ring energies as shares of S, with a gradient for each column.

    Sparsity counts cells, and a count has no gradient; here it has that of `counted`.
    """
    total = energy.sum((1, 2))[:, None]
    total = jnp.where(total > 0, total, 1)
    columns = {name: OBSERVABLES[name](energy, momentum, point, grid) for name in SEEN if name != "sparsity"}
    columns["ring_energies"] /= total
    share = (energy / total[..., None]).reshape(energy.shape[0], 1, -1)
    columns["sparsity"] = jnp.mean(counted(share / SPARSITY_THRESHOLDS[None, :, None].astype(share.dtype)), axis=2)
    return jnp.concatenate([value.reshape(energy.shape[0], -1) for value in columns.values()], axis=1)


@jax.custom_jvp
def counted(u):
    """Is u >= 1? 1 or 0, with the gradient of u^2 / (1 + u^2).

    A critic that is shown u^2 / (1 + u^2) itself sees counts blurred; one that is shown a steeper step sees them
    better, and trains a worse generator ("steeper sparsity" in experiments/results/anchored_pilots.json).

    Source: the straight-through estimator of Bengio, Leonard and Courville 2013, arXiv:1308.3432.
    """
    return (u >= 1).astype(u.dtype)


@counted.defjvp
def _counted_jvp(primals, tangents):
    (u,), (change,) = primals, tangents
    return counted(u), 2 * u / (1 + u**2)**2 * change
