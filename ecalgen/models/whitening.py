"""Whitening: observables in standard deviations from their mean given the particle, and uncorrelated."""
import functools
import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ecalgen.machine.chunks import mapped
from ecalgen.models.observed import seen_observables
from ecalgen.models.particle import incident_vector

CHUNK = 125
"""Showers whose observables are computed at once."""
DEGREES = {"mean": 4, "log_std": 2}
"""Degrees of the polynomials in the incident particle; of few showers, those of lower degrees are fitted alone."""
SHOWERS_PER_TERM = 8
"""Least number of showers for each term that is fitted. A polynomial with nearly as many terms as there are showers
follows each of them: then real showers look whiter than equally good generated ones."""
LIMIT = 6.0
"""Standard deviations beyond which a whitened observable grows only like a logarithm."""
FLOOR = 0.03
"""Smallest standard deviation that whitening resolves, of a combination of observables in units of their own."""
CONSTANT = 1e-6
"""Standard deviation, over the largest value, at or below which an observable is constant: what varies is rounding. It
stays in its own unit."""
CONDITION = 1e-4
"""Smallest singular value, over the largest, that a fit of terms resolves. The terms are nearly linearly dependent.
With smaller singular values coefficients grow until float32 loses their sum."""


class Whitening(nn.Module):
    """w = (o - mean(c)) / std(c) of observables o given the particle, rotated to be uncorrelated; 6 asinh(w / 6).

    Mean and log std are `expansion`s of fourth and second order. Shares of rings and asymmetries depend strongly on
    where in its cell the track passes, and near normal incidence on the direction of its slope. The parameters are
    those of `fit_whitening`, and are never trained. The inverse hyperbolic sine bounds the influence of outliers and
    leaves them a gradient. Without that gradient, generated outliers drift away and no loss penalises them ("half
    rates, long" in experiments/results/anchored_pilots.json).
    """

    @nn.compact
    def __call__(self, values, given):
        """`values [N, F]` of particles `given [N, 7]` -> `[N, F]`."""
        width = values.shape[1]
        expected = {}
        for name, degree in DEGREES.items():
            terms = expansion(given, degree)
            fitted = self.param(name, nn.initializers.zeros, (terms.shape[1], width))
            expected[name] = terms @ lax.stop_gradient(fitted)
        rotation = lax.stop_gradient(self.param("rotation", nn.initializers.orthogonal(), (width, width)))
        standard = (values - expected["mean"]) * jnp.exp(-expected["log_std"])
        return LIMIT * jnp.arcsinh(standard @ rotation / LIMIT)


def expansion(given, degree):
    """Terms of `incident_vector`s `[N, 7]`: a polynomial of the first five entries, and n times one a degree lower."""
    smooth, n = given[:, :5], given[:, 5:]
    products = n[:, :, None] * polynomial(smooth, degree - 1)[:, None]
    return jnp.concatenate([polynomial(smooth, degree), products.reshape(given.shape[0], -1)], axis=1)


def polynomial(given, degree):
    """All products of at most `degree` entries: `[N, C]` -> `[N, (C + degree choose degree)]`."""
    one = jnp.concatenate([jnp.ones_like(given[:, :1]), given], axis=1)
    return jnp.prod(one[:, _factors(one.shape[1], degree)], axis=-1)


def _factors(channels, degree):
    """Indices of the factors of each product: `[(channels - 1 + degree choose degree), degree]`."""
    return np.array(list(itertools.combinations_with_replacement(range(channels), degree)), int)


def orders(degree):
    """The order of each term of `expansion`: 0 for the constant, and for n times a product one more than its own."""
    count = lambda degree: [sum(factor > 0 for factor in factors) for factors in _factors(6, degree)]
    return np.array(count(degree) + 2 * [order + 1 for order in count(degree - 1)])


def fit_terms(terms, target, degree):
    """Coefficients of an `expansion` by least squares; 0 for the orders for whose terms the showers are too few.

    Args:
      terms: `[N, T]`, the expansion.
      target: `[N, F]`.
      degree: of the expansion.

    Returns:
      `[T, F]`.
    """
    order = orders(degree)
    enough = [highest for highest in range(degree + 1)
              if SHOWERS_PER_TERM * (order <= highest).sum() <= len(terms)]
    fitted, found = order <= max(enough, default=0), np.zeros((len(order), target.shape[1]))
    found[fitted] = np.linalg.lstsq(terms[:, fitted], target, rcond=CONDITION)[0]
    return found


def fit_whitening(energy, momentum, point, domain, seen=seen_observables):
    """Parameters of `Whitening` from real showers, by least squares in float64.

    Args:
      energy, momentum, point: `[N, nx, ny]` MeV, `[N, 3]` GeV, `[N, 2]` cm.
      domain: of the showers.
      seen: (energy, momentum, point, grid) -> the columns to be whitened, `[N, F]`.
    """
    columns = lambda *rows: _columns(*rows, domain, seen)
    values, *terms = (array.astype(np.float64) for array in mapped(columns, CHUNK, energy, momentum, point))
    mean = fit_terms(terms[0], values, DEGREES["mean"])
    residual = values - terms[0] @ mean
    log_std = fit_terms(terms[1], np.log(np.abs(residual) + 0.1 * residual.std(axis=0) + 1e-12), DEGREES["log_std"])
    log_std[0] += np.log((residual * np.exp(-(terms[1] @ log_std))).std(axis=0) + 1e-12)
    log_std[:, residual.std(axis=0) <= CONSTANT * np.abs(values).max(axis=0)] = 0
    variances, axes = np.linalg.eigh(np.cov((residual * np.exp(-(terms[1] @ log_std))).T))
    rotation = axes / np.sqrt(np.maximum(variances, FLOOR**2))
    return {name: jnp.asarray(array, jnp.float32)
            for name, array in dict(mean=mean, log_std=log_std, rotation=rotation).items()}


def turned(whitening, other):
    """A whitening whose directions lie nearest to those of another one.

    A whitening w R Q whitens as well as w R, with any rotation Q. Here Q minimises the mean of |w R Q - w R'|^2 over
    showers that w R whitens: Q = U V^T from the singular values U s V^T of R^-1 R'.

    Source: the orthogonal Procrustes problem, Schönemann 1966, Psychometrika 31, 1.
    """
    ours, theirs = (np.asarray(params["rotation"], np.float64) for params in (whitening, other))
    left, _, right = np.linalg.svd(np.linalg.solve(ours, theirs))
    return whitening | {"rotation": jnp.asarray(ours @ left @ right, jnp.float32)}


@functools.partial(jax.jit, static_argnames="seen")
def _columns(energy, momentum, point, domain, seen):
    given = incident_vector(momentum, point, domain)
    terms = [expansion(given, degree) for degree in DEGREES.values()]
    return seen(energy, momentum, point, domain.grid), *terms
