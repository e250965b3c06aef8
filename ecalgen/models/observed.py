"""Observables as a network sees them: differentiable, seen from the octant, and whitened given the particle."""
import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ecalgen.data.observables import OBSERVABLES, SPARSITY_THRESHOLDS
from ecalgen.data.showers import conditions, incident_energy, reference_point, slopes

SEEN = ("longitudinal_asymmetry", "transverse_asymmetry", "longitudinal_width", "transverse_width", "delta_x",
        "delta_y", "ring_energies", "visible_fraction", "sparsity")
"""The observables that networks see, in the order of their columns. Trained weights belong to these columns, so a new
observable in `OBSERVABLES` does not join them."""
CHUNK = 1_000
"""Showers whose observables are computed at once."""
DEGREES = {"mean": 4, "log_std": 2}
"""Of the polynomials in the incident particle."""
LIMIT = 6.0
"""Deviations beyond which a whitened observable grows like a logarithm only."""
FLOOR = 0.03
"""Smallest deviation, in those of one observable, of a combination of them that whitening resolves."""
CONDITION = 1e-4
"""Smallest singular value, over the largest, that a fit of terms resolves: terms nearly depend on each other, and with
smaller ones coefficients grow until float32 loses their sum."""


NORMAL = 1e-3
"""Slope that turns n towards x near normal incidence, and there only. In the octant, where px >= 0, never against the
track: no particle is without n."""


def incident_vector(momentum, point):
    """(log E, px/pz, py/pz, x0, y0, nx, ny), each of order one: `[N, 3]` GeV, `[N, 2]` cm -> `[N, 7]`.

    As `conditions`, with the point where the track crosses the reference plane, uniform in a square of 2.02 cm, and
    the direction n along which observables are taken: near normal incidence no polynomial of the slopes follows it.
    """
    return jnp.concatenate([conditions(momentum, point)[:, :3], reference_point(momentum, point) / 0.583,
                            azimuth(slopes(momentum))], axis=1)


def azimuth(slope):
    """n = slope / |slope|, of length one at normal incidence, too, where it is along x: `[N, 2]` -> `[N, 2]`."""
    square = lambda slope: jnp.sum(slope**2, axis=1, keepdims=True)
    near = jnp.exp(-square(slope / (3 * NORMAL)))
    turned = slope + near * jnp.array([[NORMAL, 0.0]], slope.dtype)
    return turned / jnp.sqrt(square(turned) + NORMAL**2 * (1.01 - near))


UNITS = {"none": lambda relative: jnp.ones_like(relative), "root": jnp.sqrt, "energy": lambda relative: relative}
"""Name -> unit of cells from E / 10 GeV: none; its root, for the `sqrt` transform; itself, for energy fractions."""


def energy_unit(name, momentum):
    """One of `UNITS`, in which cells are alike at all energies: `[N, 3]` GeV -> `[N, 1, 1]`."""
    return UNITS[name](incident_energy(momentum) / 10)[:, None, None]


def seen_observables(energy, momentum, point):
    """The observables as columns `[N, 31]`, rings as shares of S, with a gradient for all of them.

    Sparsities count cells, which has none: the value is the count, the gradient that of `counted`.
    """
    total = energy.sum((1, 2))[:, None]
    total = jnp.where(total > 0, total, 1)
    columns = {name: OBSERVABLES[name](energy, momentum, point) for name in SEEN if name != "sparsity"}
    columns["ring_energies"] /= total
    share = (energy / total[..., None]).reshape(energy.shape[0], 1, -1)
    columns["sparsity"] = jnp.mean(counted(share / SPARSITY_THRESHOLDS[None, :, None].astype(share.dtype)), axis=2)
    return jnp.concatenate([value.reshape(energy.shape[0], -1) for value in columns.values()], axis=1)


@jax.custom_jvp
def counted(u):
    """Is u >= 1? 1 or 0, with the gradient of u^2 / (1 + u^2).

    A critic that is shown u^2 / (1 + u^2) itself sees counts blurred; one that is shown a steeper step sees them
    better, and trains a worse generator ("steeper sparsity" in experiments/results/anchored_pilots.json).

    Source: the straight-through estimator of Bengio, Leonard and Courville 2013, arXiv:1308.3432.
    """
    return (u >= 1).astype(u.dtype)


@counted.defjvp
def _counted_jvp(primals, tangents):
    (u,), (change,) = primals, tangents
    return counted(u), 2 * u / (1 + u**2)**2 * change


class Whitening(nn.Module):
    """w = (o - mean(c)) / std(c) of observables o given the particle, rotated to be uncorrelated; 6 asinh(w / 6).

    Mean and log std are `expansion`s of fourth and second order: shares of rings and asymmetries hang strongly on where
    in its cell the track passes, and near normal incidence on which way it leans. The parameters are those of
    `fit_whitening`, never trained. The inverse hyperbolic sine tames outliers and leaves them a gradient, without which
    they drift off unpunished ("half rates, long" in experiments/results/anchored_pilots.json).
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
    factors = np.array(list(itertools.combinations_with_replacement(range(one.shape[1]), degree)), int)
    return jnp.prod(one[:, factors], axis=-1)


def fit_whitening(energy, momentum, point):
    """Parameters of `Whitening` from real showers, by least squares in float64: `[N, 30, 30]`, `[N, 3]`, `[N, 2]`."""
    columns = [_columns(*(array[first:first + CHUNK] for array in (energy, momentum, point)))
               for first in range(0, len(energy), CHUNK)]
    values, *terms = (np.concatenate(parts).astype(np.float64) for parts in zip(*columns, strict=True))
    fit = lambda terms, target: np.linalg.lstsq(terms, target, rcond=CONDITION)[0]
    mean = fit(terms[0], values)
    residual = values - terms[0] @ mean
    log_std = fit(terms[1], np.log(np.abs(residual) + 0.1 * residual.std(axis=0) + 1e-12))
    log_std[0] += np.log((residual * np.exp(-(terms[1] @ log_std))).std(axis=0) + 1e-12)
    variances, axes = np.linalg.eigh(np.cov((residual * np.exp(-(terms[1] @ log_std))).T))
    rotation = axes / np.sqrt(np.maximum(variances, FLOOR**2))
    return {name: jnp.asarray(array, jnp.float32)
            for name, array in dict(mean=mean, log_std=log_std, rotation=rotation).items()}


@jax.jit
def _columns(energy, momentum, point):
    given = incident_vector(momentum, point)
    return seen_observables(energy, momentum, point), *(expansion(given, degree) for degree in DEGREES.values())
