"""From a config to the stages of its run, in order."""
import functools
import json
import pathlib

import jax
import numpy as np
import optax

from ecalgen.data.observables import observables
from ecalgen.data.transforms import make_transform
from ecalgen.errors import ConfigError
from ecalgen.models.build import build_discriminator, build_generator, build_regressor
from ecalgen.models.prior import Prior
from ecalgen.sampler import make_sampler
from ecalgen.training import parallel
from ecalgen.training.loop import Stage, trained_state
from ecalgen.training.state import FITTED, init_gan, init_prior, init_regressor
from ecalgen.training.steps import gan_step, prior_step, regressor_step
from ecalgen.training.targets import find_functions, fit_targets

MONITORED = 500
"""Validation showers that the monitor generates."""
REGRESSED = 2_000
"""Validation showers that a regressor's monitor looks at."""


def make_targets(config, showers):
    """The targets of `config.regressor` on the scale of these training showers; None without a regressor."""
    if not config.regressor:
        return None
    frame = build_discriminator(config.discriminator).frame
    return fit_targets(config.regressor.targets, config.regressor.weights, frame, showers)


def training_arrays(showers, transform, targets=None):
    """What a step takes: cells in the space of the transform, momenta, points, and targets where there are any."""
    arrays = {"cells": transform.forward(showers.energy), "momentum": showers.momentum, "point": showers.point}
    return arrays if targets is None else arrays | {"targets": targets(showers)}


def build_stages(config, data, validation, targets=None):
    """The stages that `config.stages` names, but the multi-task one where its run is at hand.

    Args:
      data: the training arrays.
      validation: `Showers` that the monitors compare with.
      targets: as `make_targets`.
    """
    found = ("multitask",) if config.regressor and config.regressor.multitask else ()
    return [STAGES[name](config, data, validation, targets) for name in config.stages if name not in found]


def prior_stage(config, data, validation, targets):
    """The anchored generator's prior, fitted by likelihood: Adam at a rate that falls to nothing along a cosine."""
    del targets
    fit, fields = config.prior, config.generator
    prior = Prior(shape=fields.shape, profile=fields.profile, octant=fields.octant)
    rate = optax.cosine_decay_schedule(fit.rate, fit.steps)
    adam = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))
    alone = build_generator(fields.to_dict() | {"correction": False})
    return Stage(name="prior", steps=fit.steps, batch_size=fit.batch_size,
                 step=functools.partial(prior_step, prior=prior, optimiser=adam, batch_size=fit.batch_size),
                 init=lambda key, before: init_prior(prior, adam, key, data),
                 monitor=wasserstein_monitor(alone, make_transform(**config.data.transform), validation))


def regressor_stage(config, data, validation, targets):
    """The regressor of two-step training, on the weighted MSE alone, from nothing or from a multi-task run's."""
    fit = config.regressor
    regressor = build_regressor(fit, config.discriminator, len(targets.names))
    discriminator = build_discriminator(config.discriminator)
    rate = optax.cosine_decay_schedule(fit.rate, fit.steps)
    adam = optax.chain(optax.clip_by_global_norm(config.train.clip), optax.adam(rate))
    step = functools.partial(regressor_step, regressor=regressor, views=discriminator.views, optimiser=adam,
                             batch_size=fit.batch_size, weights=targets.weights)

    def init(key, before):
        example = discriminator.views(data["cells"][:1], data["momentum"][:1], data["point"][:1])
        start = (before or {}).get("multitask")
        if before is not None and fit.multitask:
            start = _multitask_run(config, data, validation, targets)
        return init_regressor(regressor, adam, key, example, start and start.discriminator)

    def predict(state, *arrays):
        return regressor.apply(state.regressor.variables, *discriminator.views(*arrays))[0]

    return Stage(name="regressor", steps=fit.steps, batch_size=fit.batch_size, step=step, init=init,
                 monitor=error_monitor(predict, config, validation, targets))


def _multitask_run(config, data, validation, targets):
    """The last state of the multi-task run that `config.regressor.multitask` names."""
    stage = gan_stage(config, data, validation, targets, name="gan", multitask=True)
    state = trained_state(stage, stage.init(jax.random.key(0, impl="rbg"), None), config.regressor.multitask)
    if state is None:
        raise ConfigError(f"config.regressor.multitask is {config.regressor.multitask!r}, which holds no trained "
                          "discriminator; train it with configs/aux_multitask.py, or leave the field out")
    return state


def gan_stage(config, data, validation, targets, name="gan", multitask=None):
    """Generator against discriminator, on the hinge loss; what earlier stages have fitted is taken over from them.

    With `multitask` (by default: with a regressor that has no stage of its own) a regressor is trained along, on the
    weighted MSE.
    """
    train = config.train
    if multitask is None:
        multitask = bool(config.regressor) and "regressor" not in config.stages
    generator = build_generator(config.generator)
    discriminator = build_discriminator(config.discriminator)
    if targets is not None:
        regressor = build_regressor(config.regressor, config.discriminator, len(targets.names))
        discriminator = build_discriminator(config.discriminator, **{"auxiliary" if multitask else "regressor": regressor})
    optimisers = tuple(optimiser(rate, train) for rate in (train.generator_rate, train.discriminator_rate))
    step = functools.partial(gan_step, generator=generator, discriminator=discriminator, optimisers=optimisers,
                             batch_size=train.batch_size, discriminator_steps=train.discriminator_steps, ema=train.ema,
                             weights=targets.weights if multitask else None)
    distances = wasserstein_monitor(generator, make_transform(**config.data.transform), validation)
    predict = lambda state, *arrays: discriminator.apply(state.discriminator.variables, *arrays)[1]
    errors = error_monitor(predict, config, validation, targets) if multitask else lambda state: {}
    return Stage(name=name, steps=train.steps, batch_size=train.batch_size, step=step,
                 init=lambda key, before: init_gan(generator, discriminator, optimisers, key, data, before),
                 monitor=lambda state: distances(state) | errors(state), score="w1")


STAGES = {"prior": prior_stage, "multitask": functools.partial(gan_stage, name="multitask", multitask=True),
          "regressor": regressor_stage, "gan": gan_stage}
"""Name in `config.stages` -> (config, data, validation, targets) -> `Stage`."""


def check_stages(config):
    """Raises ConfigError for stages that do not exist, or that do not make the system they are to train."""
    generator, fit = config.generator, config.regressor
    for name in config.stages:
        if name not in STAGES:
            raise ConfigError(f"config.stages names {name!r}; it is one of {', '.join(STAGES)}")
    anchored = generator.name == "anchored"
    trained = not anchored or generator.correction
    wanted = ("prior",) * anchored + (("multitask",) * ("multitask" in config.stages) + ("regressor",)) * (
        "regressor" in config.stages) + ("gan",) * trained
    if tuple(config.stages) != wanted:
        of_it = f"the anchored generator with correction={generator.correction}" if anchored else (
            f"the generator {generator.name!r}")
        raise ConfigError(f"config.stages is {tuple(config.stages)}; {of_it} is trained by {wanted}")
    if "regressor" in config.stages and not fit:
        raise ConfigError("config.stages has a regressor, but config.regressor is empty; configs/aux_twostep.py fills it")
    if anchored and config.data.transform.name != "none":
        raise ConfigError(f"config.data.transform.name is {config.data.transform.name!r}; the anchored generator "
                         "makes MeV, so it must be 'none'")
    if fit:
        check_regressor(config)


def check_regressor(config):
    """Raises ConfigError for a regressor that cannot be, or for a multi-task run that it cannot start from."""
    fit = config.regressor
    find_functions(fit.targets, fit.weights)
    build_regressor(fit, config.discriminator, 1)
    multitask = "regressor" not in config.stages
    if fit.name != "disc_arch" and (multitask or fit.multitask or "multitask" in config.stages):
        raise ConfigError(f"config.regressor.name is {fit.name!r}; a regressor that shares the discriminator's layers "
                          "is 'disc_arch'")
    if not fit.multitask:
        return
    path = pathlib.Path(fit.multitask) / "config.json"
    if not path.exists():
        raise ConfigError(f"config.regressor.multitask is {fit.multitask!r}, but {path} does not exist; "
                          "train that run with configs/aux_multitask.py, or leave the field out")
    there, here = json.loads(path.read_text()), json.loads(config.to_json_best_effort())
    for part, names in (("discriminator", here["discriminator"]), ("regressor", ("targets", "embedding", "shared"))):
        for name in names:
            if there[part].get(name) != here[part][name]:
                raise ConfigError(f"config.{part}.{name} is {here[part][name]}, but {there[part].get(name)} in the "
                                  f"multi-task run {fit.multitask}; the regressor cannot start from there")


def optimiser(rate, train):
    """Clip the gradients' global norm, then Adam(0, 0.9) at a rate that is constant, then falls in a straight line.

    Parameters that an earlier stage has fitted stay as they are, and have no state.
    """
    constant, last = int(train.constant_fraction * train.steps), train.final_fraction * rate
    falling = optax.linear_schedule(rate, last, max(1, train.steps - constant))
    schedule = optax.join_schedules([optax.constant_schedule(rate), falling], [constant])
    adam = optax.chain(optax.clip_by_global_norm(train.clip), optax.adam(schedule, b1=0.0, b2=0.9))
    label = lambda params: {name: "fitted" if name in FITTED else "trained" for name in params}
    return optax.partition({"trained": adam, "fitted": optax.set_to_zero()}, label)


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


def error_monitor(predict, config, validation, targets):
    """state -> MSE of a regressor on validation showers, of each target in units of its variance, and their mean.

    `predict(state, cells, momentum, point)` -> `[N, K]`.
    """
    real = validation[:REGRESSED]
    arrays = training_arrays(real, make_transform(**config.data.transform))
    expected, jitted = targets(real), jax.jit(predict)

    def monitor(state):
        predicted = jitted(state, arrays["cells"], arrays["momentum"], arrays["point"])
        errors = np.mean((np.asarray(predicted) - expected) ** 2, axis=0)
        named = {f"mse_{name}": float(error) for name, error in zip(targets.names, errors, strict=True)}
        return named | {"mse": float(np.mean(errors))}

    return monitor
