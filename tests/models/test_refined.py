"""Refinement: its features by hand, and which of the candidates it keeps."""
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.grid import OLD
from ecalgen.data.octant import under_symmetries
from ecalgen.models import observed, refined
from ecalgen.models.observed import seen_observables
from ecalgen.models.refined import RefinedGenerator, Refiner, ranked, shower_features

RINGS = len(observed.RADII) - 1
MOMENTUM, POINT = jnp.array([[0.5, 0.2, 5.0]]), jnp.array([[-1.2, -0.8]])


class Levels(nn.Module):
    """Every cell has the energy of the noise."""

    def draw_noise(self, key):
        return jax.random.normal(key)

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        return jnp.broadcast_to(jnp.abs(noise)[:, None, None], (len(noise), 30, 30))


def test_ranked_cells_by_hand():
    cells = jnp.zeros((1, 4, 5)).at[0, 1, 2].set(7.0).at[0, 3, 3].set(2.0).at[0, 0, 0].set(5.0)
    np.testing.assert_array_equal(ranked(cells, 4), [[7, 5, 2, 0]])


def test_features_count_cells_and_pairs():
    """Three lit cells in a corner at 20 cells from the track: two pairs beside each other, one across a corner."""
    energy = jnp.zeros((1, 30, 30)).at[0, 0, 0].set(0.5).at[0, 0, 1].set(2.0).at[0, 1, 1].set(20.0)
    found = np.asarray(shower_features(energy, MOMENTUM, POINT, OLD))[0]
    seen = np.asarray(seen_observables(energy, MOMENTUM, POINT, OLD.grid))[0]
    np.testing.assert_allclose(found[:31], seen, rtol=1e-5)
    np.testing.assert_allclose(found[31:34], np.log1p(np.array([20, 2, 0.5]) / 0.1), rtol=1e-5)
    sums = found[31 + refined.RANKED:-7].reshape(-1, RINGS)
    assert not sums[:, :-1].any()
    logs = np.log1p(np.array([0.5, 2, 20]) / 0.1)
    np.testing.assert_allclose(sums[:, -1], [
        3, logs.sum(), (logs**2).sum(), 3, 2, 2, 2, 1, 1, 2, 1, logs[0] * logs[1] + logs[1] * logs[2],
        logs[0] * logs[2]], rtol=1e-5)


def test_pairs_across_both_corners_count():
    energy = jnp.zeros((1, 30, 30)).at[0, 0, 1].set(2.0).at[0, 1, 0].set(2.0)
    sums = np.asarray(shower_features(energy, MOMENTUM, POINT, OLD))[0, 31 + refined.RANKED:-7].reshape(-1, RINGS)
    assert sums[9, -1] == 0 and sums[10, -1] == 1


def test_mirrored_showers_have_the_same_features(showers):
    few = showers[:8]
    mirrored = under_symmetries(jnp.asarray(few.energy), jnp.full(8, 5))  # x -> -x, then x <-> y
    momentum, point = (np.column_stack([value[:, 1], -value[:, 0], value[:, 2:]])
                       for value in (few.momentum, few.point))
    np.testing.assert_allclose(shower_features(jnp.asarray(few.energy), few.momentum, few.point, OLD),
                               shower_features(mirrored, momentum, point, OLD), rtol=2e-3, atol=2e-3)


def made(count, candidates, odds):
    """Levels that a generator of so many candidates keeps, with log odds as a function of the level."""
    generator = RefinedGenerator(Levels(), candidates, OLD, lambda cells: cells, (2,))
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), count))
    particles = jnp.tile(MOMENTUM, (count, 1)), jnp.tile(POINT, (count, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refined, "shower_features", lambda energy, *_: energy[:, 0])
        patch.setattr(Refiner, "__call__", lambda self, features: odds(features[:, 0]))
        return np.asarray(generator.apply({}, noise, *particles)[:, 0, 0]), noise


def test_equal_odds_take_the_last_candidate_and_low_ones_keep_the_first():
    levels, noise = made(500, 3, lambda level: 0 * level)
    np.testing.assert_allclose(levels, np.abs(noise["candidates"][2]), rtol=1e-6)
    levels, noise = made(500, 2, lambda level: -1e3 * (level > 0.5))
    first, second = (np.abs(candidate) for candidate in noise["candidates"])
    np.testing.assert_allclose(levels, np.where((second <= 0.5) | (first > 0.5), second, first), rtol=1e-6)


def test_candidates_are_taken_with_the_ratio_of_their_odds():
    """Levels above 1 have half the odds: from below, such a candidate is taken every second time."""
    levels, noise = made(40_000, 2, lambda level: -np.log(2) * (level > 1))
    first, second = (np.abs(candidate) > 1 for candidate in noise["candidates"])
    taken = np.isclose(levels, np.abs(noise["candidates"][1]))
    assert taken[~first & second].mean() == pytest.approx(0.5, abs=0.02) and taken[first | ~second].all()


def test_the_first_candidate_is_that_of_the_generator_alone():
    generator = RefinedGenerator(Levels(), 2, OLD, lambda cells: cells)
    key = jax.random.key(3)
    assert generator.draw_noise(key)["candidates"][0] == Levels().draw_noise(key)
