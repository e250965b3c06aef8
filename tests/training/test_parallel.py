"""Mapping over devices: K steps a call are K steps, and the batch must split."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from ecalgen.training import parallel


@pytest.mark.slow
def test_three_steps_a_call_are_three_calls():
    stage = tiny.stage(tiny.train_config())
    one = three = stage.init(jax.random.key(0))
    single, triple = parallel.map_steps(stage.step, 1), parallel.map_steps(stage.step, 3)
    losses = []
    for _ in range(3):
        one, metrics = single(one, tiny.data(), jax.random.key(1))
        losses.append(metrics["generator_loss"])
    three, metrics = triple(three, tiny.data(), jax.random.key(1))
    assert one.step == three.step == 3
    assert metrics["generator_loss"] == pytest.approx(np.mean(losses), abs=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), one.ema, three.ema)


def test_on_cpu_one_step_a_call():
    assert parallel.steps_per_call(100) == (1 if jax.default_backend() == "cpu" else 100)


def test_replicated_arrays_are_on_every_device():
    array = parallel.replicate({"a": jnp.ones(3)})["a"]
    assert array.sharding.is_fully_replicated and array.sharding.device_set == set(jax.devices())


def test_a_batch_that_does_not_split_is_refused(monkeypatch):
    monkeypatch.setattr(jax, "device_count", lambda: 8)
    parallel.check_batch(16)
    with pytest.raises(ValueError, match="12, which 8 devices cannot share equally; use a multiple of 8"):
        parallel.check_batch(12)


@pytest.mark.slow
def test_a_state_that_is_given_up_makes_the_same_steps():
    stage = tiny.stage(tiny.train_config())
    state, data, key = stage.init(jax.random.key(0)), tiny.data(), jax.random.key(1)
    kept, _ = parallel.map_steps(stage.step, 1)(state, data, key)
    own = parallel.replicate(jax.tree.map(jnp.copy, state))
    given_up, _ = parallel.map_steps(stage.step, 1, donate=True)(own, data, key)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(own))
    assert not any(leaf.is_deleted() for leaf in jax.tree.leaves(state))
    for ours, theirs in zip(jax.tree.leaves(kept), jax.tree.leaves(given_up), strict=True):
        np.testing.assert_array_equal(ours, theirs)
