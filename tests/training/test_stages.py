"""From config to stages: rates, and what a stage hands to the next."""
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.grid import OLD
from ecalgen.data.showers import Showers
from ecalgen.data.transforms import make_transform
from ecalgen.errors import ConfigError
from ecalgen.training import checks, parallel, stages

PLAIN = {"generator.attention": 0, "discriminator.attention": 0}
"""Fields of quicker networks."""


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


@pytest.mark.slow
def test_the_gan_takes_the_prior_over_and_leaves_it_as_it_is(recipe, showers):
    """Stage one moves the prior; two steps of stage two move the correction alone, and not its average's prior."""
    config = recipe("anchored:test,size=light")
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


def test_only_particles_along_the_axis_are_the_same_under_every_symmetry(showers):
    transform = make_transform("none")
    straight = Showers(showers.energy[:4], np.array([[0, 0, 5.0]] * 4), np.zeros((4, 2)))
    assert "symmetries" not in stages.training_arrays(showers[:4], transform)
    assert stages.training_arrays(straight, transform)["symmetries"].shape == (8,)
    lone = dataclasses.replace(straight, grid=dataclasses.replace(straight.grid, symmetries=1))
    assert "symmetries" not in stages.training_arrays(lone, transform)
