"""A step mapped over all devices, and data copied to each. Only this file handles devices."""
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ecalgen.errors import ConfigError
from ecalgen.training.steps import DEVICES


def map_steps(step, count, donate=False):
    """`count` steps a call on all devices: (state, data, key) -> (state, metrics averaged over the steps).

    An accelerator is faster with more than one step a call. On a CPU, convolutions inside a scan are several times
    slower, and one step a call has no cost.

    Args:
      donate: reuse the memory of the old state, which cannot be used afterwards.
    """

    def advance(state, data, key):
        if count == 1:
            return step(state, data, key)
        state, metrics = lax.scan(lambda state, _: step(state, data, key), state, length=count)
        return state, jax.tree.map(lambda metric: jnp.mean(metric, axis=0), metrics)

    # pmap wants one mapped argument to count the devices by; everything else is the same on all of them
    mapped = jax.pmap(lambda _, *args: advance(*args), axis_name=DEVICES, in_axes=(0, None, None, None), out_axes=None,
                      donate_argnums=(1,) if donate else ())
    return functools.partial(mapped, np.arange(jax.local_device_count()))


def steps_per_call(log_every):
    """How many steps a call makes on this machine's devices: all between two logs, or one on a CPU."""
    return 1 if jax.default_backend() == "cpu" else log_every


def replicate(tree):
    """A copy of every array on every device of this process; processes of one run hold the same ones."""
    sharding = NamedSharding(Mesh(np.array(jax.local_devices()), (DEVICES,)), PartitionSpec())
    return jax.tree.map(lambda array: jax.device_put(array, sharding), tree)


def check_batch(batch_size):
    """Raises ConfigError unless every device gets the same number of showers."""
    devices = jax.device_count()
    if batch_size % devices:
        raise ConfigError(f"config.train.batch_size is {batch_size}, which {devices} devices cannot share equally; "
                         f"use a multiple of {devices}")
