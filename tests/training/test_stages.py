"""From config to stages: rates, and what a stage hands to the next."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from ecalgen.data.grid import OLD
from ecalgen.data.transforms import make_transform
from ecalgen.errors import ConfigError
from ecalgen.training import checks, parallel, stages

PLAIN = {"generator.attention": 0, "discriminator.attention": 0}
"""Fields of quicker networks."""


def test_the_rate_is_constant_then_falls_to_a_tenth():
    """Steps of Adam(0, 0.9) on a constant gradient are the rate itself, up to its epsilon."""
    train = tiny.train_config(steps=100, constant_fraction=0.5)
    optimiser = stages.optimiser(0.02, train)
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
    optimiser = stages.optimiser(0.02, train, updates=5)
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
    optimiser = stages.optimiser(0.02, train, updates=updates)
    params = {"bias": jnp.ones(1)}
    state, sizes = optimiser.init(params), []
    for _ in range(100 * updates):
        change, state = optimiser.update({"bias": jnp.ones(1)}, state, params)
        sizes.append(-float(change["bias"][0]))
    by_step = np.reshape(sizes, (100, updates)).mean(axis=1)
    np.testing.assert_allclose(by_step[:21], 0.02 * np.arange(21) / 20, rtol=1e-3)
    np.testing.assert_allclose(by_step[20:50], 0.02, rtol=1e-3)
    np.testing.assert_allclose(by_step[75], 0.02 * (1 - 0.9 * 0.5), rtol=1e-2)


STRONG = {"train.loss": "relativistic", "train.r1": 0.004, "train.r2": 0.004, "train.r1_every": 8,
          "train.energy_score": 1.0, "train.warmup": 5}


@pytest.mark.slow
@pytest.mark.parametrize("name, changes", [
    ("baseline:test", {"generator.attention": 0, "discriminator.attention": 0}), ("anchored:test", {}),
    ("aux_twostep:test", {"generator.attention": 0, "discriminator.attention": 0,
                          "train.energy_features": "regressor"})])
def test_a_step_with_every_option_of_the_objective(recipe, showers, name, changes):
    """On the plain, the anchored and the two-step recipe; the rates are 0 in the first step."""
    config = recipe(name, **STRONG, **changes)
    checks.check_stages(config)
    checks.check_train(config.train)
    data, targets = arrays(config, showers)
    *before, gan = stages.build_stages(config, data, showers[:20], OLD, targets)
    fitted = {stage.name: stage.init(jax.random.key(0), {}) for stage in before}
    state, advance = gan.init(jax.random.key(2), fitted), parallel.map_steps(gan.step, 1)
    first, metrics = advance(state, data, jax.random.key(3))
    second, _ = advance(first, data, jax.random.key(3))
    assert {"r1", "r2", "energy_score"} < set(metrics) and all(np.isfinite(list(metrics.values())))
    assert not differ(state.generator.params, first.generator.params)
    assert differ(first.generator.params, second.generator.params)
    assert differ(first.discriminator.params, second.discriminator.params)


def test_a_run_without_an_energy_score_has_no_features(recipe, showers):
    for weight in (0.0, 1.0):
        config = recipe("baseline:test", **{"train.energy_score": weight})
        gan, = stages.build_stages(config, arrays(config, showers)[0], showers[:20], OLD)
        assert (gan.step.keywords["networks"].features is not None) == bool(weight)


def test_both_schedules_count_steps_of_the_gan(recipe, showers, monkeypatch):
    made, original = [], stages.optimiser
    monkeypatch.setattr(stages, "optimiser", lambda rate, train, frozen=(), updates=1: (
        made.append((rate, updates)) or original(rate, train, frozen, updates)))
    config = recipe("baseline:test", **{"train.discriminator_steps": 3})
    stages.build_stages(config, arrays(config, showers)[0], showers[:20], OLD)
    assert made == [(config.train.generator_rate, 1), (config.train.discriminator_rate, 3)]


def test_adam_has_no_momentum():
    """With b1 = 0 a step follows the present gradient alone, so that its sign turns at once."""
    optimiser, params = stages.optimiser(0.02, tiny.train_config(steps=100)), {"bias": jnp.ones(1)}
    state = optimiser.init(params)
    for gradient in (1.0, 1.0, 1.0, -1.0):
        updates, state = optimiser.update({"bias": jnp.full(1, gradient)}, state, params)
        np.testing.assert_allclose(updates["bias"], -0.02 * gradient, rtol=1e-3)


def test_only_what_an_earlier_stage_fitted_is_frozen(recipe):
    """A plain generator may have a parameter called `total`: it is trained."""
    assert stages.frozen_names(recipe("anchored"), "gan") == ("total", "profile", "whitening")
    assert stages.frozen_names(recipe("anchored"), "prior") == ()
    assert stages.frozen_names(recipe("aux_twostep:,regressor=disc_arch_llr"), "gan") == ("regressor",)
    assert stages.frozen_names(recipe("aux_twostep:,regressor=disc_arch_llr"), "multitask") == ()
    assert stages.frozen_names(recipe("baseline"), "gan") == stages.frozen_names(recipe("wgan"), "regressor") == ()
    params = {"total": jnp.ones(1), "profile": jnp.ones(1)}
    optimiser = stages.optimiser(0.02, tiny.train_config(), frozen=("profile",))
    updates, _ = optimiser.update(params, optimiser.init(params), params)
    assert updates["total"] != 0 and updates["profile"] == 0


def test_one_builder_makes_the_discriminator_of_a_run(recipe, showers):
    """With all that decides its shapes: a regressor that does not decide leaves no trace in the conditions."""
    for name, decides, bound in (("wgan:test", False, 0.0), ("aux_twostep:test,targets=scalars", True, 5.0)):
        config = recipe(name)
        _, targets = arrays(config, showers)
        discriminator = stages.make_discriminator(config, OLD, targets)
        assert (discriminator.decides, discriminator.bound) == (decides, bound)
        assert discriminator.regressor is not None and discriminator.auxiliary is None
    config = recipe("aux_multitask:test")
    discriminator = stages.make_discriminator(config, OLD, arrays(config, showers)[1])
    assert discriminator.regressor is None and discriminator.auxiliary is not None


def test_fields_of_the_regressor_that_older_runs_lack(recipe, showers):
    """Without them the network is the one of that time."""
    config = recipe("aux_multitask:test", **{"regressor.adversarial_gradient": False})
    targets = arrays(config, showers)[1]
    assert not stages.make_discriminator(config, OLD, targets).adversarial_gradient
    early = recipe("aux_twostep:test,regressor=cnn", **{"regressor.conditional": True, "regressor.early": True})
    assert stages.make_discriminator(early, OLD, targets).regressor.early
    for older in (config, early):
        del older.regressor["adversarial_gradient"], older.regressor["early"]
    assert stages.make_discriminator(config, OLD, targets).adversarial_gradient
    assert not stages.make_discriminator(early, OLD, targets).regressor.early


@pytest.mark.slow
@pytest.mark.parametrize("name", ["aux_twostep:test,recipe=paper", "aux_multitask:test,recipe=paper"])
def test_alphas_weigh_the_targets(recipe, showers, name):
    """A loss with alphas (1, 0) is another one than with (0, 1), at the same networks and showers."""
    losses = []
    for weights in ((1.0, 0.0), (0.0, 1.0)):
        config = recipe(name, **PLAIN, **{"regressor.weights": weights})
        data, targets = arrays(config, showers)
        stage = stages.build_stages(config, data, showers[:20], OLD, targets)[0]
        _, metrics = parallel.map_steps(stage.step, 1)(stage.init(jax.random.key(0), {}), data, jax.random.key(1))
        losses.append(float(metrics["regressor_loss"]))
    assert abs(losses[0] - losses[1]) > 0.01 * sum(losses)


def test_gradients_are_clipped_together():
    optimiser = stages.optimiser(1.0, tiny.train_config(clip=1.0))
    one, other = ({"a": jnp.array([30.0 * s]), "b": jnp.array([40.0 * s])} for s in (1, 100))
    first, _ = optimiser.update(one, optimiser.init(one), one)
    second, _ = optimiser.update(other, optimiser.init(one), one)
    np.testing.assert_allclose(first["a"], second["a"])


@pytest.mark.slow
def test_the_gan_takes_the_prior_over_and_leaves_it_as_it_is(recipe, showers):
    """Stage one moves the prior; two steps of stage two move the correction alone, and not its average's prior."""
    config = recipe("anchored:test")
    transform = make_transform(**config.data.transform)
    data = stages.training_arrays(showers, transform)
    first, second = stages.build_stages(config, data, showers[:20], OLD)
    start = first.init(jax.random.key(0), None)
    fitted, metrics = parallel.map_steps(first.step, 1)(start, data, jax.random.key(1))
    assert {"total", "cells", "divergence", "bound_loss"} == set(metrics) and np.isfinite(metrics["bound_loss"])
    for name in ("total", "profile"):
        assert differ(start.network.params[name], fitted.network.params[name])
    assert not differ(start.network.params["whitening"], fitted.network.params["whitening"])
    state = before = second.init(jax.random.key(2), {"prior": fitted})
    advance = parallel.map_steps(second.step, 1)
    for _ in range(2):
        state, _ = advance(state, data, jax.random.key(3))
    for name in ("total", "profile", "whitening"):
        assert not differ(fitted.network.params[name], state.generator.params[name])
    assert not differ(fitted.network.params["whitening"], state.discriminator.params["whitening"])
    assert differ(before.generator.params["correction"], state.generator.params["correction"])
    assert first.monitor(fitted)["w1"] > 0 and second.monitor(state)["w1"] > 0


def arrays(config, showers):
    targets = stages.make_targets(config, showers)
    return stages.training_arrays(showers, make_transform(**config.data.transform), targets), targets


@pytest.mark.slow
def test_a_frozen_regressor_stays_as_it_is(recipe, showers):
    """Bit for bit, over steps that move all the rest, without a state of the optimiser; and it reads what it read."""
    config = recipe("aux_twostep:test,recipe=paper", **PLAIN)
    data, targets = arrays(config, showers)
    first, second = stages.build_stages(config, data, showers[:20], OLD, targets)
    fitted = first.init(jax.random.key(0), {})
    advance = parallel.map_steps(first.step, 1)
    for _ in range(30):  # power iteration settles
        fitted, metrics = advance(fitted, data, jax.random.key(1))
    assert np.isfinite(metrics["regressor_loss"]) and first.monitor(fitted)["mse"] > 0
    state = before = second.init(jax.random.key(2), {"regressor": fitted})
    advance = parallel.map_steps(second.step, 1)
    for _ in range(3):
        state, metrics = advance(state, data, jax.random.key(3))
    assert "regressor_loss" not in metrics
    assert differ(before.discriminator.params["logit"], state.discriminator.params["logit"])
    assert not differ(fitted.fitted["regressor"], state.discriminator.params["regressor"])
    leaves = jax.tree_util.tree_leaves_with_path(state.discriminator.optimiser)
    held = [jax.tree_util.keystr(path) for path, _ in leaves]
    assert any("logit" in path for path in held) and not any("regressor" in path for path in held)
    regressor = stages.build_regressor(config.regressor, config.discriminator, 2)
    discriminator = stages.build_discriminator(config.discriminator, regressor=regressor)
    shown = [data[name][:50] for name in ("cells", "momentum", "point")]
    _, predicted = discriminator.apply(state.discriminator.variables, *shown)
    alone, _ = regressor.apply(fitted.regressor.variables, *discriminator.views(*shown))
    np.testing.assert_allclose(predicted, alone, rtol=0.05, atol=0.02)


def test_a_tuned_regressor_starts_from_the_multi_task_stage(recipe, showers):
    config = recipe("aux_twostep:test,regressor=disc_arch_llr")
    data, targets = arrays(config, showers)
    multitask, regressor, _ = stages.build_stages(config, data, showers[:20], OLD, targets)
    state = multitask.init(jax.random.key(0), {})
    start = regressor.init(jax.random.key(2), {"multitask": state})
    assert not differ(start.regressor.params, state.discriminator.params["auxiliary"])
    assert not differ(start.regressor.spectral, state.discriminator.spectral["auxiliary"])


def differ(one, other):
    """Whether any array differs in any bit."""
    return any(bool((a != b).any()) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))


def test_the_library_is_filled_where_it_starts_and_stays(recipe, showers):
    config = recipe("library:test", **{"generator.showers": 100})
    data = stages.training_arrays(showers, make_transform(**config.data.transform))
    stage, = stages.build_stages(config, data, showers[:20], OLD)
    start = stage.init(jax.random.key(0), None)
    assert start.params["energy"].shape == (100, 30, 30) and start.params["energy"].dtype == jnp.float16
    state, _ = parallel.map_steps(stage.step, 1)(start, data, jax.random.key(1))
    assert state.step == 1 and not differ(start.params, state.params)
    assert stage.monitor(state)["w1"] < 0.2  # the showers asked for are among those stored


def test_a_library_of_more_showers_than_there_are(recipe, showers):
    config = recipe("library:test", **{"generator.showers": 401})
    data = stages.training_arrays(showers, make_transform(**config.data.transform))
    stage, = stages.build_stages(config, data, showers[:20], OLD)
    with pytest.raises(ConfigError, match="config.generator.showers is 401, but the training split holds only 400"):
        stage.init(jax.random.key(0), None)
