"""Adversarial, regression and scoring losses: pure functions, means over the batch.

They take logits, gradients, predictions or features.
"""
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from ecalgen.errors import ConfigError
from ecalgen.machine.imports import import_named


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


def relativistic_discriminator(real_logits, fake_logits):
    """L_D = E log(1 + exp(-(D(x, y) - D(G(z, y), y)))), of logits `[N]` of the same particles.

    Source: Huang et al. 2024, arXiv:2501.05441, equation 2; Jolicoeur-Martineau 2018, arXiv:1807.00734.
    """
    return jnp.mean(jax.nn.softplus(fake_logits - real_logits))


def relativistic_generator(real_logits, fake_logits):
    """L_G = E log(1 + exp(-(D(G(z, y), y) - D(x, y)))), of logits `[N]` of the same particles.

    Source: as of `relativistic_discriminator`, whose pair this is with real and generated showers exchanged.
    """
    return jnp.mean(jax.nn.softplus(real_logits - fake_logits))


class Adversarial(NamedTuple):
    """The losses of both networks.

    Args:
      discriminator: (real logits `[N]`, generated logits `[N]`) -> L_D.
      generator: generated logits `[N]` -> L_G. If paired, (real logits `[N]`, generated logits `[N]`) -> L_G.
      paired: whether L_G needs the logits of real showers of the same particles. Only then are they computed.
    """

    discriminator: Callable
    generator: Callable
    paired: bool = False


LOSSES = {"hinge": Adversarial(hinge_discriminator, generator_loss),
          "wasserstein": Adversarial(wasserstein_critic, generator_loss),
          "relativistic": Adversarial(relativistic_discriminator, relativistic_generator, paired=True)}
"""Name in `config.train.loss` -> the losses of both networks."""


def find_losses(name):
    """The `Adversarial` losses of a name in `LOSSES`, or of `module:name` of a user's own.

    Raises:
      ConfigError: no such loss.
      UserError: the module cannot be imported.
    """
    if name in LOSSES:
        return LOSSES[name]
    if ":" not in name:
        raise ConfigError(f"config.train.loss is {name!r}; it is one of {', '.join(LOSSES)}, or module:name of "
                          "your own")
    found = import_named(name)
    if not isinstance(found, Adversarial):
        raise ConfigError(f"config.train.loss is {name!r}, which is no ecalgen.training.losses.Adversarial; give "
                          "Adversarial(discriminator, generator)")
    return found


def gradient_penalty(gradients):
    """E (|grad_x D(x, y)| - 1)^2, from the gradients `[N, nx, ny]` at mixes x of a real and a generated shower.

    Source: Gulrajani et al. 2017, arXiv:1704.00028, equation 3.
    """
    norms = jnp.sqrt(jnp.sum(gradients**2, axis=tuple(range(1, gradients.ndim))) + 1e-12)
    return jnp.mean((norms - 1) ** 2)


def slope_penalty(gradients):
    """1/2 E |grad_x D(x, y)|^2, from the gradients `[N, nx, ny]`: R_1 at real showers, R_2 at generated ones.

    Source: Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406, equations 9 and 10.
    """
    return 0.5 * jnp.mean(jnp.sum(gradients**2, axis=tuple(range(1, gradients.ndim))))


def energy_score(real, first, second):
    """E d(f(G), f(x)) - 1/2 E d(f(G1), f(G2)), of features `[N, F]` of the same particles.

    G1 and G2 are two generated showers of a particle, and G is either of them. The mean over x is smallest if they
    follow the conditional distribution of x, of which one real shower a particle is enough.

    Source: Gneiting and Raftery 2007, J. Am. Stat. Assoc. 102, 359, equation 21.
    """
    to_real = 0.5 * (feature_distance(first, real) + feature_distance(second, real))
    return jnp.mean(to_real - 0.5 * feature_distance(first, second))


def feature_distance(one, other):
    """d = 1/2 (|a - b|_2 / sqrt(F) + |a - b|_1 / F) of features `[N, F]`: `[N]`.

    The Euclidean part is sensitive to how features vary together, the other one to each feature alone.
    """
    change = one - other
    euclidean = jnp.sqrt(jnp.mean(change**2, axis=1) + 1e-12)  # of finite slope where both showers are the same
    return 0.5 * (euclidean + jnp.mean(jnp.abs(change), axis=1))


def weighted_mse(targets, predictions, weights):
    """L_reg = sum_k alpha_k / N sum_i (o_ik - o^_ik)^2.

    Args:
      targets, predictions: `[N, K]`, the K properties of each shower.
      weights: `[K]`, alpha_k.

    Source: Rogachev and Ratnikov 2023, equation 2.
    """
    return jnp.dot(jnp.mean((targets - predictions) ** 2, axis=0), jnp.asarray(weights))


def negative_bound(cells, divergence, beta, total=0.0, pairs=0.0, latents=0.0):
    """-(log p(S) + (log p(cells | S, z) - beta KL + log p(pairs) + log p(z)) / 100): the loss of a `Prior` or a `VAE`.

    All terms are scalars.

    The terms of the cells are divided by 100 because a shower has about 150 lit cells and one total S.

    Args:
      cells: log p(cells | S, z).
      divergence: KL(q(z) | p(z)).
      beta: its weight.
      total: log p(S); 0 where the model has no total of its own.
      pairs: log p of pairs of lit cells; 0 where the model does not fit how much noise they share.
      latents: log p of latents that are held; 0 where the model does not fit their distribution.
    """
    return -total - (cells - beta * divergence + pairs + latents) / 100
