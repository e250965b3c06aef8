"""From a config to the stages of its run, in order."""
import functools

import jax
import numpy as np
import optax

from ecalgen.data.observables import observables
from ecalgen.data.transforms import make_transform
from ecalgen.errors import ConfigError
from ecalgen.models.build import build_discriminator, build_generator
from ecalgen.sampler import make_sampler
from ecalgen.training import parallel
from ecalgen.training.loop import Stage
from ecalgen.training.state import init_gan
from ecalgen.training.steps import gan_step

MONITORED = 500
"""Validation showers that the monitor generates."""


def training_arrays(showers, transform):
    """What a step takes: cells in the space of the transform, momenta and points."""
    return {"cells": transform.forward(showers.energy), "momentum": showers.momentum, "point": showers.point}


def build_stages(config, data, validation):
    """The stages that `config.stages` names.

    Args:
      data: the training arrays, for their shapes.
      validation: `Showers` that the monitors compare with.
    """
    known = {"gan": gan_stage}
    for name in config.stages:
        if name not in known:
            raise ConfigError(f"config.stages names {name!r}; it is one of {', '.join(known)}")
    return [known[name](config, data, validation) for name in config.stages]


def gan_stage(config, data, validation):
    """Generator against discriminator, on the hinge loss."""
    train = config.train
    generator, discriminator = build_generator(config.generator), build_discriminator(config.discriminator)
    optimisers = tuple(optimiser(rate, train) for rate in (train.generator_rate, train.discriminator_rate))
    step = functools.partial(gan_step, generator=generator, discriminator=discriminator, optimisers=optimisers,
                             batch_size=train.batch_size, discriminator_steps=train.discriminator_steps, ema=train.ema)
    return Stage(name="gan", steps=train.steps, step=step,
                 init=lambda key: init_gan(generator, discriminator, optimisers, key, data),
                 monitor=wasserstein_monitor(generator, make_transform(**config.data.transform), validation),
                 score="w1")


def optimiser(rate, train):
    """Clip the gradients' global norm, then Adam(0, 0.9) at a rate that is constant, then falls to a tenth."""
    steps, constant = train.steps, int(train.constant_fraction * train.steps)
    schedule = optax.join_schedules(
        [optax.constant_schedule(rate), optax.linear_schedule(rate, rate / 10, max(1, steps - constant))], [constant])
    return optax.chain(optax.clip_by_global_norm(train.clip), optax.adam(schedule, b1=0.0, b2=0.9))


def check_train(train):
    """Raises ConfigError for training fields that cannot work together."""
    parallel.check_batch(train.batch_size)
    per_call = parallel.steps_per_call(train.log_every)
    for name in ("steps", "checkpoint_every"):
        if train[name] % per_call:
            raise ConfigError(f"config.train.{name} is {train[name]}; on this device it must be a multiple of "
                             f"config.train.log_every, {train.log_every}")
    for name in ("steps", "batch_size", "discriminator_steps", "log_every", "checkpoint_every"):
        if train[name] < 1:
            raise ConfigError(f"config.train.{name} is {train[name]}; it must be at least 1")


def wasserstein_monitor(generator, transform, validation):
    """state -> mean Wasserstein-1 distance of each observable to the validation showers, in their deviations."""
    real = validation[:MONITORED]
    sample = make_sampler(generator, transform)
    expected = {name: np.asarray(value).reshape(len(real), -1)
                for name, value in observables(real.energy, real.momentum, real.point).items()}

    def distance(name, value):
        ours = np.sort(np.asarray(value).reshape(expected[name].shape), axis=0)
        theirs = np.sort(expected[name], axis=0)
        return float(np.mean(np.mean(np.abs(ours - theirs), axis=0) / (theirs.std(axis=0) + 1e-12)))

    def monitor(state):
        variables = {"params": state.ema, "spectral": state.generator.spectral}
        energy = sample(variables, jax.random.key(0), real.momentum, real.point)
        values = observables(energy, real.momentum, real.point)
        distances = {f"w1_{name}": distance(name, value) for name, value in values.items()}
        return distances | {"w1": float(np.mean(list(distances.values())))}

    return monitor
