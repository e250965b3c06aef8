"""Particles that miss, and particles that are moved into range, by hand."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.grid import SHASHLIK, Grid
from ecalgen.data.particles import check_particles, held, limits, scaled
from ecalgen.data.showers import BadShowers
from ecalgen.errors import UserError

RANGES = {"energy (GeV)": [1.0, 100.0], "px/pz": [-0.8, 0.8], "py/pz": [-0.7, 0.7],
          "x at 15 cm depth (cm)": [-1.0, 1.0], "y at 15 cm depth (cm)": [-1.0, 1.0]}
NO_PARTICLES = [([np.nan, 0, 1], [0, 0]), ([0, 0, np.inf], [0, 0]), ([0, 0, 5], [np.nan, 0]), ([0, 0, 0], [0, 0]),
                ([0, 0, -5], [0, 0]), ([1e38, 1e38, 1e38], [0, 0]), ([0, 0, 1e-20], [0, 0]), ([0, 0, 5], [30.4, 0]),
                ([0, 0, 5], [0, -1e38])]


def moved(momentum, point):
    """Momentum, point and factor of one particle."""
    columns = held(limits(RANGES, SHASHLIK), jnp.array([momentum]), jnp.array([point]), SHASHLIK)
    return (np.asarray(column)[0] for column in columns)


@pytest.mark.parametrize("momentum, point", [
    ([0.0, 0.0, 20.0], [0.3, -0.4]), ([17.0, -15.0, 20.0], [-12.75, 11.25]), ([0.0, 0.0, 149.0], [1.25, 1.25])])
def test_a_particle_in_range_or_its_margin_stays_bit_for_bit(momentum, point):
    ours, where, factor = moved(momentum, point)
    assert (ours == np.float32(momentum)).all() and (where == np.float32(point)).all() and factor == 1


@pytest.mark.parametrize("momentum, point, energy, slope, r0", [
    ([0.0, 0.0, 400.0], [0.0, 0.0], 150, (0, 0), (0, 0)),
    ([0.0, 0.0, 1e-3], [0.0, 0.0], 1 / 1.5, (0, 0), (0, 0)),
    ([0.0, 0.0, 20.0], [30.3, -30.3], 20, (0, 0), (1.3, -1.3)),
    ([50.0, -50.0, 10.0], [0.0, 0.0], 51**0.5 * 10, (0.9, -0.8), (1.3, -1.3)),
    ([50.0, 0.0, 1e-30], [0.0, 0.0], 50, (0.9, 0), (1.3, 0))])
def test_any_other_is_moved_to_the_nearest_in_the_margin(momentum, point, energy, slope, r0):
    ours, where, factor = moved(momentum, point)
    np.testing.assert_allclose(np.linalg.norm(ours), energy, rtol=1e-5)
    np.testing.assert_allclose(ours[:2] / ours[2], slope, rtol=1e-5)
    np.testing.assert_allclose(where + 15 * ours[:2] / ours[2], r0, atol=1e-5)
    np.testing.assert_allclose(factor, np.linalg.norm(momentum) / energy, rtol=1e-5)


@pytest.mark.parametrize("momentum, point", NO_PARTICLES)
def test_one_that_misses_has_a_factor_of_zero_and_harmless_conditions(momentum, point):
    ours, where, factor = moved(momentum, point)
    assert factor == 0 and ours.tolist() == [0, 0, 10] and where.tolist() == [0, 0]


def test_gradients_are_finite_for_any_particle():
    momentum, point = (jnp.array(column, jnp.float32) for column in zip(
        *NO_PARTICLES, ([5, 5, 1e-3], [0, 0]), ([0, 0, 1e5], [20, 0]), strict=True))

    def total(momentum, point):
        momentum, point, factors = held(limits(RANGES, SHASHLIK), momentum, point, SHASHLIK)
        return scaled(momentum.sum(1) + point.sum(1), factors).sum()

    assert all(jnp.isfinite(slope).all() for slope in jax.grad(total, (0, 1))(momentum, point))


def test_those_that_miss_are_refused_with_their_rows():
    momentum, point = np.tile([0.0, 0.0, 5.0], (9, 1)), np.zeros((9, 2))
    point[[2, 3, 5, 6, 7, 8], 1] = -30.4
    with pytest.raises(BadShowers, match=r"6 of 9 particles \(rows 2, 3, 5, 6, 7, ...\) have an entry point outside of "
                                         "the front face, beyond 30.3 cm in x or y, .* misses='empty'"):
        check_particles(momentum, point)
    assert check_particles(momentum, point, "empty")[0].shape == (9, 3)
    assert len(check_particles(momentum, point, grid=Grid((31, 31), (2.0, 2.0), 15.0))[1]) == 9
    point[:, 1] = 30.3  # the edge
    momentum[0], momentum[1] = [0, 0, 1e-6], [0, 0, 1e9]
    check_particles(momentum, point)


@pytest.mark.parametrize("momentum, point, misses, message", [
    ([0, 0, 5.0], [0, 0], "refuse", r"write momentum\[None\] and point\[None\]"),
    ([[0, 0, 5.0]], [[0, 0]], "keep", "misses is 'keep'; it is one of refuse, empty"),
    ([[0, 0, 5.0]], [[0, 0]], ["empty"], "misses is .'empty'.; it is one of refuse, empty"),
    ([[0, 0, 5.0], [0, 0]], [[0, 0]], "refuse", "momentum is no array .* give rows of equal length"),
    ([[8e8, 8e8, 8e8]], [[0, 0]], "empty",
     r"1 of 1 particles \(rows 0\) have an energy outside of \[1e-06, 1e\+09\] GeV; momenta are in GeV"),
    ([[0, 0, 1e-7]], [[0, 0]], "empty", "ParticleMomentum has pz below 1e-06 GeV in event 0; write it in GeV"),
])
def test_what_cannot_be_is_refused(momentum, point, misses, message):
    with pytest.raises(UserError, match=message):
        check_particles(momentum, point, misses)
