"""From config to stages: rates, checks and the monitor."""
import importlib
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
import tiny

from ecalgen.data.observables import observables
from ecalgen.data.transforms import make_transform
from ecalgen.errors import ConfigError
from ecalgen.training import parallel, stages

ROOT = pathlib.Path(__file__).parents[2]


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


def test_gradients_are_clipped_together():
    optimiser = stages.optimiser(1.0, tiny.train_config(clip=1.0))
    one, other = ({"a": jnp.array([30.0 * s]), "b": jnp.array([40.0 * s])} for s in (1, 100))
    first, _ = optimiser.update(one, optimiser.init(one), one)
    second, _ = optimiser.update(other, optimiser.init(one), one)
    np.testing.assert_allclose(first["a"], second["a"])


@pytest.mark.parametrize("changes, message", [
    (dict(steps=25, log_every=10, checkpoint_every=10), "config.train.steps is 25; on this device"),
    (dict(steps=20, log_every=10, checkpoint_every=15), "config.train.checkpoint_every is 15; on this device"),
    (dict(final_fraction=2.0), "config.train.final_fraction is 2.0; it must lie between 0 and 1"),
    (dict(discriminator_steps=0), "config.train.discriminator_steps is 0; it must be at least 1"),
    (dict(generator_rate=-1.0), "config.train.generator_rate is -1.0; it must be above 0"),
])
def test_fields_that_do_not_fit(monkeypatch, changes, message):
    monkeypatch.setattr(parallel, "steps_per_call", lambda log_every: log_every)
    with pytest.raises(ValueError, match=message):
        stages.check_train(tiny.train_config(**(dict(discriminator_steps=1) | changes)))


def test_monitor_is_scipys_distance(showers, monkeypatch):
    """With a generator that returns the showers themselves, shifted by a number of events."""
    real = showers[:100]
    other = showers[100:200]
    monkeypatch.setattr(stages, "make_sampler", lambda *_: lambda *_: other.energy)

    class State:
        sampled = None

    measured = stages.wasserstein_monitor(None, make_transform("none"), real)(State)
    theirs = observables(real.energy, real.momentum, real.point)["visible_fraction"]
    ours = observables(other.energy, real.momentum, real.point)["visible_fraction"]
    expected = scipy.stats.wasserstein_distance(np.asarray(ours), np.asarray(theirs)) / float(np.std(theirs))
    assert measured["w1_visible_fraction"] == pytest.approx(expected, rel=1e-4)
    assert measured["w1"] > 0


def anchored(**changes):
    config = importlib.import_module("configs.anchored").get_config("test")
    config.update_from_flattened_dict(changes)
    return config


@pytest.mark.parametrize("changes, message", [
    ({"stages": ("prior", "vae")}, "config.stages names 'vae'; it is one of prior, multitask, regressor, gan"),
    ({"stages": ("gan",)}, r"with correction=True is trained by \('prior', 'gan'\)"),
    ({"generator.correction": False}, r"with correction=False is trained by \('prior',\)"),
    ({"data.transform.name": "log1p"}, "data.transform.name is 'log1p'; the anchored generator makes MeV"),
])
def test_stages_that_do_not_make_the_generator(monkeypatch, changes, message):
    monkeypatch.syspath_prepend(ROOT)
    with pytest.raises(ConfigError, match=message):
        stages.check_stages(anchored(**changes))


def test_the_plain_generator_has_no_prior(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    config = importlib.import_module("configs.baseline").get_config("test")
    stages.check_stages(config)
    config.stages = ("prior", "gan")
    with pytest.raises(ConfigError, match=r"the generator 'plain' is trained by \('gan',\)"):
        stages.check_stages(config)


@pytest.mark.slow
def test_the_gan_takes_the_prior_over_and_leaves_it_as_it_is(monkeypatch, showers):
    """Stage one moves the prior; two steps of stage two move the correction alone, and not its average's prior."""
    monkeypatch.syspath_prepend(ROOT)
    config = anchored()
    transform = make_transform(**config.data.transform)
    data = stages.training_arrays(showers, transform)
    first, second = stages.build_stages(config, data, showers[:20])
    start = first.init(jax.random.key(0), None)
    fitted, metrics = parallel.map_steps(first.step, 1)(start, data, jax.random.key(1))
    assert {"total", "cells", "divergence", "prior_loss"} == set(metrics) and np.isfinite(metrics["prior_loss"])
    for name in ("total", "profile"):
        assert differ(start.prior.params[name], fitted.prior.params[name])
    assert not differ(start.prior.params["whitening"], fitted.prior.params["whitening"])
    state = before = second.init(jax.random.key(2), {"prior": fitted})
    advance = parallel.map_steps(second.step, 1)
    for _ in range(2):
        state, _ = advance(state, data, jax.random.key(3))
    for name in ("total", "profile", "whitening"):
        assert not differ(fitted.prior.params[name], state.generator.params[name])
    assert not differ(fitted.prior.params["whitening"], state.discriminator.params["whitening"])
    assert differ(before.generator.params["correction"], state.generator.params["correction"])
    assert first.monitor(fitted)["w1"] > 0 and second.monitor(state)["w1"] > 0


def auxiliary(name, **changes):
    system, _, preset = name.partition(":")
    config = importlib.import_module(f"configs.{system}").get_config(preset)
    config.update_from_flattened_dict(changes)
    return config


@pytest.mark.parametrize("name, changes, message", [
    ("aux_twostep:test", {"regressor.name": "tree"}, "config.regressor.name is 'tree'; it is one of cnn, disc_arch"),
    ("aux_multitask:test", {"regressor.name": "cnn"}, "shares the discriminator's layers is 'disc_arch'"),
    ("aux_twostep:test", {"regressor.shared": 4}, "config.regressor.shared is 4"),
    ("aux_twostep:test,regressor=cnn", {"regressor.widths": (4, 4)}, r"config.regressor.widths is \(4, 4\)"),
    ("aux_twostep:test,regressor=cnn_sa", {"regressor.attention": 5}, "config.regressor.attention is 5"),
    ("aux_twostep:test", {"regressor.targets": ("length", "delta_x")}, "names 'length'"),
    ("aux_twostep:test", {"regressor.multitask": "nowhere"}, "nowhere/config.json does not exist"),
    ("aux_twostep:test", {"stages": ("gan", "regressor")}, r"is trained by \('regressor', 'gan'\)"),
])
def test_regressors_that_cannot_be(monkeypatch, name, changes, message):
    monkeypatch.syspath_prepend(ROOT)
    with pytest.raises(ConfigError, match=message):
        stages.check_stages(auxiliary(name, **changes))


@pytest.mark.parametrize("preset, message", [
    ("test,regressor=tree", "regressor=tree is not one of cnn, cnn_sa, disc_arch, disc_arch_hlr, disc_arch_llr"),
    ("test,colour=red", "is not a preset and regressor=..."), ("cpu,test", "is not a preset and regressor=...")])
def test_options_that_do_not_exist(monkeypatch, preset, message):
    monkeypatch.syspath_prepend(ROOT)
    with pytest.raises(ValueError, match=message):
        auxiliary(f"aux_twostep:{preset}")


def arrays(config, showers):
    targets = stages.make_targets(config, showers)
    return stages.training_arrays(showers, make_transform(**config.data.transform), targets), targets


@pytest.mark.slow
@pytest.mark.parametrize("regressor", ["cnn_sa", "disc_arch"])
def test_a_frozen_regressor_stays_as_it_is(monkeypatch, showers, regressor):
    """Bit for bit, over steps that move all the rest; and the optimiser has no state for it."""
    monkeypatch.syspath_prepend(ROOT)
    config = auxiliary(f"aux_twostep:test,regressor={regressor}")
    data, targets = arrays(config, showers)
    first, second = stages.build_stages(config, data, showers[:20], targets)
    fitted = first.init(jax.random.key(0), {})
    advance = parallel.map_steps(first.step, 1)
    for _ in range(2):
        fitted, metrics = advance(fitted, data, jax.random.key(1))
    assert np.isfinite(metrics["regressor_loss"]) and first.monitor(fitted)["mse"] > 0
    state = before = second.init(jax.random.key(2), {"regressor": fitted})
    advance = parallel.map_steps(second.step, 1)
    for _ in range(3):
        state, metrics = advance(state, data, jax.random.key(3))
    assert "regressor_loss" not in metrics
    assert differ(before.discriminator.params["logit"], state.discriminator.params["logit"])
    frozen = state.discriminator.params["regressor"]
    assert not differ(fitted.fitted["regressor"], frozen)
    held = jax.tree_util.tree_flatten_with_path(state.discriminator.optimiser)[0]
    assert held and not any("regressor" in jax.tree_util.keystr(path) for path, _ in held)
    shapes = {leaf.shape for leaf in jax.tree.leaves(state.discriminator.params["regressor"]["embed"])}
    assert not shapes & {leaf.shape for _, leaf in held} - {leaf.shape for leaf in jax.tree.leaves(
        {name: value for name, value in state.discriminator.params.items() if name != "regressor"})}


@pytest.mark.slow
def test_a_frozen_regressor_reads_what_the_fitted_one_read(monkeypatch, showers):
    """Its spectral norm is folded into the kernels, so inside the discriminator it predicts the same."""
    monkeypatch.syspath_prepend(ROOT)
    config = auxiliary("aux_twostep:test")
    data, targets = arrays(config, showers)
    first, second = stages.build_stages(config, data, showers[:20], targets)
    fitted = first.init(jax.random.key(0), {})
    advance = parallel.map_steps(first.step, 1)
    for _ in range(30):
        fitted, _ = advance(fitted, data, jax.random.key(1))
    state = second.init(jax.random.key(2), {"regressor": fitted})
    regressor = stages.build_regressor(config.regressor, config.discriminator, 2)
    discriminator = stages.build_discriminator(config.discriminator, regressor=regressor)
    shown = [data[name][:50] for name in ("cells", "momentum", "point")]
    _, predicted = discriminator.apply(state.discriminator.variables, *shown)
    alone, _ = regressor.apply(fitted.regressor.variables, *discriminator.views(*shown))
    np.testing.assert_allclose(predicted, alone, rtol=0.05, atol=0.02)


@pytest.mark.slow
def test_a_tuned_regressor_starts_from_the_multi_task_stage(monkeypatch, showers):
    monkeypatch.syspath_prepend(ROOT)
    config = auxiliary("aux_twostep:test,regressor=disc_arch_llr")
    data, targets = arrays(config, showers)
    multitask, regressor, gan = stages.build_stages(config, data, showers[:20], targets)
    state, metrics = parallel.map_steps(multitask.step, 1)(
        multitask.init(jax.random.key(0), {}), data, jax.random.key(1))
    assert np.isfinite(metrics["regressor_loss"]) and multitask.monitor(state)["mse"] > 0
    start = regressor.init(jax.random.key(2), {"multitask": state})
    assert not differ(start.regressor.params, state.discriminator.params["auxiliary"])
    assert not differ(start.regressor.spectral, state.discriminator.spectral["auxiliary"])
    assert "auxiliary" not in gan.init(jax.random.key(3), {"multitask": state, "regressor": start}).discriminator.params


def differ(one, other):
    """Whether any array differs in any bit."""
    return any(bool((a != b).any()) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))
