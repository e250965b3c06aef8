"""Adversarial and regression losses: pure functions of logits, gradients and predictions, means over the batch."""
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp


def hinge_discriminator(real_logits, fake_logits):
    """L_D = -E min(0, -1 + D(x, y)) - E min(0, -1 - D(G(z, y), y)), of logits `[N]` each.

    Source: Rogachev and Ratnikov 2023, equation 1.
    """
    return -jnp.mean(jnp.minimum(0.0, -1.0 + real_logits)) - jnp.mean(jnp.minimum(0.0, -1.0 - fake_logits))


def wasserstein_critic(real_logits, fake_logits):
    """L_D = E D(G(z, y), y) - E D(x, y), of logits `[N]` each.

    Source: Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, equation 2.
    """
    return jnp.mean(fake_logits) - jnp.mean(real_logits)


def logistic(real_logits, fake_logits):
    """-E log sigmoid(D(x, y)) - E log(1 - sigmoid(D(G(z, y), y))), of logits `[N]` each.

    Source: Goodfellow et al. 2014, arXiv:1406.2661, equation 1.
    """
    return jnp.mean(jax.nn.softplus(-real_logits)) + jnp.mean(jax.nn.softplus(fake_logits))


def generator_loss(fake_logits):
    """L_G = -E D(G(z, y), y), of logits `[N]`, against the hinge's discriminator or Wasserstein's critic."""
    return -jnp.mean(fake_logits)


class Adversarial(NamedTuple):
    """The losses of both networks.

    Args:
      discriminator: (real logits `[N]`, generated logits `[N]`) -> L_D.
      generator: generated logits `[N]` -> L_G.
    """

    discriminator: Callable
    generator: Callable


LOSSES = {"hinge": Adversarial(hinge_discriminator, generator_loss),
          "wasserstein": Adversarial(wasserstein_critic, generator_loss)}
"""Name in `config.train.loss` -> the losses of both networks."""


def gradient_penalty(gradients):
    """E (|grad_x D(x, y)| - 1)^2, from the gradients `[N, nx, ny]` at mixes x of a real and a generated shower.

    Source: Gulrajani et al. 2017, arXiv:1704.00028, equation 3.
    """
    norms = jnp.sqrt(jnp.sum(gradients**2, axis=tuple(range(1, gradients.ndim))) + 1e-12)
    return jnp.mean((norms - 1) ** 2)


def r1_penalty(gradients):
    """R_1 = 1/2 E |grad_x D(x, y)|^2 of real showers, from the gradients `[N, nx, ny]` of their logits.

    Source: Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406, equation 9.
    """
    return 0.5 * jnp.mean(jnp.sum(gradients**2, axis=tuple(range(1, gradients.ndim))))


def weighted_mse(targets, predictions, weights):
    """L_reg = sum_k alpha_k / N sum_i (o_ik - o^_ik)^2.

    Args:
      targets, predictions: `[N, K]`, the K properties of each shower.
      weights: `[K]`, alpha_k.

    Source: Rogachev and Ratnikov 2023, equation 2.
    """
    return jnp.dot(jnp.mean((targets - predictions) ** 2, axis=0), jnp.asarray(weights))


def negative_bound(cells, divergence, beta, total=0.0):
    """-(log p(S) + (log p(cells | S, z) - beta KL) / 100) of scalars: the loss of a `Prior` or a `VAE`.

    The terms of the cells are divided by 100 because a shower has about 150 lit cells and one total S.

    Args:
      cells: log p(cells | S, z).
      divergence: KL(q(z) | p(z)).
      beta: its weight.
      total: log p(S); 0 where the model has no total of its own.
    """
    return -total - (cells - beta * divergence) / 100
