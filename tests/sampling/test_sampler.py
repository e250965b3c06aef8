"""The sampler: reproducible, the same in pieces, honest about its range, and equal to the network it came from."""
import concurrent.futures
import functools
import json
import multiprocessing
import pickle

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import pytest
import tiny

from ecalgen.data.grid import OLD
from ecalgen.data.showers import BadShowers
from ecalgen.data.transforms import make_transform
from ecalgen.errors import UserError
from ecalgen.machine.chunks import sizes
from ecalgen.sampling import sampler
from ecalgen.sampling.weights import WeightsError
from ecalgen.training.state import init_gan

FIELDS = dict(name="plain", latent=4, widths=[4, 4, 4, 4], attention=8, spectral_norm=True, conditioning="projection")
CONFIG = ml_collections.ConfigDict(dict(system="tiny", preset="test", seed=0, generator=FIELDS,
                                        regressor={}, data=dict(transform=dict(name="sqrt", scale=100.0))))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, showers):
    """A workdir with a generator, and the state it was written from."""
    optimiser = tiny.optimiser(1e-3, tiny.train_config())
    state = init_gan(tiny.networks(optimiser, optimiser), jax.random.key(0), tiny.data())
    rng = np.random.default_rng(0)  # an average unlike the last parameters
    state = state.replace(ema=jax.tree.map(lambda x: x + 0.1 * rng.normal(size=x.shape).astype("f4"), state.ema))
    folder = tmp_path_factory.mktemp("run")
    sampler.export_generator(folder / "generator", state, CONFIG, showers, OLD)
    return folder, state


@pytest.fixture(scope="module")
def sample(trained):
    return sampler.load_sampler(trained[0])


def test_it_is_the_averaged_network(trained, sample, showers):
    """Folding runs 30 iterations of the spectral norms, so the network must too: 29, and one of its own."""
    _, state = trained
    keys = [jax.random.fold_in(jax.random.key(5), i) for i in range(20)]
    noise = jax.vmap(tiny.GENERATOR.draw_noise)(jnp.stack(keys))
    variables = {"params": state.ema, "spectral": state.generator.spectral}
    update = jax.jit(functools.partial(tiny.GENERATOR.apply, update_stats=True, mutable=["spectral"]))
    for _ in range(29):
        variables |= update(variables, noise, showers.momentum[:20], showers.point[:20])[1]
    cells = jax.jit(tiny.GENERATOR.apply)(variables, noise, showers.momentum[:20], showers.point[:20])
    expected = make_transform("sqrt", 100.0).inverse(cells)
    ours = sample(showers.momentum[:20], showers.point[:20], seed=5)
    assert ours.dtype == np.float32 and ours.shape == (20, 30, 30)
    np.testing.assert_allclose(ours, expected, rtol=2e-3, atol=1e-2)


def test_the_seed_decides(sample, showers):
    first, again, other = (sample(showers.momentum[:9], showers.point[:9], seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_no_number_of_showers_compiles_once_all_programs_are_compiled(sample, showers):
    assert list(sample.compile()) == sizes(sampler.chunk_size(sample.grid))
    compiled = []
    listen = lambda name, seconds, **more: compiled.append(name) if "backend_compile" in name else None
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        jax.jit(lambda x: x + 3)(1)
        assert len(compiled) == 1  # the listener hears of a new program
        for count in (1, 2, 7, 13, 50, 77):
            sample(showers.momentum[:count], showers.point[:count], seed=2**40 + count)
        assert len(compiled) == 1
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def test_at_bfloat16_showers_are_nearly_the_same(trained, sample, showers):
    ours, theirs = (make(showers.momentum[:40], showers.point[:40], seed=1)
                    for make in (sampler.load_sampler(trained[0], "bfloat16"), sample))
    assert ours.dtype == np.float32 and (ours != theirs).any()
    assert np.abs(ours - theirs).mean() < 0.05 * theirs.mean()


def test_an_unknown_precision_is_refused(trained):
    with pytest.raises(ValueError, match="precision is 'float16'; it is one of float32, bfloat16"):
        sampler.load_sampler(trained[0], "float16")


@pytest.mark.parametrize("count", [1, 3, 16, 17, 40])
def test_a_set_in_pieces_is_the_same_set(monkeypatch, sample, showers, count):
    whole = sample(showers.momentum[:40], showers.point[:40])
    monkeypatch.setitem(sampler.CHUNKS, jax.default_backend(), 16 * 900)
    pieces = sample(showers.momentum[:count], showers.point[:count])
    np.testing.assert_allclose(pieces, whole[:count], rtol=1e-3, atol=2e-3)  # MeV; sums differ in float32


@pytest.mark.parametrize("momentum, point, message", [
    ([[0, 0, -5.0]], [[0, 0]], "pz <= 0 in event 0"),
    ([[0, np.nan, 5.0]], [[0, 0]], "ParticleMomentum is NaN or infinite in event 0"),
    ([[0, 0, 5.0]], [[0, np.inf]], "ParticlePoint is NaN or infinite in event 0"),
    ([[0, 0, 5.0], [0, 0, 5.0]], [[0, 0]], r"ParticlePoint has shape \[1, 2\], not \[2, 2\]"),
    ([0, 0, 5.0], [0, 0], r"ParticleMomentum has shape \[3\], not \[N, 3\]; for one particle write momentum\[None\]"),
    ([[0, 0, 5.0]], [[31.0, 0]], r"1 of 1 particles \(rows 0\) have an entry point outside of the front face"),
])
def test_bad_conditions_are_refused(sample, momentum, point, message):
    with pytest.raises(BadShowers, match=message):
        sample(np.array(momentum), np.array(point))


@pytest.mark.parametrize("momentum, point, quantity", [
    ([[0, 0, 500.0]], [[0, 0]], r"energy \(GeV\) of 1 showers is outside \[1"),
    ([[0, 0, 0.5]], [[0, 0]], r"energy \(GeV\) of 1 showers is outside \[1"),
    ([[0, 60.0, 50.0]], [[0, -18.0]], "py/pz of 1 showers"),
    ([[0, 0, 50.0]], [[20.0, 0]], r"x at 15 cm depth \(cm\) of 1 showers"),
])
def test_conditions_outside_the_training_range_are_flagged(sample, momentum, point, quantity):
    with pytest.warns(UserWarning, match=quantity):
        sample(np.array(momentum), np.array(point))


def test_no_such_model(tmp_path):
    with pytest.raises(WeightsError, match="neither a run's folder nor a shipped model; these ship: "):
        sampler.load_sampler("nothing")
    with pytest.raises(WeightsError, match="neither a run's folder"):
        sampler.load_sampler(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(dict.fromkeys(("generator", "data", "train"), {}) | dict.fromkeys(
        ("system", "preset"), "x")))
    with pytest.raises(WeightsError, match="holds no generator yet; finish its training"):
        sampler.load_sampler(tmp_path)
    with pytest.raises(WeightsError, match="embedding holds weights of the kind regressor, not generator"):
        sampler.load_sampler("embedding")


def test_the_sampler_can_be_differentiated_and_jitted(showers):
    generator = tiny.GENERATOR.clone(spectral_norm=False)
    pure = sampler.make_sampler(generator, make_transform("sqrt", 100.0))
    momentum, point = showers.momentum[:2], showers.point[:2]
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(1), 2))
    variables = jax.jit(generator.init)(jax.random.key(0), noise, momentum, point)
    total = lambda momentum: pure(variables, jax.random.key(0), momentum, point).sum()
    assert jnp.isfinite(jax.jit(jax.grad(total))(momentum)).all()


FAR = np.array([[0, 0, 20.0], [20, 0, 20], [50, 45, 10], [20, 20, 1e-3], [0, 0, 1e5], [0, 0, 0.01], [0, 0, 20],
                [0, 0, 20]])
"""Momenta outside of the training range, but the last."""
AT = np.array([[30.0, 0], [-30, 30], [0, 0], [0, 0], [0, 0], [0, 0], [-30.3, -30.3], [0, 0]])


@pytest.mark.parametrize("name", ["anchored", "anchored_light"])
@pytest.mark.filterwarnings("ignore:conditions outside")
def test_particles_far_outside_the_training_range_make_sensible_showers(name):
    """The shashlik's cells see 17 % of the energy."""
    shipped, energy = sampler.load_sampler(name), np.linalg.norm(FAR, axis=1)
    made = shipped(FAR, AT, seed=1)
    assert np.isfinite(made).all() and (made >= 0).all()
    share = made.sum((1, 2)) / (1000 * energy)
    assert (share > 0.1).all() and (share < 0.25).all()
    momentum, point = FAR.copy(), AT.copy()
    momentum[1], point[6] = [np.nan, 0, 0], [200.0, 0]
    total = lambda momentum: shipped.sample(shipped.variables, jax.random.key(1), momentum, point).sum((1, 2))
    pure, pull = jax.vjp(total, momentum.astype("f4"))
    np.testing.assert_allclose(pure, np.where(np.isin(range(8), (1, 6)), 0, made.sum((1, 2))), rtol=1e-4)
    assert np.isfinite(pull(jnp.ones(8))[0]).all()


def test_particles_that_miss_are_empty_if_asked(sample, showers):
    momentum, point = showers.momentum[:9], showers.point[:9].copy()
    point[[2, 5]] = [[200, 0], [0, -31]]
    with pytest.raises(BadShowers, match=r"2 of 9 particles \(rows 2, 5\)"):
        sample(momentum, point)
    made, expected = sample(momentum, point, misses="empty"), sample(momentum, showers.point[:9])
    assert not made[[2, 5]].any() and expected[[2, 5]].any()
    np.testing.assert_array_equal(np.delete(made, [2, 5], 0), np.delete(expected, [2, 5], 0))


def test_in_range_showers_are_those_of_the_network_alone(trained, sample, showers):
    """Bit for bit, with the training range and without; eight are one call of the network either way."""
    card, transform = sample.card, make_transform("sqrt", 100.0)
    alone = sampler.make_sampler(sampler.generator_of_card(card), transform)
    made = alone(sample.variables, jax.random.key(4), showers.momentum[:8], showers.point[:8])
    np.testing.assert_array_equal(sample(showers.momentum[:8], showers.point[:8], seed=4), made)


def test_seeds_and_numbers_of_showers_of_64_bits(sample, showers):
    make = lambda **given: sample(showers.momentum[:8], showers.point[:8], **given)
    made = [make(**given) for given in (
        dict(seed=0), dict(seed=2**32), dict(seed=2**32 - 1), dict(seed=2**64 - 1), dict(first=2**31 - 4),
        dict(first=2**32), dict(first=2**63 - 8))]
    assert all(np.abs(a - b).max() > 0 for i, a in enumerate(made) for b in made[:i])
    np.testing.assert_array_equal(make(seed=np.uint8(3)), make(seed=3))
    whole = sample(np.tile(showers.momentum[:1], (16, 1)), np.tile(showers.point[:1], (16, 1)), first=2**32 - 8)
    last = sample(np.tile(showers.momentum[:1], (8, 1)), np.tile(showers.point[:1], (8, 1)), first=2**32)
    np.testing.assert_allclose(whole[8:], last, rtol=1e-3, atol=2e-3)
    for given in (dict(seed=-1), dict(seed=0.5), dict(first=2**63)):
        with pytest.raises(UserError, match=f"{next(iter(given))} is .*; give a whole number from 0"):
            make(**given)


def test_traced_particles_are_sent_to_the_pure_function(sample, showers):
    with pytest.raises(UserError, match="momentum is traced by JAX; .* sampler.sample"):
        jax.jit(lambda momentum: sample(momentum, showers.point[:2]))(showers.momentum[:2])


def test_it_says_what_it_is(sample):
    assert repr(sample) == ("<Sampler: tiny (test), 0 steps; 30 x 30 cells of 2.02 x 2.02 cm; "
                            f"{sample.card['trained_on']['energy (GeV)'][0]:.3g} to "
                            f"{sample.card['trained_on']['energy (GeV)'][1]:.3g} GeV>")


def test_it_goes_to_workers(sample, showers):
    """A pickled sampler makes the same showers in another process."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        made = pool.submit(pickle.loads(pickle.dumps(sample)), showers.momentum[:3], showers.point[:3], seed=4).result()
    np.testing.assert_array_equal(made, sample(showers.momentum[:3], showers.point[:3], seed=4))
