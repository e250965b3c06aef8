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

from ecalgen.machine.chunks import mapped
from ecalgen.models.build import build_discriminator, build_generator
from ecalgen.training.loop import Stage
from ecalgen.training.losses import logistic
from ecalgen.training.stages import falling_adam
from ecalgen.training.state import Network, init_network
from ecalgen.training.steps import DEVICES, draw_batch, draw_noise, for_purposes, row_keys, updated

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


def classifier_stage(config, number, data, members):
    """A classifier of real showers against those of the first `number` members, whose last states are `members`."""
    section = config.ensemble.judge
    fit = ClassifierFit(build_classifier(config.discriminator), build_generator(config.generator),
                        falling_adam(section, config.train.clip), section.batch_size)
    made_by = [state.sampled for state in members]
    return Stage(name=f"judge{number}", steps=section.steps, batch_size=section.batch_size,
                 step=functools.partial(classifier_step, fit=fit),
                 init=lambda key, before: init_classifier(fit, jax.random.fold_in(key, number), data, made_by))


def build_classifier(discriminator):
    """The discriminator that `config.discriminator` describes, as a classifier without spectral norm and gain."""
    return build_discriminator(discriminator.to_dict() | {"spectral_norm": False, "gain": 1.0})


def weighted(config, data, classified, number):
    """The training arrays with the weights that member `number` is trained with, and these weights `[N]`.

    Args:
      config: of the run.
      data: the training arrays.
      classified: the last state of `classifier_stage(config, number, ...)`.
      number: of the member, from 1.
    """
    classifier = build_classifier(config.discriminator)
    real = jax.jit(lambda *arrays: jax.nn.sigmoid(classifier.apply(classified.network.variables, *arrays)[0]))
    probability = mapped(real, CHUNK, *(data[name] for name in ("cells", "momentum", "point")))
    weights = shower_weights(probability, 1 / (number + 1))
    return data | {"cumulative": np.cumsum(weights).astype(np.float32)}, weights
