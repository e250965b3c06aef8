"""One training step of each kind, as pure functions run on every device.

A step takes (state, data, key) and what it trains, and returns (state, metrics). `data` holds the whole training set;
each step draws its minibatch on the device. Row `i` of the global batch at step `t` depends only on (key, t, i), so
neither an interruption nor the number of devices changes what a run sees. Every key is used once: a step folds its
number into the run's key, each row gets a key of that, and `for_purposes` derives a key for each purpose from it.
"""
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax

from ecalgen.data.octant import under_symmetries
from ecalgen.data.showers import for_cells
from ecalgen.training import losses

DEVICES = "devices"
"""The axis over which a step is mapped, and its gradients averaged."""


def row_keys(key, rows):
    """A key for each row that this device computes, of a global batch of `rows`: `[rows / devices]`."""
    local = rows // lax.axis_size(DEVICES)
    index = lax.axis_index(DEVICES) * local + jnp.arange(local)
    return jax.vmap(jax.random.fold_in, (None, 0))(key, index)


def for_purposes(keys, count):
    """A key of each row for each of `count` purposes, such as its shower and its noise: `[N]` -> `count` of `[N]`."""
    return [jax.vmap(jax.random.fold_in, (0, None))(keys, purpose) for purpose in range(count)]


def draw_batch(data, keys):
    """One shower for each key, with replacement: arrays `[N, ...]` -> `[len(keys), ...]`.

    Showers are equally likely, or are drawn by their weights where `cumulative [N]` holds the weights' running sums.
    Where `symmetries` has S entries, each shower is drawn under one of S symmetries of the cells.
    """
    columns = dict(data)
    cumulative, count = columns.pop("cumulative", None), len(columns["cells"])
    symmetries = columns.pop("symmetries", None)
    if symmetries is not None:
        keys, turns = for_purposes(keys, 2)
    if cumulative is None:
        index = jax.vmap(lambda key: jax.random.randint(key, (), 0, count))(keys)
    else:
        drawn = jax.vmap(lambda key: jax.random.uniform(key))(keys) * cumulative[-1]
        index = jnp.minimum(jnp.searchsorted(cumulative, drawn, side="right"), count - 1)
    batch = {name: column[index] for name, column in columns.items()}
    if symmetries is None:
        return batch
    which = jax.vmap(lambda key: jax.random.randint(key, (), 0, len(symmetries)))(turns)
    return batch | {"cells": under_symmetries(batch["cells"], which)}


def draw_noise(generator, keys):
    """The generator's noise for each key."""
    return jax.vmap(generator.draw_noise)(keys)


def held(params, frozen):
    """A network's parameters, without a gradient for those whose names at the top are in `frozen`."""
    return {name: lax.stop_gradient(value) if name in frozen else value for name, value in params.items()}


def gan_step(state, data, key, networks, objective):
    """`discriminator_steps` updates of the discriminator, then one of the generator, then one of its average.

    Args:
      state: `GANState`.
      data: `{"cells": [N, ...], "momentum": [N, 3], "point": [N, 2]}`, and `"targets": [N, K]` where the objective
        weighs a regressor.
      key: the run's key; the step's number is folded in here.
      networks: `Networks`.
      objective: `Objective`.
    """
    generator_key, *discriminator_keys = jax.random.split(jax.random.fold_in(key, state.step),
                                                          1 + objective.discriminator_steps)
    for discriminator_key in discriminator_keys:
        keys = row_keys(discriminator_key, objective.batch_size)
        state, d_metrics = discriminator_step(state, data, keys, networks, objective)
    keys = row_keys(generator_key, objective.batch_size // objective.repeats)
    state, g_metrics = generator_step(state, data, keys, networks, objective)
    decay = jnp.minimum(objective.ema, (1 + state.step) / (10 + state.step))
    average = optax.incremental_update(state.generator.params, state.ema, 1 - decay)
    return state.replace(step=state.step + 1, ema=average), lax.pmean(d_metrics | g_metrics, DEVICES)


def discriminator_step(state, data, keys, networks, objective):
    """One update of the discriminator on L_adv, penalties and L_reg of the real showers, at the same conditions."""
    batch_keys, noise_keys, mix_keys = for_purposes(keys, 3)
    batch = draw_batch(data, batch_keys)
    given = batch["momentum"], batch["point"]
    discriminator = networks.discriminator
    fake = networks.generator.apply(state.generator.variables, draw_noise(networks.generator, noise_keys), *given)

    def loss_fn(params):
        variables = {"params": held(params, networks.frozen), "spectral": state.discriminator.spectral}
        (logits, predicted), changed = discriminator.apply(
            variables, jnp.concatenate([batch["cells"], fake]), *(jnp.tile(column, (2, 1)) for column in given),
            update_stats=True, mutable=["spectral"])
        real_logits, fake_logits = jnp.split(logits, 2)
        metrics = {"real_logit": jnp.mean(real_logits), "fake_logit": jnp.mean(fake_logits)}
        value = objective.losses.discriminator(real_logits, fake_logits)
        slope = jax.grad(lambda cells: jnp.sum(discriminator.apply(variables, cells, *given)[0]))
        for name, penalty in penalties(slope, batch["cells"], fake, mix_keys, state.step, objective).items():
            metrics[name] = penalty
            value += getattr(objective, name) * penalty
        if objective.weights is not None:
            targets = batch["targets"]
            metrics["regressor_loss"] = losses.weighted_mse(targets, predicted[:len(targets)], objective.weights)
            value += metrics["regressor_loss"]
        return value, (changed.get("spectral", {}), metrics)

    network, gradients, value, metrics = updated(state.discriminator, loss_fn, networks.discriminator_optimiser)
    metrics |= {"discriminator_loss": value, "discriminator_gradient": optax.tree.norm(gradients)}
    return state.replace(discriminator=network), metrics


def penalties(slope, real, fake, mix_keys, step, objective):
    """The penalties that the objective weighs, each by the name of its weight.

    Args:
      slope: cells `[N, ...]` -> the gradients of the logits there.
      real, fake: cells.
      mix_keys: `[N]`, keys of `mixed`.
      step: of the run.
      objective: `Objective`.
    """
    found, every = {}, objective.r1_every
    for name, cells in (("r1", real), ("r2", fake)):
        if getattr(objective, name):
            penalty = lambda cells=cells: every * losses.slope_penalty(slope(cells))
            found[name] = lax.cond(step % every == 0, penalty, lambda: 0.0) if every > 1 else penalty()
    if objective.gradient_penalty:
        found["gradient_penalty"] = losses.gradient_penalty(slope(mixed(mix_keys, real, fake)))
    return found


def mixed(keys, real, fake):
    """a x + (1 - a) G(z, y) with a uniform in [0, 1], one for each key."""
    share = for_cells(jax.vmap(lambda key: jax.random.uniform(key))(keys), real)
    return share * real + (1 - share) * fake


def generator_step(state, data, keys, networks, objective):
    """One update of the generator on L_G, at conditions drawn from the data.

    If weighed, L_reg of its showers and their energy score are added. The keys are those of the particles;
    `objective.repeats` showers are made of each.
    """
    batch_keys, *noise_keys = for_purposes(keys, 1 + objective.repeats)
    batch = draw_batch(data, batch_keys)
    particles = batch["momentum"], batch["point"]
    given = [repeated(column, objective.repeats) for column in particles]
    noise = draw_noise(networks.generator, jnp.concatenate(noise_keys))
    judge = functools.partial(networks.discriminator.apply, state.discriminator.variables)
    features = functools.partial(networks.features, state.discriminator.variables) if objective.energy_score else None
    real_logits = ([repeated(judge(batch["cells"], *particles)[0], objective.repeats)]
                   if objective.losses.paired else [])

    def loss_fn(params):
        fake, changed = networks.generator.apply(
            {"params": held(params, networks.frozen), "spectral": state.generator.spectral}, noise, *given,
            update_stats=True, mutable=["spectral"])
        logits, predicted = judge(fake, *given)
        value, metrics = objective.losses.generator(*real_logits, logits), {}
        if objective.steering is not None:
            targets = repeated(batch["targets"], objective.repeats)
            metrics["steering_loss"] = losses.weighted_mse(targets, predicted, objective.steering)
            value += metrics["steering_loss"]
        if features:
            both = jnp.split(features(fake, *given), objective.repeats)
            metrics["energy_score"] = losses.energy_score(features(batch["cells"], *particles), *both)
            value += objective.energy_score * metrics["energy_score"]
        return value, (changed.get("spectral", {}), metrics)

    network, gradients, value, metrics = updated(state.generator, loss_fn, networks.generator_optimiser)
    metrics |= {"generator_loss": value, "generator_gradient": optax.tree.norm(gradients)}
    return state.replace(generator=network), metrics


def repeated(column, times):
    """All rows, then all of them again: `[N, ...]` -> `[times N, ...]`."""
    return jnp.concatenate([column] * times)


class BoundFit(NamedTuple):
    """A model that is fitted by the evidence lower bound of its likelihood, and how.

    Args:
      model: `(cells, momentum, point, normal)` -> the terms of `losses.negative_bound`, `[N]` each.
      latents: numbers of noise `normal` a shower.
      optimiser: optax.
      batch_size: showers a step on all devices together.
      beta: as in `losses.negative_bound`.
    """

    model: Any
    latents: int
    optimiser: Any
    batch_size: int
    beta: float


def bound_step(state, data, key, fit):
    """One step on the negative evidence lower bound of a `BoundFit`; the state is a `BoundState`."""
    batch_keys, noise_keys = for_purposes(row_keys(jax.random.fold_in(key, state.step), fit.batch_size), 2)
    batch = draw_batch(data, batch_keys)
    normal = jax.vmap(lambda key: jax.random.normal(key, (fit.latents,)))(noise_keys)

    def loss_fn(params):
        terms = fit.model.apply({"params": params}, batch["cells"], batch["momentum"], batch["point"], normal)
        terms = {name: jnp.mean(term) for name, term in terms.items()}
        return losses.negative_bound(**terms, beta=fit.beta), (state.network.spectral, terms)

    network, _, loss, terms = updated(state.network, loss_fn, fit.optimiser)
    return state.replace(step=state.step + 1, network=network), lax.pmean(terms | {"bound_loss": loss}, DEVICES)


class RegressorFit(NamedTuple):
    """A regressor of `data["targets"] [N, K]`, and how it is fitted.

    Args:
      regressor: the module.
      views: `(cells, momentum, point)` -> its arguments, as `Discriminator.views`.
      optimiser: optax.
      batch_size: showers a step on all devices together.
      weights: `[K]`, alpha_k of the squared errors.
    """

    regressor: Any
    views: Callable
    optimiser: Any
    batch_size: int
    weights: Any


def regressor_step(state, data, key, fit):
    """One step of a `RegressorFit` on the weighted MSE; the state is a `RegressorState`."""
    batch = draw_batch(data, row_keys(jax.random.fold_in(key, state.step), fit.batch_size))
    seen = fit.views(batch["cells"], batch["momentum"], batch["point"])

    def loss_fn(params):
        (predictions, _), changed = fit.regressor.apply(
            {"params": params, "spectral": state.regressor.spectral}, *seen, update_stats=True, mutable=["spectral"])
        loss = losses.weighted_mse(batch["targets"], predictions, fit.weights)
        return loss, (changed.get("spectral", {}), {"regressor_loss": loss})

    network, _, _, metrics = updated(state.regressor, loss_fn, fit.optimiser)
    return state.replace(step=state.step + 1, regressor=network), lax.pmean(metrics, DEVICES)


def updated(network, loss_fn, optimiser):
    """A `Network` after one step on a loss: the network, its gradients (the mean over devices), the loss and metrics.

    Args:
      network: `Network`.
      loss_fn: parameters -> loss, (spectral-norm vectors, metrics).
      optimiser: optax.
    """
    (value, (spectral, metrics)), gradients = jax.value_and_grad(loss_fn, has_aux=True)(network.params)
    gradients = lax.pmean(gradients, DEVICES)
    return network.updated(gradients, optimiser, spectral), gradients, value, metrics
