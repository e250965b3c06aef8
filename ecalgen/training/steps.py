"""One training step of each kind, as pure functions run on every device.

A step takes (state, data, key) and returns (state, metrics). `data` holds the whole training set; each step
draws its minibatch on the device. Row `i` of the global batch at step `t` depends only on (key, t, i), so neither an
interruption nor the number of devices changes what a run sees. Every key is used once: a step folds its number into
the run's key, each row gets a key of that, and `for_purposes` makes of the row's key one for each purpose.
"""
import jax
import jax.numpy as jnp
import optax
from jax import lax

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

    Where there is a column `cumulative [N]`, sums of weights up to each shower, they are drawn by their weights.
    """
    columns = dict(data)
    cumulative, count = columns.pop("cumulative", None), len(columns["cells"])
    if cumulative is None:
        index = jax.vmap(lambda key: jax.random.randint(key, (), 0, count))(keys)
    else:
        drawn = jax.vmap(lambda key: jax.random.uniform(key))(keys) * cumulative[-1]
        index = jnp.minimum(jnp.searchsorted(cumulative, drawn, side="right"), count - 1)
    return {name: column[index] for name, column in columns.items()}


def draw_noise(generator, keys):
    """The generator's noise for each key."""
    return jax.vmap(generator.draw_noise)(keys)


def held(params, frozen):
    """A network's parameters, without a gradient for those whose names at the top are in `frozen`."""
    return {name: lax.stop_gradient(value) if name in frozen else value for name, value in params.items()}


def gan_step(state, data, key, *, generator, discriminator, optimisers, batch_size, discriminator_steps, ema,
             loss="hinge", r1=0.0, r1_every=1, gradient_penalty=0.0, weights=None, steering=None, frozen=()):
    """`discriminator_steps` steps of the discriminator, then one of the generator, then of its average.

    Args:
      state: `GANState`.
      data: `{"cells": [N, 30, 30], "momentum": [N, 3], "point": [N, 2]}`, and `"targets": [N, K]` where `weights` are.
      key: the run's key; folded with the step here.
      optimisers: (generator's, discriminator's), optax.
      batch_size: showers a step on all devices together.
      ema: decay of the average a step, reached after a warm-up: min(ema, (1 + t) / (10 + t)).
      loss: of the discriminator, one of `losses.CRITICS`.
      r1: weight of `losses.r1_penalty`, at real showers.
      r1_every: steps from one such penalty to the next, which counts as many times (Karras et al. 2020,
        arXiv:1912.04958, appendix B).
      gradient_penalty: weight of `losses.gradient_penalty`, at mixes of real and generated showers.
      weights: `[K]`, alpha_k of a regressor trained with the discriminator (multi-task); None without one.
      steering: `[K]`, weights in the generator's loss of what a regressor reads off its showers; None for none.
      frozen: names of the parameters, at the top of either network, that an earlier stage has fitted.
    """
    generator_key, *discriminator_keys = jax.random.split(jax.random.fold_in(key, state.step), 1 + discriminator_steps)
    for discriminator_key in discriminator_keys:
        keys = row_keys(discriminator_key, batch_size)
        state, d_metrics = discriminator_step(state, data, keys, generator, discriminator, optimisers[1], loss, r1,
                                              r1_every, gradient_penalty, weights, frozen)
    keys = row_keys(generator_key, batch_size)
    state, g_metrics = generator_step(state, data, keys, generator, discriminator, optimisers[0], steering, frozen)
    decay = jnp.minimum(ema, (1 + state.step) / (10 + state.step))
    average = optax.incremental_update(state.generator.params, state.ema, 1 - decay)
    return state.replace(step=state.step + 1, ema=average), lax.pmean(d_metrics | g_metrics, DEVICES)


def discriminator_step(state, data, keys, generator, discriminator, optimiser, loss="hinge", r1=0.0, r1_every=1,
                       gradient_penalty=0.0, weights=None, frozen=()):
    """One step of the discriminator on L_adv, penalties and L_reg of the real showers, at the same conditions."""
    batch_keys, noise_keys, mix_keys = for_purposes(keys, 3)
    batch = draw_batch(data, batch_keys)
    momentum, point = batch["momentum"], batch["point"]
    fake = generator.apply(state.generator.variables, draw_noise(generator, noise_keys), momentum, point)

    def loss_fn(params):
        variables = {"params": held(params, frozen), "spectral": state.discriminator.spectral}
        (logits, predicted), updated = discriminator.apply(
            variables, jnp.concatenate([batch["cells"], fake]), jnp.tile(momentum, (2, 1)), jnp.tile(point, (2, 1)),
            update_stats=True, mutable=["spectral"])
        real_logits, fake_logits = jnp.split(logits, 2)
        metrics = {"real_logit": jnp.mean(real_logits), "fake_logit": jnp.mean(fake_logits)}
        value = losses.CRITICS[loss](real_logits, fake_logits)
        slope = jax.grad(lambda cells: jnp.sum(discriminator.apply(variables, cells, momentum, point)[0]))
        if r1:
            penalty = lambda: r1_every * losses.r1_penalty(slope(batch["cells"]))
            metrics["r1"] = lax.cond(state.step % r1_every == 0, penalty, lambda: 0.0) if r1_every > 1 else penalty()
            value += r1 * metrics["r1"]
        if gradient_penalty:
            metrics["gradient_penalty"] = losses.gradient_penalty(slope(mixed(mix_keys, batch["cells"], fake)))
            value += gradient_penalty * metrics["gradient_penalty"]
        if weights is not None:
            targets = batch["targets"]
            metrics["regressor_loss"] = losses.weighted_mse(targets, predicted[:len(targets)], weights)
            value += metrics["regressor_loss"]
        return value, (updated.get("spectral", {}), metrics)

    (value, (spectral, metrics)), gradients = jax.value_and_grad(loss_fn, has_aux=True)(state.discriminator.params)
    gradients = lax.pmean(gradients, DEVICES)
    network = state.discriminator.updated(gradients, optimiser, spectral)
    metrics |= {"discriminator_loss": value, "discriminator_gradient": optax.tree.norm(gradients)}
    return state.replace(discriminator=network), metrics


def mixed(keys, real, fake):
    """a x + (1 - a) G(z, y) with a uniform in [0, 1], one for each key: `[N, 30, 30]`, all three."""
    share = jax.vmap(lambda key: jax.random.uniform(key))(keys)[:, None, None]
    return share * real + (1 - share) * fake


def generator_step(state, data, keys, generator, discriminator, optimiser, steering=None, frozen=()):
    """One step of the generator on L_G (+ L_reg of its showers), at the conditions of showers drawn from the data."""
    batch_keys, noise_keys = for_purposes(keys, 2)
    batch = draw_batch(data, batch_keys)
    momentum, point = batch["momentum"], batch["point"]
    noise = draw_noise(generator, noise_keys)

    def loss_fn(params):
        fake, updated = generator.apply(
            {"params": held(params, frozen), "spectral": state.generator.spectral}, noise, momentum, point,
            update_stats=True, mutable=["spectral"])
        logits, predicted = discriminator.apply(state.discriminator.variables, fake, momentum, point)
        value, metrics = losses.generator_loss(logits), {}
        if steering is not None:
            metrics["steering_loss"] = losses.weighted_mse(batch["targets"], predicted, steering)
            value += metrics["steering_loss"]
        return value, (updated.get("spectral", {}), metrics)

    (value, (spectral, metrics)), gradients = jax.value_and_grad(loss_fn, has_aux=True)(state.generator.params)
    gradients = lax.pmean(gradients, DEVICES)
    network = state.generator.updated(gradients, optimiser, spectral)
    metrics |= {"generator_loss": value, "generator_gradient": optax.tree.norm(gradients)}
    return state.replace(generator=network), metrics


def bound_step(state, data, key, *, model, latent, optimiser, batch_size, beta=1.0):
    """One step of a model with `latent` numbers of noise on the negative evidence lower bound of its likelihood.

    `model(cells, momentum, point, normal)` gives the terms of `losses.negative_bound`, `[N]` each.
    """
    batch_keys, noise_keys = for_purposes(row_keys(jax.random.fold_in(key, state.step), batch_size), 2)
    batch = draw_batch(data, batch_keys)
    normal = jax.vmap(lambda key: jax.random.normal(key, (latent,)))(noise_keys)

    def loss_fn(params):
        terms = model.apply({"params": params}, batch["cells"], batch["momentum"], batch["point"], normal)
        terms = {name: jnp.mean(term) for name, term in terms.items()}
        return losses.negative_bound(**terms, beta=beta), terms

    (loss, terms), gradients = jax.value_and_grad(loss_fn, has_aux=True)(state.network.params)
    network = state.network.updated(lax.pmean(gradients, DEVICES), optimiser, state.network.spectral)
    return state.replace(step=state.step + 1, network=network), lax.pmean(terms | {"bound_loss": loss}, DEVICES)


def judge_step(state, data, key, *, judge, generator, optimiser, batch_size):
    """One step of a classifier of real showers against those of generators trained before, a random one each step.

    Args:
      state: `JudgeState`.
    """
    choice_key, rows_key = jax.random.split(jax.random.fold_in(key, state.step))
    batch_keys, noise_keys = for_purposes(row_keys(rows_key, batch_size), 2)
    batch = draw_batch(data, batch_keys)
    momentum, point = batch["momentum"], batch["point"]
    chosen = jax.random.randint(choice_key, (), 0, len(jax.tree.leaves(state.made_by)[0]))
    made_by = jax.tree.map(lambda stacked: stacked[chosen], state.made_by)
    fake = generator.apply(made_by, draw_noise(generator, noise_keys), momentum, point)

    def loss_fn(params):
        cells = jnp.concatenate([batch["cells"], fake])
        logits, _ = judge.apply({"params": params}, cells, jnp.tile(momentum, (2, 1)), jnp.tile(point, (2, 1)))
        return losses.logistic(*jnp.split(logits, 2))

    loss, gradients = jax.value_and_grad(loss_fn)(state.network.params)
    network = state.network.updated(lax.pmean(gradients, DEVICES), optimiser, state.network.spectral)
    return state.replace(step=state.step + 1, network=network), {"judge_loss": lax.pmean(loss, DEVICES)}


def regressor_step(state, data, key, *, regressor, views, optimiser, batch_size, weights):
    """One step of a regressor of `data["targets"] [N, K]` on the MSE weighted by `weights [K]`.

    `views(cells, momentum, point)` is what it is shown, as `Discriminator.views`.
    """
    batch = draw_batch(data, row_keys(jax.random.fold_in(key, state.step), batch_size))
    shown = views(batch["cells"], batch["momentum"], batch["point"])

    def loss_fn(params):
        (predictions, _), updated = regressor.apply(
            {"params": params, "spectral": state.regressor.spectral}, *shown, update_stats=True, mutable=["spectral"])
        return losses.weighted_mse(batch["targets"], predictions, weights), updated.get("spectral", {})

    (loss, spectral), gradients = jax.value_and_grad(loss_fn, has_aux=True)(state.regressor.params)
    network = state.regressor.updated(lax.pmean(gradients, DEVICES), optimiser, spectral)
    return state.replace(step=state.step + 1, regressor=network), lax.pmean({"regressor_loss": loss}, DEVICES)
