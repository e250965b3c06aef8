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
    params = jnp.ones(1)
    state, sizes = optimiser.init(params), []
    for _ in range(100):
        updates, state = optimiser.update(jnp.ones(1), state, params)
        sizes.append(-float(updates[0]))
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
    ({"stages": ("prior", "vae")}, "config.stages names 'vae'; it is one of prior, gan"),
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
    state = before = second.init(jax.random.key(2), fitted)
    advance = parallel.map_steps(second.step, 1)
    for _ in range(2):
        state, _ = advance(state, data, jax.random.key(3))
    for name in ("total", "profile", "whitening"):
        assert not differ(fitted.prior.params[name], state.generator.params[name])
    assert not differ(fitted.prior.params["whitening"], state.discriminator.params["whitening"])
    assert differ(before.generator.params["correction"], state.generator.params["correction"])
    assert first.monitor(fitted)["w1"] > 0 and second.monitor(state)["w1"] > 0


def differ(one, other):
    """Whether any array differs in any bit."""
    return any(bool((a != b).any()) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))
