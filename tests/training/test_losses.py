"""Losses against values worked out by hand."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.errors import UserError
from ecalgen.training.losses import (
    LOSSES,
    energy_score,
    find_losses,
    generator_loss,
    gradient_penalty,
    hinge_discriminator,
    negative_bound,
    relativistic_discriminator,
    relativistic_generator,
    slope_penalty,
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


def test_relativistic_pairs():
    # real minus generated: 5 and 0; log(1 + e^-5) = 0.0067153, log(1 + e^5) = 5.0067153, log 2 = 0.6931472
    real, fake = jnp.array([2.0, 0.5]), jnp.array([-3.0, 0.5])
    assert relativistic_discriminator(real, fake) == pytest.approx((0.0067153 + 0.6931472) / 2, rel=1e-6)
    assert relativistic_generator(real, fake) == pytest.approx((5.0067153 + 0.6931472) / 2, rel=1e-6)
    assert relativistic_discriminator(real + 7, fake + 7) == pytest.approx(relativistic_discriminator(real, fake))


def test_only_pairs_need_the_logits_of_real_showers():
    assert [name for name, loss in LOSSES.items() if loss.paired] == ["relativistic"]


def test_energy_score_by_hand():
    """The real shower lies at (0, 0), the generated ones at (3, 4) and (0, 4)."""
    to_real = [(5 / 2**0.5 + 3.5) / 2, (4 / 2**0.5 + 2) / 2]
    found = energy_score(jnp.zeros((1, 2)), jnp.array([[3.0, 4.0]]), jnp.array([[0.0, 4.0]]))
    assert found == pytest.approx(np.mean(to_real) - (3 / 2**0.5 + 1.5) / 4, rel=1e-6)


def test_energy_score_of_one_feature_is_the_continuous_ranked_probability_score():
    """Of N(0, 1) for itself it is 1/sqrt(pi) in the mean; any other mean or deviation has a larger one.

    Source: Gneiting and Raftery 2007, equations 20 and 21.
    """
    real, first, second = np.random.default_rng(0).normal(size=(3, 400_000, 1)).astype("f4")
    score = lambda mean, std: float(energy_score(real, mean + std * first, mean + std * second))
    assert score(0, 1) == pytest.approx(np.pi**-0.5, abs=4e-3)
    assert score(0, 1) < min(score(0.2, 1), score(-0.2, 1), score(0, 0.8), score(0, 1.25)) - 4e-3


def test_energy_score_has_a_gradient_where_all_showers_are_the_same():
    gradient = jax.grad(lambda first: energy_score(jnp.ones((3, 4)), first, jnp.ones((3, 4))))(jnp.ones((3, 4)))
    assert np.isfinite(gradient).all()


def test_weighted_mse():
    # first property: (1 + 9)/2 = 5, second: (0 + 4)/2 = 2; 5 * 0.1 + 2 * 2
    targets, predictions = jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([[0.0, 2.0], [0.0, 6.0]])
    assert weighted_mse(targets, predictions, jnp.array([0.1, 2.0])) == pytest.approx(4.5)


def test_negative_bound():
    # -(-2) - (-300 - 0.5 * 20 - 40 - 30) / 100
    assert negative_bound(-300.0, 20.0, 0.5, total=-2.0, pairs=-40.0, latents=-30.0) == pytest.approx(2 + 3.8)


def test_slope_penalty():
    # |g|^2 of the showers: 9 + 16 and 1; half of their mean
    gradients = jnp.zeros((2, 30, 30)).at[0, 1, 2].set(3.0).at[0, 5, 5].set(-4.0).at[1, 0, 0].set(1.0)
    assert slope_penalty(gradients) == pytest.approx(0.5 * (25 + 1) / 2)


def test_gradient_penalty():
    # norms 5 and 1 of the showers: (5 - 1)^2 and 0, their mean
    gradients = jnp.zeros((2, 30, 30)).at[0, 1, 2].set(3.0).at[0, 5, 5].set(-4.0).at[1, 0, 0].set(1.0)
    assert gradient_penalty(gradients) == pytest.approx(8.0)


def test_losses_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "my_losses.py").write_text(
        "from ecalgen.training.losses import Adversarial\n"
        "squares = Adversarial(lambda real, fake: ((real - 1) ** 2 + fake**2).mean(), lambda fake: fake.mean())\n")
    monkeypatch.syspath_prepend(tmp_path)
    own = find_losses("my_losses:squares")
    assert own.discriminator(jnp.array([3.0]), jnp.array([1.0])) == 5 and not own.paired
    assert find_losses("hinge") is LOSSES["hinge"]


@pytest.mark.parametrize("name, message", [
    ("hing", "config.train.loss is 'hing'; it is one of hinge, wasserstein, relativistic, or module:name"),
    ("nowhere:loss", "nowhere:loss cannot be imported"),
    ("math:pi", "math:pi', which is no ecalgen.training.losses.Adversarial"),
])
def test_no_losses(name, message):
    with pytest.raises(UserError, match=message):
        find_losses(name)
