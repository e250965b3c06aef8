"""Single steps: gradients of the right network only, the batch drawn as promised, and learning on something easy."""
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import tiny

from ecalgen.data.grid import OLD
from ecalgen.data.transforms import make_transform
from ecalgen.models.discriminator import Discriminator
from ecalgen.models.regressor import DiscArch, Regressor
from ecalgen.training import parallel, stages, steps
from ecalgen.training.state import BoundState, init_gan, init_network, init_regressor


class Constant(nn.Module):
    """A model whose bound has one parameter w: log p = 100 w, KL = 50."""

    @nn.compact
    def __call__(self, cells, momentum, point, normal):
        w = self.param("w", nn.initializers.zeros, ())
        return {"cells": jnp.full(len(cells), 100.0) * w, "divergence": jnp.full(len(cells), 50.0)}


def test_a_step_on_the_bound_lowers_it_along_its_gradient():
    """The loss -(100 w - 2 x 50) / 100 is 1 - w, and SGD of rate 0.1 takes w to 0.1 t after t steps."""
    fit = steps.BoundFit(Constant(), 1, optax.sgd(0.1), batch_size=2, beta=2.0)
    data = tiny.data()
    network = init_network(fit.model, fit.optimiser, jax.random.key(0), *(
        data[name][:1] for name in ("cells", "momentum", "point")), jnp.zeros((1, 1)))
    state, losses = BoundState(jnp.zeros((), jnp.int32), network, ("w",)), []
    step = parallel.map_steps(functools.partial(steps.bound_step, fit=fit), 1)
    for _ in range(3):
        state, metrics = step(state, data, jax.random.key(1))
        losses.append(float(metrics["bound_loss"]))
    np.testing.assert_allclose(losses, [1.0, 0.9, 0.8], rtol=1e-5)
    assert state.step == 3


@pytest.fixture(scope="module")
def one_step():
    train = tiny.train_config()
    stage = tiny.stage(train)
    before = stage.init(jax.random.key(0))
    after, metrics = parallel.map_steps(stage.step, 1)(before, tiny.data(), jax.random.key(1))
    return before, after, metrics


def test_a_step_counts_and_moves_both_networks(one_step):
    before, after, metrics = one_step
    assert (before.step, after.step) == (0, 1)
    for network in ("generator", "discriminator"):
        moved = jax.tree.map(lambda a, b: bool((a != b).any()), getattr(before, network).params,
                             getattr(after, network).params)
        assert sum(jax.tree.leaves(moved)) > len(jax.tree.leaves(moved)) / 2
        vectors = zip(jax.tree.leaves(getattr(before, network).spectral),
                      jax.tree.leaves(getattr(after, network).spectral), strict=True)
        assert all((a != b).any() for a, b in vectors if a.size > 1)
    assert {"discriminator_loss", "generator_loss", "real_logit", "fake_logit"} < set(metrics)


def test_average_follows_the_generator(one_step):
    """At step 0 the decay is (1 + 0)/(10 + 0) = 0.1."""
    before, after, _ = one_step
    expected = jax.tree.map(lambda old, new: 0.1 * old + 0.9 * new, before.ema, after.generator.params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), after.ema, expected)


def test_adam_without_momentum_moves_by_the_rate(one_step):
    """The first step of Adam(0, 0.9) changes every parameter with a gradient by the learning rate, 1e-3."""
    before, after, _ = one_step
    kernel = lambda state: np.asarray(state.discriminator.params["conv"]["kernel"])
    change = np.abs(kernel(after) - kernel(before))
    assert np.median(change) == pytest.approx(1e-3, rel=1e-2)


def test_rows_do_not_depend_on_the_number_of_devices():
    keys = jax.pmap(lambda _: jax.random.key_data(steps.row_keys(jax.random.key(4), 6)), axis_name=steps.DEVICES)
    ours = keys(np.arange(1))[0]
    expected = [jax.random.fold_in(jax.random.key(4), row) for row in range(6)]
    np.testing.assert_array_equal(ours, [jax.random.key_data(key) for key in expected])


def discriminator_keys(key, rows):
    """Keys of the batch, the noise and the mixes of the discriminator's first update at step 0."""
    row_keys = jax.vmap(lambda key: steps.row_keys(key, rows), axis_name=steps.DEVICES)
    return steps.for_purposes(row_keys(jax.random.split(jax.random.fold_in(key, 0))[1][None])[0], 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["baseline:test", "wgan:test", "anchored:test", "vae:test"])
def test_no_key_is_used_twice(recipe, showers, name):
    """JAX's own checker refuses a key that two draws consume."""
    config = recipe(name, **{"train.r1": 0.1, "train.r1_every": 1} if name == "baseline:test" else {})
    if "gan" in config.stages:
        config.train.energy_score = 1.0
    targets = stages.make_targets(config, showers)
    data = stages.training_arrays(showers, make_transform(**config.data.transform), targets)
    for stage in stages.build_stages(config, data, showers[:20], OLD, targets):
        state = jax.eval_shape(lambda stage=stage: stage.init(jax.random.key(0), None)) if stage.name != "prior" else (
            stage.init(jax.random.key(0), None))
        one = jax.vmap(stage.step, in_axes=(None, None, 0), axis_name=steps.DEVICES)
        with jax.debug_key_reuse(True):
            jax.jit(one).lower(state, data, jax.random.split(jax.random.key(1), 1))


def test_a_batch_keeps_cells_and_conditions_together():
    data = {"cells": jnp.arange(50.0)[:, None, None], "momentum": jnp.arange(50.0)[:, None]}
    batch = steps.draw_batch(data, jax.random.split(jax.random.key(0), 300))
    np.testing.assert_array_equal(batch["cells"][:, 0, 0], batch["momentum"][:, 0])
    assert len(np.unique(batch["cells"])) > 45  # of 50, in 300 draws


class Flat(nn.Module):
    """A generator of one layer, for steps whose arithmetic does not depend on the generator."""

    def draw_noise(self, key):
        return jax.random.normal(key, (2,))

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        given = jnp.concatenate([noise, momentum / 10, point], axis=1)
        return nn.softplus(nn.Dense(900)(given)).reshape(-1, 30, 30)


flat = functools.partial(tiny.networks, generator=Flat())


class Linear(nn.Module):
    """A discriminator whose logit is a multiple a of the shower's energy: its gradient is a in each of 900 cells."""

    @nn.compact
    def __call__(self, cells, momentum, point, update_stats=False):
        return self.param("a", nn.initializers.constant(0.5), ()) * cells.sum((1, 2)), jnp.zeros((len(cells), 0))


def test_r1_pulls_the_gradient_at_real_showers_down():
    networks = flat(optax.adam(1e-3), optax.sgd(1e-3), discriminator=Linear())
    state = init_gan(networks, jax.random.key(0), tiny.data())
    one = lambda r1: parallel.map_steps(tiny.step(networks, r1=r1), 1)(state, tiny.data(), jax.random.key(1))
    (without, plain), (pulled, metrics) = one(0.0), one(0.3)
    assert "r1" not in plain and metrics["r1"] == pytest.approx(0.5 * 900 * 0.5**2, rel=1e-5)
    moved = float(pulled.discriminator.params["a"][()] - without.discriminator.params["a"][()])
    assert moved == pytest.approx(-1e-3 * 0.3 * 900 * 0.5, rel=1e-4)  # d/da of 0.3 * 1/2 * 900 a^2
    assert metrics["discriminator_loss"] == pytest.approx(
        float(plain["discriminator_loss"] + 0.3 * metrics["r1"]), rel=1e-5)


def test_r1_now_and_then_counts_as_often():
    networks = flat(optax.adam(1e-3), optax.sgd(0.0), discriminator=Linear())
    state = init_gan(networks, jax.random.key(0), tiny.data())
    advance = parallel.map_steps(tiny.step(networks, r1=0.3, r1_every=3), 1)
    penalties = []
    for _ in range(4):
        state, metrics = advance(state, tiny.data(), jax.random.key(1))
        penalties.append(float(metrics["r1"]))
    np.testing.assert_allclose(penalties, [3 * 0.5 * 900 * 0.5**2, 0, 0, 3 * 0.5 * 900 * 0.5**2], rtol=1e-5)


def test_r2_keeps_the_rhythm_of_r1():
    """The gradient of `Linear` is 0.5 in each of 900 cells of any shower, so both penalties are the same."""
    networks = flat(optax.adam(1e-3), optax.sgd(0.0), discriminator=Linear())
    state = init_gan(networks, jax.random.key(0), tiny.data())
    advance = parallel.map_steps(tiny.step(networks, r1=0.3, r2=0.2, r1_every=2), 1)
    for expected in (2 * 0.5 * 900 * 0.5**2, 0):
        state, metrics = advance(state, tiny.data(), jax.random.key(1))
        np.testing.assert_allclose([metrics["r1"], metrics["r2"]], expected, rtol=1e-5)


class Square(nn.Module):
    """A discriminator whose logit is the sum of squares of the cells: its gradient is twice the shower."""

    @nn.compact
    def __call__(self, cells, momentum, point, update_stats=False):
        return self.param("a", nn.initializers.ones, ()) * (cells**2).sum((1, 2)), jnp.zeros((len(cells), 0))


def test_the_gradient_penalty_is_taken_between_real_and_generated_showers():
    networks, data = flat(optax.sgd(0.0), optax.sgd(0.0), discriminator=Square()), tiny.data()
    state = init_gan(networks, jax.random.key(0), data)
    step = tiny.step(networks, loss="wasserstein", gradient_penalty=1.0)
    _, metrics = parallel.map_steps(step, 1)(state, data, jax.random.key(1))
    batch_keys, noise_keys, mix_keys = discriminator_keys(jax.random.key(1), 16)
    batch = steps.draw_batch(data, batch_keys)
    noise = steps.draw_noise(networks.generator, noise_keys)
    fake = networks.generator.apply(state.generator.variables, noise, batch["momentum"], batch["point"])
    penalty = lambda cells: float(np.mean((np.linalg.norm(2 * np.asarray(cells), axis=(1, 2)) - 1) ** 2))
    assert metrics["gradient_penalty"] == pytest.approx(penalty(steps.mixed(mix_keys, batch["cells"], fake)), rel=1e-4)
    assert abs(penalty(batch["cells"]) / float(metrics["gradient_penalty"]) - 1) > 0.2


@pytest.mark.slow
def test_r2_is_taken_at_generated_showers():
    """1/2 |2 G|^2 of `Square`, whose weight enters the discriminator's loss."""
    networks, data = flat(optax.sgd(0.0), optax.sgd(0.0), discriminator=Square()), tiny.data()
    state = init_gan(networks, jax.random.key(0), data)
    one = lambda r2: parallel.map_steps(tiny.step(networks, r2=r2), 1)(state, data, jax.random.key(1))[1]
    plain, metrics = one(0.0), one(0.3)
    batch_keys, noise_keys, _ = discriminator_keys(jax.random.key(1), 16)
    batch = steps.draw_batch(data, batch_keys)
    noise = steps.draw_noise(networks.generator, noise_keys)
    fake = networks.generator.apply(state.generator.variables, noise, batch["momentum"], batch["point"])
    penalty = lambda cells: float(np.mean(2 * np.sum(np.asarray(cells)**2, axis=(1, 2))))
    assert "r2" not in plain and metrics["r2"] == pytest.approx(penalty(fake), rel=1e-4)
    assert abs(penalty(batch["cells"]) / penalty(fake) - 1) > 0.2
    assert metrics["discriminator_loss"] == pytest.approx(
        float(plain["discriminator_loss"] + 0.3 * metrics["r2"]), rel=1e-5)


def drawn(networks, state, data, key, rows, repeats):
    """What the generator's update at step 0 sees: the real showers of its particles, and `repeats` generated ones."""
    row_keys = jax.vmap(lambda key: steps.row_keys(key, rows), axis_name=steps.DEVICES)
    batch_keys, *noise_keys = steps.for_purposes(row_keys(jax.random.split(jax.random.fold_in(key, 0))[0][None])[0],
                                                 1 + repeats)
    batch = steps.draw_batch(data, batch_keys)
    make = jax.jit(networks.generator.apply)
    return batch, [make(state.generator.variables, steps.draw_noise(networks.generator, keys), batch["momentum"],
                        batch["point"]) for keys in noise_keys]


CALLS = []
"""How many showers each call of `Counting` has had."""


class Counting(nn.Module):
    """A discriminator whose logit is the shower's mean, and which notes its calls in `CALLS`."""

    @nn.compact
    def __call__(self, cells, momentum, point, update_stats=False):
        CALLS.append(len(cells))
        return self.param("a", nn.initializers.ones, ()) * cells.mean((1, 2)), jnp.zeros((len(cells), 0))


def features_of_cells(variables, cells, momentum, point):
    """Three features of a shower, one of which depends on its particle."""
    return jnp.stack([cells[:, 3, 4], cells.mean((1, 2)), cells[:, 5, 6] * momentum[:, 2]], axis=1)


@pytest.mark.parametrize("changes, calls", [
    ({}, [32, 16]), ({"loss": "relativistic"}, [32, 16, 16]), ({"energy_score": 2.0}, [32, 16]),
    ({"loss": "relativistic", "energy_score": 2.0}, [32, 8, 16])])
def test_the_generators_loss_by_hand(changes, calls):
    """Of the showers that it draws; and the discriminator is applied to real ones only where their logits are used."""
    pairs = "energy_score" in changes
    networks = flat(optax.sgd(0.0), optax.sgd(0.0), discriminator=Counting())
    networks = networks._replace(features=features_of_cells if pairs else lambda *_: pytest.fail("not used"))
    data = tiny.data()
    state = init_gan(networks, jax.random.key(0), data)
    CALLS.clear()
    _, metrics = parallel.map_steps(tiny.step(networks, **changes), 1)(state, data, jax.random.key(1))
    assert CALLS == calls
    batch, fakes = drawn(networks, state, data, jax.random.key(1), 8 if pairs else 16, 2 if pairs else 1)
    mean = lambda cells: np.asarray(cells, float).mean((1, 2))
    expected = np.mean([np.log1p(np.exp(mean(batch["cells"]) - mean(fake))) if "loss" in changes else -mean(fake)
                        for fake in fakes])
    if pairs:
        real, first, second = (np.asarray(features_of_cells(None, cells, batch["momentum"], batch["point"]))
                               for cells in (batch["cells"], *fakes))
        between = lambda a, b: np.mean(np.linalg.norm(a - b, axis=1) / 3**0.5 + np.abs(a - b).mean(axis=1)) / 2
        score = (between(first, real) + between(second, real) - between(first, second)) / 2
        assert metrics["energy_score"] == pytest.approx(score, rel=1e-4)
        expected += 2 * score
    assert ("energy_score" in metrics) == pairs
    assert metrics["generator_loss"] == pytest.approx(expected, rel=1e-4)


def test_a_step_of_the_generator_raises_the_critics_logit():
    """At fixed noise and vectors of the spectral norm, by a critic that likes energy: the step goes up its slope."""
    networks, data = flat(optax.adam(1e-3, b1=0), optax.sgd(0.0), discriminator=Linear()), tiny.data()
    before = init_gan(networks, jax.random.key(0), data)
    after, _ = parallel.map_steps(tiny.step(networks), 1)(before, data, jax.random.key(1))
    noise = steps.draw_noise(networks.generator, jax.random.split(jax.random.key(2), 16))
    made = jax.jit(networks.generator.apply)
    total = lambda state: float(made(
        {"params": state.generator.params, "spectral": before.generator.spectral}, noise, data["momentum"][:16],
        data["point"][:16]).sum())
    assert total(after) > total(before)


@pytest.mark.slow
def test_tiny_adversarial_training_brings_the_showers_nearer():
    """The Wasserstein-1 distance of the cells' energies falls by more than a fifth; up the wrong slope it rises."""
    train, data = tiny.train_config(steps=300, generator_rate=2e-3, discriminator_rate=4e-3), tiny.data()
    stage = tiny.stage(train)
    state, advance = stage.init(jax.random.key(0)), parallel.map_steps(stage.step, 1)
    noise = steps.draw_noise(tiny.GENERATOR, jax.random.split(jax.random.key(2), 64))
    made = jax.jit(lambda variables: tiny.GENERATOR.apply(variables, noise, data["momentum"], data["point"]))
    distance = lambda state: float(np.abs(np.sort(made(state.sampled).ravel()) - np.sort(data["cells"].ravel())).mean())
    before = distance(state)
    for _ in range(300):
        state, _ = advance(state, data, jax.random.key(1))
    assert distance(state) < 0.8 * before


def test_showers_without_weight_are_not_drawn():
    """AdaGAN's weights: only rows whose weight is not zero, each as often as its weight says."""
    data = {"cells": np.arange(6.0), "cumulative": np.cumsum([0, 0.75, 0, 0.25, 0, 0]).astype("f4")}
    drawn = np.asarray(steps.draw_batch(data, jax.random.split(jax.random.key(0), 4_000))["cells"])
    assert set(np.unique(drawn)) == {1, 3}
    assert (drawn == 1).mean() == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / 4_000))


def test_showers_of_particles_along_the_axis_are_drawn_under_all_symmetries():
    """One lit cell that no symmetry leaves in its place, eight times as often as not."""
    cells = np.zeros((1, 4, 4), np.float32)
    cells[0, 0, 1] = 1
    data = {"cells": cells, "momentum": np.array([[0, 0, 5.0]]), "point": np.zeros((1, 2)), "symmetries": np.zeros(8)}
    drawn = np.asarray(steps.draw_batch(data, jax.random.split(jax.random.key(0), 4_000))["cells"])
    mean = drawn.mean(axis=0)
    lit = [(0, 1), (3, 1), (0, 2), (3, 2), (1, 0), (1, 3), (2, 0), (2, 3)]
    np.testing.assert_allclose([mean[cell] for cell in lit], 1 / 8, atol=0.02)
    assert drawn.sum() == 4_000 and mean.sum() == pytest.approx(1)


def test_gradient_penalty_pulls_the_norm_to_one():
    """The gradient of `Linear` is a in each of 900 cells, so its norm is 30 a = 15 anywhere."""
    networks = flat(optax.adam(1e-3), optax.sgd(1e-3), discriminator=Linear())
    state = init_gan(networks, jax.random.key(0), tiny.data())
    one = lambda weight: parallel.map_steps(tiny.step(networks, loss="wasserstein", gradient_penalty=weight), 1)(
        state, tiny.data(), jax.random.key(1))
    (without, plain), (pulled, metrics) = one(0.0), one(0.1)
    assert metrics["gradient_penalty"] == pytest.approx((15 - 1) ** 2, rel=1e-5)
    moved = float(pulled.discriminator.params["a"][()] - without.discriminator.params["a"][()])
    assert moved == pytest.approx(-1e-3 * 0.1 * 2 * (15 - 1) * 30, rel=1e-4)  # d/da of 0.1 (30 a - 1)^2
    assert float(plain["discriminator_loss"]) == pytest.approx(float(plain["fake_logit"] - plain["real_logit"]))


def test_mixes_lie_between_real_and_generated_showers():
    keys = jax.random.split(jax.random.key(0), 500)
    mixes = steps.mixed(keys, jnp.full((500, 30, 30), 2.0), jnp.full((500, 30, 30), -1.0))
    share = (np.asarray(mixes[:, 0, 0]) + 1) / 3
    assert (mixes == mixes[:, :1, :1]).all() and (share >= 0).all() and (share <= 1).all()
    assert share.mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * 500))


class Summing(nn.Module):
    """A discriminator whose logit is zero, and whose regressor predicts the sum of the cells."""

    @nn.compact
    def __call__(self, cells, momentum, point, update_stats=False):
        nothing = self.param("a", nn.initializers.zeros, ()) * cells.sum((1, 2))
        return nothing, cells.sum((1, 2))[:, None]


def test_steering_brings_generated_showers_to_what_is_asked_for():
    """With no other loss than the squared error of the summed cells from 500, steps lead there."""
    networks = flat(optax.adam(3e-3, b1=0), optax.sgd(0.0), discriminator=Summing())
    data = tiny.data() | {"targets": np.full((64, 1), 500.0, np.float32)}
    state = init_gan(networks, jax.random.key(0), data)
    advance = parallel.map_steps(tiny.step(networks, steering=(0.01,)), 1)
    steered = []
    for _ in range(150):
        state, metrics = advance(state, data, jax.random.key(1))
        steered.append(float(metrics["steering_loss"]))
    assert steered[-1] < 0.1 * steered[0]
    assert float(metrics["generator_loss"]) == pytest.approx(steered[-1], rel=1e-5)


def test_regressor_learns_the_sum_of_its_cells():
    rng = np.random.default_rng(0)
    cells = rng.uniform(0, 1, (64, 30, 30)).astype("f4") * rng.uniform(0, 2, (64, 1, 1)).astype("f4")
    total = cells.sum((1, 2))
    data = tiny.data(64) | {"cells": cells, "targets": ((total - total.mean()) / total.std())[:, None]}
    regressor, optimiser = Regressor(outputs=1, widths=(4, 4, 4), embedding=8), optax.adam(3e-3)
    views = lambda cells, momentum, point: (cells[..., None], None)
    state = init_regressor(regressor, optimiser, jax.random.key(0), views(cells[:1], None, None))
    fit = steps.RegressorFit(regressor, views, optimiser, batch_size=16, weights=jnp.ones(1))
    advance = parallel.map_steps(functools.partial(steps.regressor_step, fit=fit), 1)
    losses = []
    for _ in range(150):
        state, metrics = advance(state, data, jax.random.key(1))
        losses.append(float(metrics["regressor_loss"]))
    assert np.mean(losses[-20:]) < 0.2 * np.mean(losses[:5])


def test_discriminator_alone_learns_to_separate():
    train = tiny.train_config(generator_rate=0.0, discriminator_rate=3e-3)
    stage = tiny.stage(train)
    state, advance = stage.init(jax.random.key(0)), parallel.map_steps(stage.step, 1)
    for _ in range(60):
        state, metrics = advance(state, tiny.data(), jax.random.key(1))
    assert float(metrics["discriminator_loss"]) < 1.0 < float(metrics["real_logit"] - metrics["fake_logit"])


@pytest.mark.slow
def test_the_regression_loss_is_that_of_real_showers_and_adds_to_the_hinge():
    """With all else equal, a weight of alpha adds alpha times the MSE of the predictions for real ones."""
    discriminator = Discriminator((4, 4, 4), 0, embedding=4, auxiliary=DiscArch(1, (4, 4, 4), embedding=4))
    networks = flat(optax.sgd(0.0), optax.sgd(0.0), discriminator=discriminator)
    data = tiny.data() | {"targets": np.full((64, 1), 3.0, np.float32)}
    state = init_gan(networks, jax.random.key(0), data)
    results = {}
    for alpha in (0.0, 1.0, 2.0):
        step = tiny.step(networks, batch_size=64, weights=(alpha,))
        _, metrics = parallel.map_steps(step, 1)(state, data, jax.random.key(1))
        results[alpha] = {name: float(value) for name, value in metrics.items()}
    hinge = results[0.0]["discriminator_loss"]
    for alpha in (1.0, 2.0):
        assert results[alpha]["discriminator_loss"] == pytest.approx(hinge + results[alpha]["regressor_loss"], rel=1e-5)
    assert results[2.0]["regressor_loss"] == pytest.approx(2 * results[1.0]["regressor_loss"], rel=1e-5)
    batch = steps.draw_batch(data, discriminator_keys(jax.random.key(1), 64)[0])
    shown = (batch[name] for name in ("cells", "momentum", "point"))
    _, predicted = jax.jit(discriminator.apply)(state.discriminator.variables, *shown)
    assert results[1.0]["regressor_loss"] == pytest.approx(float(jnp.mean((3 - predicted) ** 2)), rel=1e-4)


def test_init_takes_shapes_only():
    state = init_gan(tiny.networks(optax.sgd(1.0), optax.sgd(1.0)), jax.random.key(0), tiny.data(2))
    assert state.generator.spectral and state.discriminator.spectral
