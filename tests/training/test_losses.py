"""Losses against values worked out by hand."""
import jax.numpy as jnp
import pytest

from ecalgen.training.losses import (
    generator_loss,
    gradient_penalty,
    hinge_discriminator,
    r1_penalty,
    wasserstein_critic,
    weighted_mse,
)


def test_hinge_of_the_discriminator():
    # real: max(0, 1 - 2) = 0, max(0, 1 - 0.5) = 0.5; fake: max(0, 1 - 3) = 0, max(0, 1 + 0.5) = 1.5
    assert hinge_discriminator(jnp.array([2.0, 0.5]), jnp.array([-3.0, 0.5])) == pytest.approx(0.25 + 0.75)


def test_generator():
    assert generator_loss(jnp.array([2.0, -1.0])) == pytest.approx(-0.5)


def test_wasserstein_critic():
    assert wasserstein_critic(jnp.array([2.0, 0.5]), jnp.array([-3.0, 0.5])) == pytest.approx(-1.25 - 1.25)


def test_weighted_mse():
    # first property: (1 + 9)/2 = 5, second: (0 + 4)/2 = 2; 5 * 0.1 + 2 * 2
    targets, predictions = jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([[0.0, 2.0], [0.0, 6.0]])
    assert weighted_mse(targets, predictions, jnp.array([0.1, 2.0])) == pytest.approx(4.5)


def test_r1_penalty():
    # |g|^2 of the showers: 9 + 16 and 1; half of their mean
    gradients = jnp.zeros((2, 30, 30)).at[0, 1, 2].set(3.0).at[0, 5, 5].set(-4.0).at[1, 0, 0].set(1.0)
    assert r1_penalty(gradients) == pytest.approx(0.5 * (25 + 1) / 2)


def test_gradient_penalty():
    # norms 5 and 1 of the showers: (5 - 1)^2 and 0, their mean
    gradients = jnp.zeros((2, 30, 30)).at[0, 1, 2].set(3.0).at[0, 5, 5].set(-4.0).at[1, 0, 0].set(1.0)
    assert gradient_penalty(gradients) == pytest.approx(8.0)
