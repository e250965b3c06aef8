"""From a config to the stages of its run, in order."""
import functools

import jax
import numpy as np
import optax

from ecalgen.data.observables import observables
from ecalgen.data.transforms import make_transform
from ecalgen.errors import ConfigError
from ecalgen.models.build import build_discriminator, build_generator
from ecalgen.models.prior import Prior
from ecalgen.sampler import make_sampler
from ecalgen.training import parallel
from ecalgen.training.loop import Stage
from ecalgen.training.state import init_gan, init_prior
from ecalgen.training.steps import gan_step, prior_step

MONITORED = 500
"""Validation showers that the monitor generates."""


def training_arrays(showers, transform):
    """What a step takes: cells in the space of the transform, momenta and points."""
    return {"cells": transform.forward(showers.energy), "momentum": showers.momentum, "point": showers.point}


def build_stages(config, data, validation):
    """The stages that `config.stages` names.

    Args:
      data: the training arrays.
      validation: `Showers` that the monitors compare with.
    """
    return [STAGES[name](config, data, validation) for name in config.stages]


def prior_stage(config, data, validation):
    """The anchored generator's prior, fitted by likelihood: Adam at a rate that falls to nothing along a cosine."""
    fit, fields = config.prior, config.generator
    prior = Prior(shape=fields.shape, profile=fields.profile, octant=fields.octant)
    rate = optax.cosine_decay_schedule(fit.rate, fit.steps)
    adam = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))
    alone = build_generator(fields.to_dict() | {"correction": False})
    return Stage(name="prior", steps=fit.steps, batch_size=fit.batch_size,
                 step=functools.partial(prior_step, prior=prior, optimiser=adam, batch_size=fit.batch_size),
                 init=lambda key, before: init_prior(prior, adam, key, data),
                 monitor=wasserstein_monitor(alone, make_transform(**config.data.transform), validation))


def gan_stage(config, data, validation):
    """Generator against discriminator, on the hinge loss; what a prior's stage has fitted is taken over from it."""
    train = config.train
    generator, discriminator = build_generator(config.generator), build_discriminator(config.discriminator)
    optimisers = tuple(optimiser(rate, train) for rate in (train.generator_rate, train.discriminator_rate))
    step = functools.partial(gan_step, generator=generator, discriminator=discriminator, optimisers=optimisers,
                             batch_size=train.batch_size, discriminator_steps=train.discriminator_steps, ema=train.ema)

    return Stage(name="gan", steps=train.steps, batch_size=train.batch_size, step=step,
                 init=lambda key, before: init_gan(generator, discriminator, optimisers, key, data, before),
                 monitor=wasserstein_monitor(generator, make_transform(**config.data.transform), validation),
                 score="w1")


STAGES = {"prior": prior_stage, "gan": gan_stage}
"""Name in `config.stages` -> (config, data, validation) -> `Stage`."""


def check_stages(config):
    """Raises ConfigError for stages that do not exist, or that do not make the generator they are to train."""
    for name in config.stages:
        if name not in STAGES:
            raise ConfigError(f"config.stages names {name!r}; it is one of {', '.join(STAGES)}")
    if config.generator.name != "anchored":
        if tuple(config.stages) != ("gan",):
            raise ConfigError(f"config.stages is {tuple(config.stages)}; the generator {config.generator.name!r} "
                             "is trained by ('gan',)")
        return
    wanted = ("prior", "gan") if config.generator.correction else ("prior",)
    if tuple(config.stages) != wanted:
        raise ConfigError(f"config.stages is {tuple(config.stages)}; the anchored generator with correction="
                         f"{config.generator.correction} is trained by {wanted}")
    if config.data.transform.name != "none":
        raise ConfigError(f"config.data.transform.name is {config.data.transform.name!r}; the anchored generator "
                         "makes MeV, so it must be 'none'")


def optimiser(rate, train):
    """Clip the gradients' global norm, then Adam(0, 0.9) at a rate that is constant, then falls in a straight line."""
    constant, last = int(train.constant_fraction * train.steps), train.final_fraction * rate
    falling = optax.linear_schedule(rate, last, max(1, train.steps - constant))
    schedule = optax.join_schedules([optax.constant_schedule(rate), falling], [constant])
    return optax.chain(optax.clip_by_global_norm(train.clip), optax.adam(schedule, b1=0.0, b2=0.9))


def last_fields(config):
    """The fields, with `steps` and `batch_size`, of the last stage."""
    return config.prior if config.stages[-1] == "prior" else config.train


def check_train(train, where="config.train"):
    """Raises ConfigError for training fields that cannot work together; `where` they are, for the message."""
    parallel.check_batch(train["batch_size"])
    per_call = parallel.steps_per_call(train["log_every"])
    for name in ("steps", "checkpoint_every"):
        if train[name] % per_call:
            raise ConfigError(f"{where}.{name} is {train[name]}; on this device it must be a multiple of "
                             f"config.train.log_every, {train['log_every']}")
    for name in ("steps", "batch_size", "discriminator_steps", "log_every", "checkpoint_every"):
        if train[name] < 1:
            raise ConfigError(f"{where}.{name} is {train[name]}; it must be at least 1")
    for name in ("constant_fraction", "final_fraction"):
        if not 0 <= train[name] <= 1:
            raise ConfigError(f"{where}.{name} is {train[name]}; it must lie between 0 and 1")
    for name in ("generator_rate", "discriminator_rate", "clip"):
        if not train[name] > 0:
            raise ConfigError(f"{where}.{name} is {train[name]}; it must be above 0")


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
        energy = sample(state.sampled, jax.random.key(0), real.momentum, real.point)
        values = observables(energy, real.momentum, real.point)
        distances = {f"w1_{name}": distance(name, value) for name, value in values.items()}
        return distances | {"w1": float(np.mean(list(distances.values())))}

    return monitor
