"""The energy of a cell against the compound Poisson law it stands for, by quadrature and on Geant4 showers."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.showers import reference_point
from ecalgen.models import hits

CASES = [(-6.0, -0.5, 0.0), (-1.0, -0.5, 0.0), (0.5, 0.3, -1.0), (2.0, -0.5, 1.0), (6.0, 1.0, 0.0)]


def energy(n, log_mu, log_eps, log_kappa):
    return np.asarray(hits.cell_energy(jnp.asarray(n, jnp.float32), *map(jnp.float32, (log_mu, log_eps, log_kappa))),
                      np.float64)


@pytest.mark.parametrize("case", CASES)
def test_mean_and_share_of_silent_cells(case):
    n = np.linspace(-9, 9, 400_001)
    weight = scipy.stats.norm.pdf(n) * (n[1] - n[0])
    values = energy(n, *case)
    assert np.sum(weight * values) == pytest.approx(np.exp(case[0]), rel=0.01)
    assert np.sum(weight * (values == 0)) == pytest.approx(np.exp(-np.exp(case[0] - case[1])), rel=0.01, abs=1e-5)


def test_tables_are_those_of_scipy():
    log_hits = np.linspace(*hits.RANGE, hits.TABLES.shape[1])
    t = -scipy.special.ndtri_exp(-np.exp(log_hits))
    below, density = scipy.stats.norm.cdf(t), scipy.stats.norm.pdf(t)
    expected = np.stack([t, np.log(t * below + density), np.log((1 + t**2) * below + t * density)])
    np.testing.assert_allclose(hits.TABLES, expected, rtol=1e-6, atol=1e-7)


def test_many_hits_have_the_variance_of_a_poisson_number_of_exponential_hits():
    """A Poisson number of exponential hits has variance 2 mu eps, and this skewness: 3 / sqrt(2 hits)."""
    values = energy(np.random.default_rng(0).normal(size=1_000_000), 6.0, 0.0, 0.0)
    expected = np.exp(6.0)
    assert values.var() == pytest.approx(2 * expected, rel=0.06)
    assert scipy.stats.skew(values) == pytest.approx(3 / np.sqrt(2 * expected), rel=0.3)


@pytest.mark.parametrize("case", CASES)
def test_likelihood_is_a_probability(case):
    """The density integrates to one with P(0), and is that of the energies drawn."""
    silent = float(jnp.exp(hits.log_likelihood(*map(jnp.float32, (0.0, *case)))))
    middle, top = energy([1.0, 8.0], *case) + 1e-3
    grid = np.linspace(0, 1, 20_001)
    integral = lambda edge, power: np.trapezoid(
        np.exp(hits.log_likelihood(*np.broadcast_arrays(np.float32(edge * grid**power), *map(np.float32, case))))
        * edge * power * grid ** (power - 1), grid)  # e = edge s^power, finer near silence
    below, above = integral(middle, 3), integral(top, 3) - integral(middle, 3)
    assert silent + below + above == pytest.approx(1, abs=0.01)
    if energy(1.0, *case) > 0:
        assert silent + below == pytest.approx(scipy.stats.norm.cdf(1.0), abs=0.01)


def test_a_fitted_spectrum_is_undone_and_its_derivative_known():
    """Of energies within its range and beyond both ends; where hits are many, no energy changes."""
    rng = np.random.default_rng(0)
    log_eps, log_slopes = rng.normal(-1, 0.3, 2_000), rng.normal(0, 0.4, hits.KNOTS)
    energy = np.exp(np.sort(rng.uniform(-11, 5, 2_000)) + log_eps)
    given = [array.astype("f4") for array in (energy, log_eps, log_slopes)]
    changed = hits.shaped(*given)
    many = np.log(energy) - log_eps > hits.SHAPED[1]
    np.testing.assert_array_equal(changed[many], given[0][many])
    assert np.median(np.abs(np.log(changed / energy))[~many]) > 0.1
    back, log_derivative = hits.unshaped(changed, *given[1:])
    np.testing.assert_allclose(back, energy, rtol=1e-5)
    slope = jax.vmap(jax.grad(hits.shaped), (0, 0, None))(*given)
    np.testing.assert_allclose(np.log(slope), -log_derivative, atol=1e-4)
    same = hits.shaped(*given[:2], np.zeros(hits.KNOTS, "f4"))
    np.testing.assert_allclose(same, energy, rtol=1e-5)


def test_the_likelihood_of_a_fitted_spectrum_is_a_probability():
    """Rare hits, whose density integrates to one with that of silence after the change of their spectrum, too."""
    case = [np.float32(value) for value in (-2.0, -0.5, 0.3)]
    log_slopes = jnp.asarray(np.random.default_rng(1).normal(0, 0.4, hits.KNOTS), jnp.float32)
    energy = np.exp(np.linspace(-16, 4, 40_001)).astype("f4")
    alone, density = hits.unshaped(energy, np.broadcast_to(case[1], energy.shape), log_slopes)
    likelihood = hits.log_likelihood(alone, *(jnp.full_like(alone, value) for value in case)) + density
    silent = float(jnp.exp(hits.log_likelihood(*map(jnp.float32, (0.0, *case)))))
    assert silent + np.trapezoid(np.exp(likelihood), energy) == pytest.approx(1, abs=0.005)


def test_neighbours_share_noise():
    """Variance one in every cell; covariances as the sum over the shared draws: 2 w0 + 4 w0 w1 beside, to unit norm."""
    w0, w1 = weights = np.array([0.2, 0.1])
    n = np.asarray(hits.correlated(jax.random.normal(jax.random.key(0), (40_000, 6, 6)), weights))
    norm = 1 + 4 * w0**2 + 4 * w1**2
    np.testing.assert_allclose(n.var(axis=0), 1, atol=0.04)
    beside, corner, far = ((n * np.roll(n, steps, (1, 2))).mean() for steps in ((0, 1), (1, 1), (3, 3)))
    assert beside == pytest.approx((2 * w0 + 4 * w0 * w1) / norm, abs=0.003)
    assert corner == pytest.approx((2 * w1 + 2 * w0**2) / norm, abs=0.003)
    assert far == pytest.approx(0, abs=0.003)
    np.testing.assert_array_equal(hits.correlated(n, np.zeros(2)), n)


def test_neighbours_share_noise_by_their_hits():
    """Constant rows give the weights alone; otherwise each cell takes those of its own hits, with variance one."""
    n = np.asarray(jax.random.normal(jax.random.key(0), (40_000, 6, 6)))
    log_hits = np.broadcast_to(np.where(np.arange(6) < 3, -8.0, 4.0)[:, None], n.shape).astype("f4")
    rows = np.array([[0.2, 0, 0], [0.1, 0, 0]])
    np.testing.assert_allclose(hits.correlated(n, rows, log_hits), hits.correlated(n, rows[:, 0]), atol=1e-5)
    rare, many = np.tanh(-2), np.tanh(1)
    rows = np.array([[0.1, -0.1, 0.05], [0.0, 0.0, 0.0]])
    shared = np.asarray(hits.correlated(n, rows, log_hits))
    np.testing.assert_allclose(shared.var(axis=0), 1, atol=0.04)
    for row, u in ((1, rare), (4, many)):
        w = 0.1 - 0.1 * u + 0.05 * u**2
        covariance = (shared[:, row, 2] * shared[:, row, 3]).mean()
        assert covariance == pytest.approx(2 * w / (1 + 4 * w**2), abs=0.02)


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.5, 2 / 3])
@pytest.mark.parametrize("s, t", [(-3.5, -3.5), (-3.0, -3.0), (-2.0, -2.5), (0.0, 1.0), (-1.0, 2.0), (3.0, 3.0)])
def test_both_lit_is_scipys_normal_probability(s, t, correlation):
    expected = scipy.stats.multivariate_normal.cdf([s, t], cov=[[1, correlation], [correlation, 1]])
    assert float(hits.both_lit(*map(jnp.float32, (s, t, correlation)))) == pytest.approx(expected, rel=1e-3)


LOG_SHARES = scipy.special.logit(2 * np.linspace(0.4, 0.05, hits.SHARES)).astype("f4")
"""Parameters of `sharing` whose weights fall from 0.4 at the lowest knot to 0.05 at the highest."""


def test_sharing_is_linear_between_its_knots():
    t = np.array([-9.0, -3.5, -1.25, 1.0, 9.0], "f4")
    np.testing.assert_allclose(hits.sharing(t, LOG_SHARES), [0.4, 0.4, 0.225, 0.05, 0.05], rtol=1e-5)


@pytest.mark.parametrize("shape", [(6, 6), (4, 4, 2)])
@pytest.mark.parametrize("hits_of_a_cell", [0.01, 1.0])
def test_cells_beside_each_other_share_noise_the_more_the_rarer_their_hits(shape, hits_of_a_cell):
    """Variance one everywhere, and the correlation 2 a / (1 + 4 a^2) beside, none between layers."""
    log_hits = jnp.full((20_000, *shape), np.log(hits_of_a_cell), jnp.float32)
    n = np.asarray(hits.shared(jax.random.normal(jax.random.key(0), log_hits.shape), log_hits, LOG_SHARES))
    t = scipy.stats.norm.ppf(-np.expm1(-hits_of_a_cell))
    a = np.interp(t, [-3.5, 1.0], [0.4, 0.05])
    np.testing.assert_allclose(n.var(axis=0), 1, atol=0.06)
    for axis in (1, 2):
        assert (n * np.roll(n, 1, axis)).mean() == pytest.approx(2 * a / (1 + 4 * a**2), abs=0.006)
    if len(shape) == 3:
        assert (n[..., 0] * n[..., 1]).mean() == pytest.approx(0, abs=0.006)


def test_pairs_of_lit_cells_have_one_of_four_probabilities():
    """Those of a row of two cells add up to one, and cells that no hit reaches do not count."""
    log_hits = jnp.broadcast_to(jnp.log(jnp.array([[0.1], [2.0]])), (4, 2, 1))
    lit = jnp.array([[[False], [False]], [[False], [True]], [[True], [False]], [[True], [True]]])
    chance = jnp.exp(hits.shared_log_likelihood(lit, log_hits, LOG_SHARES))
    assert float(chance.sum()) == pytest.approx(1, abs=1e-5)
    assert float(chance[2:].sum()) == pytest.approx(-np.expm1(-0.1), rel=1e-4)
    np.testing.assert_array_equal(hits.shared_log_likelihood(lit, log_hits - 20, LOG_SHARES), 0)


def test_pairs_are_likeliest_with_the_noise_that_they_share():
    """More likely than with weights that are smaller or larger by a third, at all expected numbers of hits."""
    rng = np.random.default_rng(0)
    log_hits = jnp.asarray(np.broadcast_to(rng.uniform(-3, 0.5, (2_000, 1, 1)), (2_000, 8, 8)), jnp.float32)
    n = hits.shared(jax.random.normal(jax.random.key(1), log_hits.shape), log_hits, LOG_SHARES)
    lit = hits.cell_energy(n, log_hits, 0 * log_hits, 0 * log_hits) > 0
    of_factor = lambda factor: scipy.special.logit(np.minimum(factor * scipy.special.expit(LOG_SHARES), 0.99))
    less, true, more = (hits.shared_log_likelihood(lit, log_hits, of_factor(factor).astype("f4"))
                        for factor in (2 / 3, 1, 4 / 3))
    rare = np.asarray(log_hits[:, 0, 0]) < -1.5
    for some in (rare, ~rare):
        assert true[some].sum() > max(less[some].sum(), more[some].sum()) + 3


def test_noise_shared_with_the_layers_before_and_behind():
    """With weights of 0.3 along z alone, neighbours in depth have the correlation 2 w / (1 + 2 w^2)."""
    n = np.asarray(hits.correlated(jax.random.normal(jax.random.key(0), (10_000, 3, 3, 6)), np.array([0, 0, 0.3])))
    np.testing.assert_allclose(n.var(axis=0), 1, atol=0.08)
    behind, beside = ((n * np.roll(n, 1, axis)).mean() for axis in (3, 1))
    assert behind == pytest.approx(0.6 / (1 + 2 * 0.09), abs=0.005) and beside == pytest.approx(0, abs=0.005)


def test_single_hits_are_those_of_geant4(showers):
    """Far from the track hits are rare: log e of lit cells has the deviation of one hit's spectrum."""
    r0 = np.asarray(reference_point(showers.momentum, showers.point, SHASHLIK)) / 2.02
    x, y = (np.arange(30) - 14.5 - r0[:, axis, None] for axis in (0, 1))
    far = np.hypot(x[:, :, None], y[:, None, :]) > 8
    lit = showers.energy[far & (showers.energy > 0)]
    ours = energy(np.random.default_rng(1).normal(size=4_000_000), np.log(0.55) - 3, np.log(0.55), 0.0)
    ours = ours[ours > 0]
    assert len(lit) > 1_000
    assert np.log(lit).std() == pytest.approx(np.log(ours).std(), rel=0.06)
    assert np.median(lit) / lit.mean() == pytest.approx(np.median(ours) / ours.mean(), rel=0.1)


def test_gradients_are_finite_everywhere():
    log_mu = jnp.array([-20.0, -5.0, 0.0, 5.0, 15.0])
    for n in (-5.0, 0.0, 5.0):
        gradient = jax.grad(lambda m, n=n: hits.cell_energy(jnp.full(5, n), m, m * 0, m * 0).sum())(log_mu)
        assert np.isfinite(gradient).all()
    for value in (0.0, 1e-6, 1e4):
        gradient = jax.grad(lambda m, e=value: hits.log_likelihood(jnp.full(5, e), m, m * 0, m * 0).sum())(log_mu)
        assert np.isfinite(gradient).all()
