"""The energy in a cell as the sum of a Poisson number of hits, in a form that can be sampled and differentiated.

Away from the axis a cell's energy is compound Poisson: the number of charged tracks through it is Poisson, and each
track deposits about eps = 0.6 MeV from one spectrum, at every incident energy and distance. (Nearer the axis tracks
come in bundles, so the prior fits eps and kappa to each cell.) With n ~ N(0, 1),

    y = max(0, t + n),  e = mu (y + kappa y^2) / E[y + kappa y^2],  P(e = 0) = Phi(-t) = exp(-mu / eps)

has the mean mu and the share of silent cells exactly. With kappa = 1 the distribution is close to that of single hits
where hits are rare (a standard deviation of log e of 1.4, as in Geant4). Where hits are many it has their variance
2 mu eps and their skewness. kappa changes the spectrum where cells fluctuate together.
"""
import math
import statistics

import jax.numpy as jnp
import numpy as np
from jax import lax, nn
from jax.scipy.stats import norm

RANGE = (-14.0, 12.0)
"""Range of log(mu / eps), the log of the expected number of hits; beyond it t stays constant."""
STEPS = 32
"""Points of the tables per unit of log(mu / eps)."""
SHAPED, SHAPED_STEP = (-8.0, 2.0), 0.4
"""Range of log(e / eps) in which `shaped` changes energies, and the distance of its knots."""
KNOTS = round((SHAPED[1] - SHAPED[0]) / SHAPED_STEP)
"""Number of knots of `shaped` below the upper end of that range."""
SHARED, SHARED_STEP = (-3.5, 1.0), 0.5
"""Range of t, with Phi(t) the probability of a lit cell, in which `sharing` changes, and the distance of its knots."""
SHARES = round((SHARED[1] - SHARED[0]) / SHARED_STEP) + 1
"""Number of knots of `sharing`."""
START = -2.5
"""Value of the parameters of `sharing` before they are fitted; a is 0.04 then."""
SERIES = 16
"""Terms of the series in `both_lit`; its relative error is below 1e-3 for correlations to 2/3 and |s|, |t| to 3.5."""
TINY = 1e-9
"""MeV; smaller energies are taken for it where their logarithm is needed."""
MANY = 600
"""Number of hits from which exp(-hits) is too close to the smallest number of float64."""


def cell_energy(n, log_mu, log_eps, log_kappa):
    """The energy of cells, MeV, from normal noise; all arrays have one shape.

    Args:
      n: N(0, 1).
      log_mu: log of the expected energy, MeV.
      log_eps: log of the mean energy of a hit, MeV.
      log_kappa: log of kappa.
    """
    t, first, second = _tables(log_mu - log_eps)
    kappa, y = jnp.exp(log_kappa), jnp.maximum(t + n, 0)
    return jnp.exp(log_mu) * (y + kappa * y**2) / (first + kappa * second)


def shaped(energy, log_eps, log_slopes):
    """Energies of `cell_energy` with the spectrum of a single hit that was fitted to the showers.

        log(e / eps) = f(log(e' / eps)),  e' the result

    The slope of f is linear between knots, and f is the same for all cells. It is the identity above SHAPED, where hits
    are many. A thin layer needs it: there a single track leaves a most probable energy, which the form of `cell_energy`
    lacks.

    Args:
      energy: MeV, and `log_eps` of one shape with it.
      log_slopes: `[KNOTS]`, log of the slope of f at each knot; with zeros every energy stays as it is.
    """
    places, values, slopes = _knots(log_slopes)
    x = jnp.log(jnp.maximum(energy, TINY)) - log_eps
    reached = x[..., None] >= jnp.expand_dims(values[1:-1], tuple(range(x.ndim)))
    knot = jnp.sum(reached, axis=-1, dtype=jnp.int32)
    distance, slope, bend = x - values[knot], slopes[knot], (slopes[knot + 1] - slopes[knot]) / SHAPED_STEP
    root = jnp.sqrt(jnp.maximum(slope**2 + 2 * bend * distance, TINY))
    inside = places[knot] + jnp.where(distance > 0, 2 * distance / (slope + root), distance / slope)
    return energy * jnp.exp(jnp.where(x < SHAPED[1], inside - x, 0))


def unshaped(energy, log_eps, log_slopes):
    """The inverse of `shaped`: energies of `cell_energy`, and log of their derivative by the energies given."""
    places, values, slopes = _knots(log_slopes)
    x = jnp.log(jnp.maximum(energy, TINY)) - log_eps
    knot = jnp.clip(((x - SHAPED[0]) / SHAPED_STEP).astype(jnp.int32), 0, KNOTS - 1)
    distance = x - places[knot]
    bend = jnp.where(distance > 0, (slopes[knot + 1] - slopes[knot]) / SHAPED_STEP, 0)
    moved = jnp.where(x < SHAPED[1], values[knot] + slopes[knot] * distance + bend * distance**2 / 2 - x, 0)
    slope = jnp.where(x < SHAPED[1], slopes[knot] + bend * distance, 1)
    return energy * jnp.exp(moved), moved + jnp.log(slope)


def _knots(log_slopes):
    """Places of the knots, values of f there and its slopes: `[KNOTS + 1]` each; at the last one f is the identity."""
    places, slopes = SHAPED[0] + SHAPED_STEP * jnp.arange(KNOTS + 1), jnp.append(jnp.exp(log_slopes), 1)
    steps = SHAPED_STEP * (slopes[1:] + slopes[:-1]) / 2
    return places, jnp.append(SHAPED[1] - jnp.cumsum(steps[::-1])[::-1], SHAPED[1]), slopes


def correlated(n, weights, log_hits=None):
    """Noise that neighbouring cells share, as tracks between them light both; still N(0, 1) in each cell.

        n'_i = (n_i + w_0 sum_beside n_j + w_1 sum_at corners n_j) / sqrt(1 + 4 w_0^2 + 4 w_1^2)

    with the four cells beside i and the four at its corners, the left edge lying beside the right one. Where the cells
    are read out in depth, w_2 sum n_j of the two cells before and behind i is added, and 2 w_2^2 below the root.

    One track lights neighbours where hits are rare, and neighbours forget each other where many tracks add up. So the
    weights may depend on the expected number of hits h of cell i: w_k = a_k + b_k u + c_k u^2, u = tanh(log(h) / 4).

    Args:
      n: `[N, nx, ny]` or `[N, nx, ny, nz]`, independent N(0, 1).
      weights: `[2]`, w_0 and w_1, or `[3]` with w_2; with `log_hits` `[2, 3]` or `[3, 3]`, a row (a_k, b_k, c_k) each.
      log_hits: log of the expected number of hits, of one shape with n.
    """
    if log_hits is not None:
        u = jnp.tanh(log_hits / 4)
        weights = [a + b * u + c * u**2 for a, b, c in weights]
    shared = n + weights[0] * _beside(n) + weights[1] * _across(n)
    variance = 1 + 4 * (weights[0]**2 + weights[1]**2)
    if n.ndim == 4:
        shared += weights[2] * sum(jnp.roll(n, step, 3) for step in (-1, 1))
        variance += 2 * weights[2]**2
    return shared * lax.rsqrt(variance)


def shared(n, log_hits, shares, corners=None):
    """Noise that neighbouring cells share, the more the rarer their hits; still N(0, 1) in each cell.

        n'_i = (n_i + a_i sum_beside n_j + c_i sum_at corners n_j) / sqrt(1 + 4 a_i^2 + 4 c_i^2)

    with a_i = a(t_i) and c_i = c(t_i) of `sharing`, the four cells beside i in its layer and the four at its corners,
    the left edge lying beside the right one. A track lights some neighbours of a cell together with it, as often far
    from the axis as near it. So the noise of rare hits is correlated most.

    Args:
      n: `[N, nx, ny]` or `[N, nx, ny, nz]`, independent N(0, 1).
      log_hits: log of the expected number of hits, of one shape with n.
      shares: `[SHARES]`, fitted by `shared_log_likelihood`.
      corners: the same for the cells at corners; without it c = 0.
    """
    t = _tables(log_hits)[0]
    beside = sharing(t, shares)
    together, variance = n + beside * _beside(n), 1 + 4 * beside**2
    if corners is not None:
        across = sharing(t, corners)
        together, variance = together + across * _across(n), variance + 4 * across**2
    return together * lax.rsqrt(variance)


def _beside(n):
    """The sum of the four cells beside each, the left edge lying beside the right one."""
    return sum(jnp.roll(n, step, axis) for step in (-1, 1) for axis in (1, 2))


def _across(n):
    """The sum of the four cells at the corners of each, the left edge lying beside the right one."""
    return sum(jnp.roll(n, steps, (1, 2)) for steps in ((-1, -1), (-1, 1), (1, -1), (1, 1)))


def sharing(t, shares):
    """The weight a(t) of the noise of cells beside a cell, from 0 to 0.5: linear in t between the knots."""
    place, weights = jnp.clip((t - SHARED[0]) / SHARED_STEP, 0, SHARES - 1), 0.5 * nn.sigmoid(shares)
    return sum(weights[knot] * jnp.maximum(0, 1 - jnp.abs(place - knot)) for knot in range(SHARES))


def shared_log_likelihood(lit, log_hits, shares, corners=None):
    """log p of which neighbouring cells are lit, summed over all pairs in the layers of a shower: `[N]`.

    The sum is the composite likelihood of pairs (Lindsay 1988, Contemporary Mathematics 80, 221). It is for fitting
    `shares` and `corners`: the expected hits are held, and pairs with a cell of t below SHARED are left out. With
    `corners` cells at corners are pairs, too.

    Args:
      lit: `[N, nx, ny]` or `[N, nx, ny, nz]`, whether there is energy.
      log_hits: log of the expected number of hits, of one shape with `lit`.
      shares, corners: the parameters of `shared`.
    """
    t = lax.stop_gradient(_tables(log_hits)[0])
    counted, t = t > SHARED[0], jnp.clip(t, SHARED[0], -SHARED[0])
    weights = sharing(t, shares), sharing(t, corners) if corners is not None else jnp.zeros_like(t)
    single, total = norm.cdf(t), 0.0
    for first, second, diagonal in _pairs(corners is not None):
        (a, c), (b, d) = ([place(weight) for weight in weights] for place in (first, second))
        covariance = c + d + 2 * a * b if diagonal else a + b + 2 * (a * d + c * b)
        correlation = covariance * lax.rsqrt((1 + 4 * (a**2 + c**2)) * (1 + 4 * (b**2 + d**2)))
        (p, q), both = (first(single), second(single)), both_lit(first(t), second(t), correlation)
        chance = jnp.where(first(lit), jnp.where(second(lit), both, p - both),
                           jnp.where(second(lit), q - both, 1 - p - q + both))
        counts = first(counted) & second(counted)
        total += jnp.where(counts, jnp.log(jnp.maximum(chance, TINY)), 0).sum(tuple(range(1, t.ndim)))
    return total


def _pairs(diagonals):
    """(cells -> the first of each pair, cells -> the second, whether they lie across a corner), a row a direction."""
    before, after, every = slice(None, -1), slice(1, None), slice(None)
    directions = [((before, every), (after, every)), ((every, before), (every, after))]
    across = [((before, before), (after, after)), ((after, before), (before, after))]
    return [(lambda x, at=first: x[:, *at], lambda x, at=second: x[:, *at], (first, second) in across)
            for first, second in directions + across * diagonals]


def both_lit(s, t, correlation):
    """Phi_2(s, t; rho): the probability that two cells are lit whose noise has a correlation rho from 0 to 2/3.

        Phi(s) Phi(t) + phi(s) phi(t) sum_k rho^k He_(k-1)(s) He_(k-1)(t) / k!

    Source: Mehler's series, integrated; Kendall 1941, Biometrika 32, 196.
    """
    before, here = (0.0, 0.0), (1.0, 1.0)
    power, series = 1.0, 0.0
    for k in range(1, SERIES + 1):
        power = power * correlation / k
        series += power * here[0] * here[1]
        before, here = here, tuple(x * now - (k - 1) * old for x, now, old in zip((s, t), here, before, strict=True))
    return norm.cdf(s) * norm.cdf(t) + norm.pdf(s) * norm.pdf(t) * series


def log_likelihood(energy, log_mu, log_eps, log_kappa):
    """log p of cell energies, MeV: log P(0) where silent, log density elsewhere; all arrays have one shape."""
    t, first, second = _tables(log_mu - log_eps)
    kappa = jnp.exp(log_kappa)
    scale = (first + kappa * second) * jnp.exp(-log_mu)
    u = jnp.maximum(energy, TINY) * scale
    root = jnp.sqrt(1 + 4 * kappa * u)
    hit = norm.logpdf(2 * u / (1 + root) - t) + jnp.log(scale) - jnp.log(root)
    return jnp.where(energy > 0, hit, norm.logcdf(-t))


def _tables(log_hits):
    """t, with Phi(-t) = exp(-hits), E[y] and E[y^2]; their logs are interpolated linearly in `TABLES`."""
    position = jnp.clip((log_hits - RANGE[0]) * STEPS, 0, TABLES.shape[1] - 1.001)
    index = position.astype(jnp.int32)
    between = lambda low, high: low + (position - index) * (high - low)
    t, log_first, log_second = (between(table[index], table[index + 1]) for table in map(jnp.asarray, TABLES))
    return t, jnp.exp(log_first), jnp.exp(log_second)


def _make_tables():
    """`TABLES`, in float64 first; the standard library has what they need, and SciPy takes long to import."""
    hits = np.exp(np.linspace(*RANGE, int((RANGE[1] - RANGE[0]) * STEPS) + 1))
    t = np.array([_threshold(number) for number in hits])
    below = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in t])
    density = np.exp(-t**2 / 2) / math.sqrt(2 * math.pi)
    return np.stack([t, np.log(t * below + density), np.log((1 + t**2) * below + t * density)]).astype(np.float32)


def _threshold(hits):
    """t, with Phi(-t) = exp(-hits)."""
    if hits < math.log(2):
        return statistics.NormalDist().inv_cdf(-math.expm1(-hits))
    if hits < MANY:
        return -statistics.NormalDist().inv_cdf(math.exp(-hits))
    t = math.sqrt(2 * hits)
    for _ in range(6):  # steps of Newton's method on log Phi(-t) = log density(t) + log ratio
        ratio = _mills_ratio(t)
        t += ratio * (hits - t**2 / 2 - math.log(2 * math.pi) / 2 + math.log(ratio))
    return t


def _mills_ratio(t):
    """Phi(-t) over the density at t, for t far above 1: 1 / (t + 1 / (t + 2 / (t + 3 / ...)))."""
    below = t
    for term in range(50, 0, -1):
        below = t + term / below
    return 1 / below


TABLES = _make_tables()
"""`[3, points]`: t, log E[y] and log E[y^2] over `RANGE`."""
