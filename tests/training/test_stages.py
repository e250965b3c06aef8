"""From config to stages: rates, checks and the monitor."""
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
import tiny

from ecalgen.data.observables import observables
from ecalgen.data.transforms import make_transform
from ecalgen.training import parallel, stages


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
    (dict(discriminator_steps=0), "config.train.discriminator_steps is 0; it must be at least 1"),
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
        ema = generator = None

    State.generator = type("G", (), {"spectral": {}})
    measured = stages.wasserstein_monitor(None, make_transform("none"), real)(State)
    theirs = observables(real.energy, real.momentum, real.point)["visible_fraction"]
    ours = observables(other.energy, real.momentum, real.point)["visible_fraction"]
    expected = scipy.stats.wasserstein_distance(np.asarray(ours), np.asarray(theirs)) / float(np.std(theirs))
    assert measured["w1_visible_fraction"] == pytest.approx(expected, rel=1e-4)
    assert measured["w1"] > 0
