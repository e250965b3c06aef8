"""AdaGAN: generators are trained one after the other, each on the showers that those before it do not make.

Source: Tolstikhin et al. 2017, arXiv:1701.02386, algorithm 1; for calorimeters Jaruskova and Vallecorsa, "Generative
adversarial networks ensemble".
"""
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax import lax
from tqdm import tqdm

from ecalgen.data.transforms import make_transform
from ecalgen.machine.chunks import mapped
from ecalgen.machine.host import is_first
from ecalgen.models.build import build_discriminator, build_ensemble, build_generator
from ecalgen.models.ensemble import name_of
from ecalgen.models.three_views import energy_condition, fit_typical
from ecalgen.training.loop import Stage
from ecalgen.training.losses import logistic
from ecalgen.training.monitors import wasserstein_monitor
from ecalgen.training.networks import falling_adam, make_networks
from ecalgen.training.objective import Objective
from ecalgen.training.state import LibraryState, Network, init_gan, init_key, init_network
from ecalgen.training.steps import DEVICES, draw_batch, draw_noise, for_purposes, gan_step, row_keys, updated

CHUNK = 64
"""Showers that the classifier sees at once."""


def shower_weights(real_probability, share):
    """w_i = (lambda - (1 - beta) h_i)_+ / (beta N): how often the next generator is shown each training shower.

    h = (1 - d) / d estimates how many times denser the generators so far are than the data. Showers that they make
    often enough get no weight, and lambda is such that the weights sum to 1 (their equations 17 and 18).

    Args:
      real_probability: `[N]`, d_i: a classifier's probability that real shower i is real and not generated.
      share: beta, that of the next generator in the mixture: 1 / (t + 1) after t of them.

    Returns:
      `[N]`, sums to 1.
    """
    d = np.clip(np.asarray(real_probability, np.float64), 1e-6, 1 - 1e-6)
    made = (1 - share) * (1 - d) / d
    order = np.sort(made)
    count = np.arange(1, len(d) + 1)
    level = (share * len(d) + np.cumsum(order)) / count  # lambda, if the first `count` showers are those with a weight
    held = np.nonzero(level > order)[0][-1]
    return np.maximum(level[held] - made, 0) / (share * len(d))


class ClassifierState(struct.PyTreeNode):
    """A classifier of real against generated showers, how many steps it has seen, and the generators' variables."""

    step: jax.Array
    network: Network
    made_by: Any
    """The variables of several generators of one kind, stacked."""

    @property
    def fitted(self):
        """A classifier fits no parameters that a later stage takes over."""
        return {}


class Fitted(NamedTuple):
    """Parameters that a network starts from, by their names at its top."""

    fitted: dict


class ClassifierFit(NamedTuple):
    """A classifier, the generator whose members' showers it tells from real ones, and how it is fitted."""

    classifier: Any
    generator: Any
    optimiser: Any
    batch_size: int


def init_classifier(fit, key, data, made_by):
    """The state of a classifier before its first step.

    Args:
      fit: `ClassifierFit`.
      key: of the initial parameters.
      data: the training arrays; only shapes are used.
      made_by: the variables of each generator.
    """
    example = (data[name][:1] for name in ("cells", "momentum", "point"))
    return ClassifierState(step=jnp.zeros((), jnp.int32),
                           network=init_network(fit.classifier, fit.optimiser, key, *example),
                           made_by=jax.tree.map(lambda *leaves: jnp.stack(leaves), *made_by))


def classifier_step(state, data, key, fit):
    """One step on the logistic loss of real showers against those of one generator, drawn at random each step."""
    choice_key, rows_key = jax.random.split(jax.random.fold_in(key, state.step))
    batch_keys, noise_keys = for_purposes(row_keys(rows_key, fit.batch_size), 2)
    batch = draw_batch(data, batch_keys)
    momentum, point = batch["momentum"], batch["point"]
    chosen = jax.random.randint(choice_key, (), 0, len(jax.tree.leaves(state.made_by)[0]))
    made_by = jax.tree.map(lambda stacked: stacked[chosen], state.made_by)
    fake = fit.generator.apply(made_by, draw_noise(fit.generator, noise_keys), momentum, point)

    def loss_fn(params):
        cells = jnp.concatenate([batch["cells"], fake])
        logits, _ = fit.classifier.apply({"params": params}, cells, jnp.tile(momentum, (2, 1)),
                                         jnp.tile(point, (2, 1)))
        return logistic(*jnp.split(logits, 2)), (state.network.spectral, {})

    network, _, loss, _ = updated(state.network, loss_fn, fit.optimiser)
    return state.replace(step=state.step + 1, network=network), {"judge_loss": lax.pmean(loss, DEVICES)}


def boosting_stages(config, data, validation, domain, targets):
    """The stages of an ensemble: every member, a classifier before each but the first, and the ensemble of them all.

    A member is a GAN of the discriminator's own auxiliary task, the regression of log E.
    """
    del targets
    stages = []
    for number in range(config.ensemble.members):
        if number:
            stages.append(classifier_stage(config, number, data, domain))
        stages.append(member_stage(config, number, data, validation, domain))
    return [*stages, ensemble_stage(config, data, validation, domain)]


def member_stage(config, number, data, validation, domain):
    """One GAN of the ensemble: hinge, and the squared error of the energy predicted for real and generated showers."""
    networks = make_networks(config, domain, name_of(number), build_discriminator(config.discriminator, domain))
    transform = make_transform(**config.data.transform)

    def init(key, before):
        fitted = {"typical": fit_typical(data["cells"], data["momentum"], domain.scales)}
        return init_gan(networks, jax.random.fold_in(key, number), data, {"typical": Fitted(fitted)})

    def shown(data, before):
        data = data | {"targets": np.asarray(energy_condition(data["momentum"], domain.scales)[:, :1])}
        return weighted(config, data, before[classifier_name(number)], number, domain) if number else data

    return Stage(name=name_of(number), steps=config.train.steps, batch_size=config.train.batch_size,
                 step=functools.partial(gan_step, networks=networks, objective=member_objective(config)), init=init,
                 monitor=wasserstein_monitor(networks.generator, transform, validation), score="w1", shown=shown)


def member_objective(config):
    """The losses of a member: the auxiliary task has the same weight in both, and no gradient is penalised."""
    train, weight = config.train, (config.ensemble.energy_weight,)
    return Objective(train.batch_size, train.discriminator_steps, train.loss, r1=0.0, r1_every=1, gradient_penalty=0.0,
                     ema=train.ema, weights=weight, steering=weight)


def classifier_stage(config, number, data, domain):
    """A classifier of real showers against those of the first `number` members."""
    section = config.ensemble.judge
    fit = ClassifierFit(build_classifier(config.discriminator, domain), build_generator(config.generator, domain),
                        falling_adam(section, config.train.clip), section.batch_size)

    def init(key, before):
        members = [generator_params(config, data, domain, before, earlier) for earlier in range(number)]
        return init_classifier(fit, jax.random.fold_in(key, number), data, members)

    return Stage(name=classifier_name(number), steps=section.steps, batch_size=section.batch_size,
                 step=functools.partial(classifier_step, fit=fit), init=init)


def ensemble_stage(config, data, validation, domain):
    """The ensemble of the trained members; it is whole when its state is made, and its only step does nothing."""
    members = config.ensemble.members
    whole = lambda before: {name_of(number): generator_params(config, data, domain, before, number)["params"]
                            for number in range(members)}
    generator = build_ensemble(config.generator, members, domain)
    return Stage(name="ensemble", steps=1, batch_size=config.train.batch_size,
                 step=lambda state, data, key: (state.replace(step=state.step + 1), {}),
                 init=lambda key, before: LibraryState(step=jnp.zeros((), jnp.int32), params=whole(before)),
                 monitor=wasserstein_monitor(generator, make_transform(**config.data.transform), validation))


def generator_params(config, data, domain, before, number):
    """The variables of a trained member; of an untrained one, for their shapes, where no stage was before."""
    if before is not None:
        return before[name_of(number)].sampled
    generator = build_generator(config.generator, domain)
    noise = jax.vmap(generator.draw_noise)(init_key(0)[None])
    return jax.jit(generator.init)(init_key(0), noise, data["momentum"][:1], data["point"][:1]) | {"spectral": {}}


def classifier_name(number):
    """Name of the stage before that of member `number`; runs of older versions have folders of this name."""
    return f"judge{number}"


def build_classifier(discriminator, domain):
    """The discriminator that `config.discriminator` describes, as a classifier without spectral norm and gain."""
    return build_discriminator(discriminator.to_dict() | {"spectral_norm": False, "gain": 1.0}, domain)


def weighted(config, data, classified, number, domain):
    """The training arrays with running sums of the weights that member `number` is trained with.

    Args:
      config: of the run.
      data: the training arrays.
      classified: the last state of the classifier before.
      number: of the member, from 1.
      domain: of the training showers.
    """
    classifier = build_classifier(config.discriminator, domain)
    real = jax.jit(lambda *arrays: jax.nn.sigmoid(classifier.apply(classified.network.variables, *arrays)[0]))
    probability = mapped(real, CHUNK, *(data[name] for name in ("cells", "momentum", "point")))
    weights = shower_weights(probability, 1 / (number + 1))
    if is_first():
        tqdm.write(f"generator {number + 1} is trained on {1 / np.sum(weights**2):,.0f} effective showers of "
                   f"{len(weights):,}")
    return data | {"cumulative": np.cumsum(weights).astype(np.float32)}
