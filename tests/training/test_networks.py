"""The networks of a GAN stage: the rates of their optimisers, and what stays as earlier stages fitted it."""
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from ecalgen.data.grid import OLD
from ecalgen.training import networks, stages


def test_the_rate_is_constant_then_falls_to_a_tenth():
    """Steps of Adam(0, 0.9) on a constant gradient are the rate itself, up to its epsilon."""
    train = tiny.train_config(steps=100, constant_fraction=0.5)
    optimiser = networks.optimiser(0.02, train)
    params = {"bias": jnp.ones(1)}
    state, sizes = optimiser.init(params), []
    for _ in range(100):
        updates, state = optimiser.update({"bias": jnp.ones(1)}, state, params)
        sizes.append(-float(updates["bias"][0]))
    np.testing.assert_allclose(sizes[1:50], 0.02, rtol=1e-3)
    np.testing.assert_allclose(sizes[75], 0.02 * (1 - 0.9 * 0.5), rtol=1e-2)
    np.testing.assert_allclose(sizes[-1], 0.002, rtol=0.2)


def test_a_critic_with_more_updates_keeps_the_rate_of_the_step():
    """With 5 updates a step, the rate is constant for 50 steps, 250 updates, and falls over the next 250."""
    train = tiny.train_config(steps=100, constant_fraction=0.5)
    optimiser = networks.optimiser(0.02, train, updates=5)
    params = {"bias": jnp.ones(1)}
    state, sizes = optimiser.init(params), []
    for _ in range(500):
        updates, state = optimiser.update({"bias": jnp.ones(1)}, state, params)
        sizes.append(-float(updates["bias"][0]))
    np.testing.assert_allclose(sizes[1:250], 0.02, rtol=1e-3)
    np.testing.assert_allclose(sizes[375:380], 0.02 * (1 - 0.9 * 0.5), rtol=1e-2)
    np.testing.assert_allclose(sizes[-1], 0.002, rtol=0.2)


@pytest.mark.parametrize("updates", [1, 5])
def test_the_rate_rises_from_nothing_before_it_is_constant(updates):
    """Over 20 of 50 constant steps; what follows is as without."""
    train = tiny.train_config(steps=100, constant_fraction=0.5, warmup=20)
    optimiser = networks.optimiser(0.02, train, updates=updates)
    params = {"bias": jnp.ones(1)}
    state, sizes = optimiser.init(params), []
    for _ in range(100 * updates):
        change, state = optimiser.update({"bias": jnp.ones(1)}, state, params)
        sizes.append(-float(change["bias"][0]))
    by_step = np.reshape(sizes, (100, updates)).mean(axis=1)
    np.testing.assert_allclose(by_step[:21], 0.02 * np.arange(21) / 20, rtol=1e-3)
    np.testing.assert_allclose(by_step[20:50], 0.02, rtol=1e-3)
    np.testing.assert_allclose(by_step[75], 0.02 * (1 - 0.9 * 0.5), rtol=1e-2)


def test_both_schedules_count_steps_of_the_gan(recipe, monkeypatch):
    made, original = [], networks.optimiser
    monkeypatch.setattr(networks, "optimiser", lambda rate, train, frozen=(), updates=1: (
        made.append((rate, updates)) or original(rate, train, frozen, updates)))
    config = recipe("baseline:test", **{"train.discriminator_steps": 3})
    networks.make_networks(config, OLD, "gan", stages.make_discriminator(config, OLD))
    assert made == [(config.train.generator_rate, 1), (config.train.discriminator_rate, 3)]


def test_adam_has_no_momentum():
    """With b1 = 0 a step follows the present gradient alone, so that its sign turns at once."""
    optimiser, params = networks.optimiser(0.02, tiny.train_config(steps=100)), {"bias": jnp.ones(1)}
    state = optimiser.init(params)
    for gradient in (1.0, 1.0, 1.0, -1.0):
        updates, state = optimiser.update({"bias": jnp.full(1, gradient)}, state, params)
        np.testing.assert_allclose(updates["bias"], -0.02 * gradient, rtol=1e-3)


def test_only_what_an_earlier_stage_fitted_is_frozen(recipe):
    """A plain generator may have a parameter called `total`: it is trained."""
    assert networks.frozen_names(recipe("anchored"), "gan") == (
        "total", "profile", "spectrum", "shares", "corners", "latents", "whitening")
    assert networks.frozen_names(recipe("anchored"), "prior") == ()
    assert networks.frozen_names(recipe("aux_twostep:,regressor=disc_arch_llr"), "gan") == ("regressor",)
    assert networks.frozen_names(recipe("aux_twostep:,regressor=disc_arch_llr"), "multitask") == ()
    assert networks.frozen_names(recipe("baseline"), "gan") == networks.frozen_names(recipe("wgan"), "regressor") == ()
    params = {"total": jnp.ones(1), "profile": jnp.ones(1)}
    optimiser = networks.optimiser(0.02, tiny.train_config(), frozen=("profile",))
    updates, _ = optimiser.update(params, optimiser.init(params), params)
    assert updates["total"] != 0 and updates["profile"] == 0


def test_gradients_are_clipped_together():
    optimiser = networks.optimiser(1.0, tiny.train_config(clip=1.0))
    one, other = ({"a": jnp.array([30.0 * s]), "b": jnp.array([40.0 * s])} for s in (1, 100))
    first, _ = optimiser.update(one, optimiser.init(one), one)
    second, _ = optimiser.update(other, optimiser.init(one), one)
    np.testing.assert_allclose(first["a"], second["a"])
