"""The networks of a GAN stage with their optimisers, and what of them earlier stages have fitted."""
import optax

from ecalgen.models.build import build_generator
from ecalgen.training.state import Networks

FITS = {"prior": ("total", "profile", "spectrum", "shares", "corners", "latents", "whitening"),
        "regressor": ("regressor",)}
"""Stage -> names of the parameters that it fits. Later stages take them over and do not train them."""


def frozen_names(config, stage):
    """Names of the parameters that the stages before this one have fitted."""
    names = tuple(config.stages)
    before = names[:names.index(stage)] if stage in names else ()
    return tuple(parameter for name in before for parameter in FITS.get(name, ()))


def make_networks(config, domain, stage, discriminator):
    """The `Networks` of a GAN stage, whose generator is the config's."""
    train, frozen = config.train, frozen_names(config, stage)
    return Networks(build_generator(config.generator, domain), discriminator,
                    optimiser(train.generator_rate, train, frozen),
                    optimiser(train.discriminator_rate, train, frozen, updates=train.discriminator_steps), frozen)


def falling_adam(fit, clip):
    """Clip the gradients' global norm, then Adam at a rate that falls from `fit.rate` to nothing along a cosine."""
    rate = optax.cosine_decay_schedule(fit.rate, fit.steps)
    return optax.chain(optax.clip_by_global_norm(clip), optax.adam(rate))


def optimiser(rate, train, frozen=(), updates=1):
    """Clip the gradients' global norm, then Adam(0, 0.9) at a rate that is constant, then falls in a straight line.

    In the first `train.warmup` steps the rate rises from 0 in a straight line.

    Args:
      rate: the learning rate where it is constant.
      train: `config.train`, of which `steps` and fractions count steps of the GAN.
      frozen: names of parameters at the top that stay as they are, and have no state.
      updates: how many updates this network gets in a step of the GAN.
    """
    constant, last = int(train.constant_fraction * train.steps), train.final_fraction * rate
    falling = optax.linear_schedule(rate, last, max(1, train.steps - constant))
    parts, ends = [optax.constant_schedule(rate), falling], [constant]
    if train.get("warmup"):
        parts, ends = [optax.linear_schedule(0.0, rate, train.warmup), *parts], [train.warmup, *ends]
    by_step = optax.join_schedules(parts, ends)
    adam = optax.chain(optax.clip_by_global_norm(train.clip),
                       optax.adam(lambda update: by_step(update // updates), b1=0.0, b2=0.9))
    label = lambda params: {name: "fitted" if name in frozen else "trained" for name in params}
    return optax.partition({"trained": adam, "fitted": optax.set_to_zero()}, label)
