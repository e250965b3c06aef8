"""From a config to the stages of its run, in order."""
import functools

import jax.numpy as jnp
import ml_collections
import numpy as np

from ecalgen.data.grid import Domain
from ecalgen.data.transforms import make_transform
from ecalgen.errors import ConfigError
from ecalgen.models.build import build_discriminator, build_generator, build_regressor
from ecalgen.models.library import fill
from ecalgen.models.prior import Prior
from ecalgen.models.vae import VAE
from ecalgen.training.boosting import boosting_stages
from ecalgen.training.features import FEATURES
from ecalgen.training.loop import Stage, trained_state
from ecalgen.training.monitors import error_monitor, wasserstein_monitor
from ecalgen.training.networks import FITS, falling_adam, make_networks
from ecalgen.training.objective import objective_of
from ecalgen.training.state import LibraryState, init_gan, init_key, init_prior, init_regressor, init_vae
from ecalgen.training.steps import BoundFit, RegressorFit, bound_step, gan_step, regressor_step
from ecalgen.training.targets import fit_targets

CONDITIONING = ("decides", "bound", "adversarial_gradient")
"""Fields of `config.regressor` on how the discriminator uses the predictions. Runs of older versions lack some."""


def make_targets(config, showers):
    """The targets of `config.regressor` on the scale of these training showers; None without a regressor."""
    if not config.regressor:
        return None
    frame = build_discriminator(config.discriminator, Domain(showers.grid)).frame
    return fit_targets(config.regressor.targets, config.regressor.weights, frame, showers)


def is_multitask(config):
    """Whether the regressor is trained with the discriminator: it has no stage of its own."""
    return bool(config.regressor) and "regressor" not in config.stages


def make_discriminator(config, domain, targets=None, multitask=None):
    """The discriminator of a GAN stage, with the regressor that is trained along or was trained before.

    Every stage uses this function, and so does all that reads a trained discriminator.

    Args:
      config: of the run.
      domain: of the training showers.
      targets: as `make_targets`.
      multitask: whether the regressor is trained along; `is_multitask` by default.
    """
    if not targets:
        return build_discriminator(config.discriminator, domain)
    multitask = is_multitask(config) if multitask is None else multitask
    regressor = build_regressor(config.regressor, config.discriminator, len(targets.names))
    conditioning = {name: config.regressor[name] for name in CONDITIONING if name in config.regressor}
    return build_discriminator(config.discriminator, domain, **{"auxiliary" if multitask else "regressor": regressor},
                               **conditioning)


def training_arrays(showers, transform, targets=None):
    """What a step takes: cells in the space of the transform, momenta, points, and targets where there are any.

    Particles along the axis are the same under every symmetry of the cells, and their showers are equally likely. Their
    number is then `symmetries [S]`, by which `steps.draw_batch` makes S showers of each.
    """
    arrays = {"cells": transform.forward(showers.energy), "momentum": showers.momentum, "point": showers.point}
    if targets is not None:
        return arrays | {"targets": targets(showers)}
    along_axis = not showers.momentum[:, :2].any() and not showers.point.any()
    return arrays | ({"symmetries": np.zeros(showers.grid.symmetries, np.float32)}
                     if along_axis and showers.grid.symmetries > 1 else {})


def build_stages(config, data, validation, domain, targets=None):
    """The stages that `config.stages` names, without the multi-task one where `config.regressor.multitask` is given.

    Args:
      data: the training arrays.
      validation: `Showers` that the monitors compare with.
      domain: of the training showers.
      targets: as `make_targets`.
    """
    found = ("multitask",) if config.regressor and config.regressor.multitask else ()
    made = [STAGES[name](config, data, validation, domain, targets) for name in config.stages if name not in found]
    return [stage for part in made for stage in (part if isinstance(part, list) else [part])]


def prior_stage(config, data, validation, domain, targets):
    """The anchored generator's prior, fitted by likelihood: Adam at a rate that falls to nothing along a cosine."""
    del targets
    fit, fields = config.prior, config.generator
    prior = Prior(fields.shape, fields.profile, fields.profile_widths, fields.octant, domain=domain,
                  **{name: fields[name] for name in ("spectrum", "shared", "corners", "mixture") if name in fields})
    bound = BoundFit(prior, fields.shape, falling_adam(fit, 1.0), fit.batch_size, beta=1.0)
    alone = build_generator(fields.to_dict() | {"correction": False}, domain)
    return Stage(name="prior", steps=fit.steps, batch_size=fit.batch_size,
                 step=functools.partial(bound_step, fit=bound),
                 init=lambda key, before: init_prior(prior, bound.optimiser, key, data, FITS["prior"], before),
                 monitor=wasserstein_monitor(alone, make_transform(**config.data.transform), validation))


def regressor_stage(config, data, validation, domain, targets):
    """The regressor of two-step training, on the weighted MSE alone.

    It starts from fresh parameters, from the multi-task stage before it, or from a multi-task run.
    """
    section, discriminator = config.regressor, build_discriminator(config.discriminator, domain)
    regressor = build_regressor(section, config.discriminator, len(targets.names))
    fit = RegressorFit(regressor, discriminator.views, falling_adam(section, config.train.clip), section.batch_size,
                       targets.weights)

    def init(key, before):
        example = discriminator.views(data["cells"][:1], data["momentum"][:1], data["point"][:1])
        start = (before or {}).get("multitask")
        if before is not None and section.multitask:
            start = _multitask_run(config, data, validation, domain, targets)
        return init_regressor(regressor, fit.optimiser, key, example, start and start.discriminator)

    def predict(state, *arrays):
        return regressor.apply(state.regressor.variables, *discriminator.views(*arrays))[0]

    transform = make_transform(**config.data.transform)
    return Stage(name="regressor", steps=section.steps, batch_size=section.batch_size,
                 step=functools.partial(regressor_step, fit=fit), init=init,
                 monitor=error_monitor(predict, transform, validation, targets))


def _multitask_run(config, data, validation, domain, targets):
    """The last state of the multi-task run that `config.regressor.multitask` names."""
    stage = gan_stage(config, data, validation, domain, targets, name="gan", multitask=True)
    state = trained_state(stage, stage.init(init_key(0), None), config.regressor.multitask)
    if state is None:
        raise ConfigError(f"config.regressor.multitask is {config.regressor.multitask!r}, which holds no trained "
                          "discriminator; train it with configs/aux_multitask.py, or leave the field out")
    return state


def gan_stage(config, data, validation, domain, targets, name="gan", multitask=None):
    """Generator against discriminator; what earlier stages have fitted is taken over from them.

    With `multitask` a regressor is trained along, on the weighted MSE. By default that is so for a regressor that has
    no stage of its own.
    """
    multitask = is_multitask(config) if multitask is None else multitask
    objective, transform = objective_of(config, targets, multitask), make_transform(**config.data.transform)
    networks = make_networks(config, domain, name, make_discriminator(config, domain, targets, multitask))
    if objective.energy_score:
        made = FEATURES[config.train.energy_features](networks.discriminator, transform, data)
        networks = networks._replace(features=made)
    distances = wasserstein_monitor(networks.generator, transform, validation)
    predict = lambda state, *arrays: networks.discriminator.apply(state.discriminator.variables, *arrays)[1]
    errors = error_monitor(predict, transform, validation, targets) if multitask else lambda state: {}
    return Stage(name=name, steps=config.train.steps, batch_size=objective.batch_size,
                 step=functools.partial(gan_step, networks=networks, objective=objective),
                 init=lambda key, before: init_gan(networks, key, data, before),
                 monitor=lambda state: distances(state) | errors(state), score="w1")


def vae_stage(config, data, validation, domain, targets):
    """The variational autoencoder, fitted by its evidence lower bound."""
    del targets
    fit, generator = config.vae, build_generator(config.generator, domain)
    vae = VAE(generator.latent, generator.widths, generator.attention, generator.octant, domain=domain)
    bound = BoundFit(vae, vae.latent, falling_adam(fit, config.train.clip), fit.batch_size, fit.beta)
    return Stage(name="vae", steps=fit.steps, batch_size=fit.batch_size, step=functools.partial(bound_step, fit=bound),
                 init=lambda key, before: init_vae(vae, bound.optimiser, key, data, before),
                 monitor=wasserstein_monitor(generator, make_transform(**config.data.transform), validation))


def library_stage(config, data, validation, domain, targets):
    """The shower library, which is filled when its state is made; its only step does nothing."""
    del targets
    generator = build_generator(config.generator, domain)
    filled = lambda: fill(generator, *(data[name] for name in ("cells", "momentum", "point")))
    return Stage(name="library", steps=config.train.steps, batch_size=config.train.batch_size,
                 step=lambda state, data, key: (state.replace(step=state.step + 1), {}),
                 init=lambda key, before: LibraryState(step=jnp.zeros((), jnp.int32), params=filled()),
                 monitor=wasserstein_monitor(generator, make_transform(**config.data.transform), validation))


STAGES = {"prior": prior_stage, "multitask": functools.partial(gan_stage, name="multitask", multitask=True),
          "regressor": regressor_stage, "gan": gan_stage, "vae": vae_stage,
          "library": library_stage, "ensemble": boosting_stages}
"""Name in `config.stages` -> (config, data, validation, domain, targets) -> `Stage`, or a list of them."""


def last_fields(config):
    """The fields, with `steps` and `batch_size`, of the last stage."""
    if config.stages[-1] == "ensemble":
        return ml_collections.ConfigDict(dict(steps=1, batch_size=config.train.batch_size))
    return config.get(config.stages[-1], config.train)
