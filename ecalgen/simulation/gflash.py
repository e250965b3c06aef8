"""The parametrised electromagnetic shower of Grindhammer and Peters, the classic fast simulation, in any `Calorimeter`.

Their fits to detailed simulations fix all parameters except the corrections of `Tuning` (hep-ex/0001020, formulae in
appendix A). A shower is a cloud of spots. Along the axis of the particle spots are gamma distributed, with a shape that
fluctuates from shower to shower. Across it they have a narrow core and a wide tail at each depth. The calorimeter is a
uniform block of the effective material of one layer; the paper's corrections account for absorber and active material.

Depths t are in radiation lengths X0, radii r in Moliere radii R_M, both of the effective material.

Two departures from the paper bring it nearer to Geant4. Spots have the distribution of the energy in depth. And each
spot has its own gamma distributed energy, where the paper draws the energy of an interval of depth. Sums of gamma
variables are gamma distributed, so an interval fluctuates as in the paper. A cell far from the axis holds a few spots
of one universal spectrum, as it holds a few hits in Geant4. Five fields of `Tuning` go beyond the
paper's formulae and are neutral by default: `spot_fano`, `tail_power`, `tail_log`, `weight_log` and `width_spread`.
"""
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import expit, gammainccinv, gammaincinv

from ecalgen.data.particles import check_particles, enters, harmless, scaled
from ecalgen.data.showers import incident_energy
from ecalgen.errors import UserError
from ecalgen.machine.chunks import in_chunks
from ecalgen.machine.seeds import check_first, make_key, shower_keys, words
from ecalgen.simulation.beam import PARTICLES
from ecalgen.simulation.calorimeter import SHASHLIK, Calorimeter
from ecalgen.simulation.material import Layer, effective_layer

CHUNK = 1024
"""Showers per call of the compiled function; the last chunk is padded to a power of two."""
BLOCK = 1 << 15
"""Spots made at once; their arrays stay in the cache of the processor."""
MOST_SPOTS = 1 << 20
"""Largest number of spots of a shower; beyond it (some TeV) each spot carries more energy."""
HELD = (0.03, 1e5)
"""Range of incident energies for the formulae, GeV; a shower below it has too few spots for their spectrum."""
CONVERSION = 9 / 7
"""Mean free path of a photon, X0."""


class Tuning(NamedTuple):
    """Corrections of the parametrisation for one calorimeter; the defaults, no corrections, are the paper itself.

    Args:
      response: factor on the visible share of the energy.
      resolution: factor on c, the sampling resolution, over that of counting minimum ionising crossings.
      spots: factor on the number of spots.
      spots_power: added to the power of E in the number of spots, 0.959.
      spot_fano: variance of the number of spots over its mean.
      maximum: factor on T, the depth of the maximum.
      maximum_offset: added to T, X0.
      alpha: factor on alpha, the shape of the longitudinal profile.
      spread: factor on the standard deviations of ln T and ln alpha.
      core: factor on the radius of the core.
      core_growth: added to its slope in tau, R_M.
      core_log: added to its slope in ln E, R_M.
      tail: factor on the radius of the tail.
      tail_power: q of the tail's f(r) = 2 q r R^2q / (r^2 + R^2)^(1 + q), 1 in the paper.
      weight: factor on the share of the core.
      weight_log: added to that share per ln(E / 10 GeV).
      tail_log: power of E / 10 GeV in the radius of the tail.
      width_spread: standard deviation of the log of a shower's radii at 1 GeV; it falls as 1 / sqrt(E).
    """

    response: float = 1.0
    resolution: float = 1.0
    spots: float = 1.0
    spots_power: float = 0.0
    spot_fano: float = 0.0
    maximum: float = 1.0
    maximum_offset: float = 0.0
    alpha: float = 1.0
    spread: float = 1.0
    core: float = 1.0
    core_growth: float = 0.0
    core_log: float = 0.0
    tail: float = 1.0
    tail_power: float = 1.0
    weight: float = 1.0
    weight_log: float = 0.0
    tail_log: float = 0.0
    width_spread: float = 0.0


PAPER = Tuning()
"""The paper's parametrisation without corrections."""
SHASHLIK_TUNING = Tuning(
    response=1.1211, resolution=1.0135, spots=1.9672, spots_power=0.1113, spot_fano=0.3386, maximum=1.0349,
    maximum_offset=-0.0107, alpha=0.9877, spread=0.9926, core=1.1891, core_growth=-0.0154, core_log=-0.0007,
    tail=1.1911, tail_power=1.2083, weight=0.9024, weight_log=-0.0017, tail_log=0.0056, width_spread=0.0393)
"""Fitted to Geant4 training showers of 1 to 100 GeV by `python -m experiments.checks.tune_gflash`."""


class Profile(NamedTuple):
    """The longitudinal shape of showers, each `[N]`.

    Args:
      maximum: T, X0.
      alpha: of the gamma distribution.
      centre: mean depth over T of the average shower.
      incident_energy: GeV.
    """

    maximum: jax.Array
    alpha: jax.Array
    centre: jax.Array
    incident_energy: jax.Array

    @property
    def beta(self):
        """Rate of the gamma distribution, per X0."""
        return (self.alpha - 1) / self.maximum


def draw_profile(tuning: Tuning, layer: Layer, incident_energy, normal) -> Profile:
    """ln T and ln alpha from their correlated normal distribution in a sampling calorimeter (A.2).

    Args:
      incident_energy: `[N]` GeV.
      normal: `[N, 2]`, N(0, 1).
    """
    log_y = jnp.log(1000 * incident_energy / layer.critical)
    homogeneous_maximum = jnp.maximum(log_y - 0.812, 0.1)
    homogeneous_alpha = 0.81 + (0.458 + 2.26 / layer.z) * log_y
    maximum = homogeneous_maximum - 0.55 / layer.frequency - 0.69 * (1 - layer.e_hat)
    mean_t = jnp.log(jnp.maximum(tuning.maximum * maximum + tuning.maximum_offset, 0.1))
    mean_a = jnp.log(jnp.maximum(tuning.alpha * (homogeneous_alpha - 0.476 / layer.frequency), 1.1))
    sigma_t = tuning.spread * _deviation(-2.5 + 1.25 * log_y)
    sigma_a = tuning.spread * _deviation(-0.82 + 0.79 * log_y)
    rho = jnp.clip(0.784 - 0.023 * log_y, -1, 1)
    common, opposite = jnp.sqrt((1 + rho) / 2) * normal[:, 0], jnp.sqrt((1 - rho) / 2) * normal[:, 1]
    shape = jnp.exp(mean_a)
    return Profile(jnp.maximum(jnp.exp(mean_t + sigma_t * (common + opposite)), 0.1),
                   jnp.maximum(jnp.exp(mean_a + sigma_a * (common - opposite)), 1.05), shape / (shape - 1),
                   incident_energy)


def _deviation(inverse):
    """1 / (s1 + s2 ln y), at most one half, as in Geant4: the fits are of high energies."""
    return 1 / jnp.maximum(inverse, 2)


def radial_profile(tuning: Tuning, layer: Layer, incident_energy, tau):
    """Radii of core and tail in R_M and the share of the core (A.2): each of the shape of `tau`.

    Args:
      incident_energy: GeV.
      tau: depth over that of the maximum.
    """
    log_e, z, thin, inverse = jnp.log(incident_energy), layer.z, 1 - layer.e_hat, 1 / layer.frequency
    early = inverse * jnp.exp(-tau)
    core = 0.0251 + (0.00319 + tuning.core_log) * log_e + (0.1162 - 0.000381 * z + tuning.core_growth) * tau
    core = tuning.core * (core - 0.0203 * thin + 0.0397 * early)
    tail = (0.659 - 0.00309 * z) * (jnp.exp(-2.59 * (tau - 0.645)) + jnp.exp((0.3585 + 0.0412 * log_e) * (tau - 0.645)))
    tail = tuning.tail * (incident_energy / 10) ** tuning.tail_log * (tail - 0.14 * thin - 0.495 * early)
    bend = (0.401 + 0.00187 * z - tau) / (1.313 - 0.0686 * log_e)
    weight = (2.632 - 0.00094 * z) * jnp.exp(bend - jnp.exp(bend))
    weight += thin * (0.348 - 0.642 * inverse * jnp.exp(-(tau - 1) ** 2))
    weight = tuning.weight * weight + tuning.weight_log * (log_e - jnp.log(10.0))
    return jnp.maximum(core, 0.005), jnp.maximum(tail, 0.02), jnp.clip(weight, 0, 1)


def spot_numbers(tuning: Tuning, layer: Layer, incident_energy):
    """Mean number of spots, 10.3 / c (E/GeV)^0.959 in the paper, and the gamma shape of a spot's energy: `[N]` twice.

    N spots of shape k, their number of variance over mean F, give (sigma/E)^2 = (1/k + F) / N = c^2 / E.
    """
    c = tuning.resolution * layer.resolution
    number = tuning.spots * 10.3 / c * incident_energy ** (0.959 + tuning.spots_power)
    number = jnp.clip(number, 1, MOST_SPOTS / 2)
    return number, 1 / jnp.maximum(c**2 * number / incident_energy - tuning.spot_fano, 0.05)


_LOGITS, _LOG_SHAPES = np.linspace(-17, 17, 273), np.linspace(np.log(0.05), np.log(50), 139)
"""Points of the table of `gamma_quantile`: logit of the probability, log of the shape."""


@functools.cache
def _gamma_table():
    """Quantiles `[log shape, logit]` of gamma distributions, from both ends, so that neither loses digits."""
    shapes, logits = np.exp(_LOG_SHAPES)[:, None], _LOGITS[None]
    low = gammaincinv(shapes, expit(np.minimum(logits, 0)))
    high = gammainccinv(shapes, expit(-np.maximum(logits, 0)))
    return np.where(logits < 0, low, high).astype(np.float32)


def gamma_quantile(shape, u):
    """x with P(X < x) = u for a gamma distributed X of scale 1, to 1 % (1e-4 below 0.01): linear between points.

    Args:
      shape: from 0.05 to 50.
      u: in (0, 1), of the same shape.
    """
    table = jnp.asarray(_gamma_table()).ravel()
    row, column = _position(jnp.log(shape), _LOG_SHAPES), _position(jnp.log(u) - jnp.log1p(-u), _LOGITS)
    i, j = row.astype(jnp.int32), column.astype(jnp.int32)
    corner = i * len(_LOGITS) + j
    value = lambda k: table.at[corner + k].get(mode="promise_in_bounds")
    near, far = (value(k) + (column - j) * (value(k + 1) - value(k)) for k in (0, len(_LOGITS)))
    return near + (row - i) * (far - near)


def _position(value, grid):
    """Position of a value on an even grid, in steps of the grid."""
    return jnp.clip((value - grid[0]) * ((len(grid) - 1) / (grid[-1] - grid[0])), 0, len(grid) - 1.001)


@functools.partial(jax.jit, static_argnums=0)
def showers(calorimeter: Calorimeter, photon: bool, tuning: Tuning, key, momentum, point, first=0):
    """Visible energy of the cells, `[N, *calorimeter.shape]` MeV; shower i depends on its particle, key and first + i.

    The spots of all showers are in one list, made block by block, so that showers of 1 and 100 GeV need no padding.

    Args:
      photon: whether the particle is a photon, which converts at some depth and then showers as an electron does.
      momentum, point: `[N, 3]` GeV, `[N, 2]` cm, of energies within `HELD`.
      first: number of the first shower, that of `shower_keys`.
    """
    layer = effective_layer(calorimeter)
    incident = incident_energy(momentum)
    keys = shower_keys(key, len(momentum), first)
    normal = jax.vmap(lambda key: jax.random.normal(jax.random.fold_in(key, 0), (4,)))(keys)
    conversion = CONVERSION * jax.vmap(lambda key: jax.random.exponential(jax.random.fold_in(key, 1)))(keys)
    start = jnp.where(photon, conversion, 0)
    number, shape = spot_numbers(tuning, layer, incident)
    count = jnp.clip(jnp.round(number + jnp.sqrt(tuning.spot_fano * number) * normal[:, 2]), 0, MOST_SPOTS)
    scale = 1000 * tuning.response * layer.visible * incident / (number * shape)
    width = layer.moliere * jnp.exp(tuning.width_spread / jnp.sqrt(incident) * normal[:, 3])
    ends = jnp.cumsum(count.astype(jnp.int32))
    shower = dict(profile=draw_profile(tuning, layer, incident, normal[:, :2]), start=start, shape=shape, scale=scale,
                  width=width, direction=(momentum / incident[:, None]), point=point, key=jax.random.key_data(keys),
                  begin=jnp.concatenate([jnp.zeros(1, jnp.int32), ends[:-1]]))
    cells = int(np.prod(calorimeter.shape))

    def add(block, total):
        spot = block * BLOCK + jnp.arange(BLOCK)
        owner = jnp.minimum(jnp.searchsorted(ends, spot, side="right"), len(ends) - 1)
        mine = jax.tree.map(lambda values: values.at[owner].get(mode="promise_in_bounds"), shower)
        position, deposit = spots(tuning, layer, mine, spot - mine["begin"])
        cell, inside = cell_index(calorimeter, position)
        inside &= spot < ends[-1]
        return total.at[jnp.where(inside, owner * cells + cell, 0)].add(jnp.where(inside, deposit, 0))

    total = jax.lax.fori_loop(0, -(-ends[-1] // BLOCK), add, jnp.zeros(len(momentum) * cells, jnp.float32))
    return total.reshape(len(momentum), *calorimeter.shape)


def spots(tuning, layer, shower, index):
    """Position, three of `[M]` in cm from the centre of the front face, and energy `[M]` in MeV, of each spot.

    Args:
      shower: values that `showers` has drawn for the shower of each spot.
      index: of the spot in its shower, `[M]`.
    """
    along, across, around, deposit = uniforms(shower["key"], index)
    profile = shower["profile"]
    depth = gamma_quantile(profile.alpha, along) / profile.beta
    tau = depth * profile.beta / profile.alpha * profile.centre
    core, tail, weight = radial_profile(tuning, layer, profile.incident_energy, tau)
    is_core = across < weight
    share = jnp.where(is_core, across / weight, (across - weight) / (1 - weight))
    power = jnp.where(is_core, 1.0, 1 / tuning.tail_power)
    radius = jnp.where(is_core, core, tail) * jnp.sqrt(jnp.expm1(-power * jnp.log1p(-jnp.minimum(share, 1 - 2.0**-17))))
    position = from_axis(shower["direction"], layer.x0 * (shower["start"] + depth), shower["width"] * radius, around)
    x, y, z = position
    return ((shower["point"][:, 0] + x, shower["point"][:, 1] + y, z),
            shower["scale"] * gamma_quantile(shower["shape"], deposit))


def uniforms(keys, index):
    """Four numbers in (0, 1), of 16 bits, for each spot, from its index and the key of its shower: four of `[M]`."""
    fold = jax.vmap(lambda key, index: jax.random.key_data(jax.random.fold_in(jax.random.wrap_key_data(key), index)))
    words = fold(keys, index + 2).T
    return [(half.astype(jnp.float32) + 0.5) * 2.0**-16 for word in words for half in (word >> 16, word & 0xFFFF)]


def from_axis(direction, depth, radius, turns):
    """Points at a depth along the unit vector `direction [M, 3]` and a radius across it: x, y and z, each `[M]`.

    The radius turns from the plane of the direction and the z axis, the x axis where these are parallel.
    """
    nx, ny, nz = direction.T
    slope = jnp.sqrt(nx**2 + ny**2)
    safe = jnp.where(slope > 0, slope, 1)
    cx, cy = jnp.where(slope > 0, nx / safe, 1), ny / safe
    out, side = radius * jnp.cos(2 * jnp.pi * turns), radius * jnp.sin(2 * jnp.pi * turns)
    return (depth * nx + out * cx * nz - side * cy, depth * ny + out * cy * nz + side * cx, depth * nz - out * slope)


def cell_index(calorimeter, position):
    """Index of the cell, flat, and whether the position (cm, from the centre of the front face) is in the block."""
    x, y, z = (10 * values for values in position)
    i, j = (jnp.floor((values + calorimeter.width / 2) / calorimeter.pitch).astype(jnp.int32) for values in (x, y))
    k = jnp.floor(z / calorimeter.layer).astype(jnp.int32)
    within = lambda index, count: (index >= 0) & (index < count)
    inside = within(i, calorimeter.cells) & within(j, calorimeter.cells) & within(k, calorimeter.layers)
    cell = i * calorimeter.cells + j
    return (cell * calorimeter.layers + k if calorimeter.read_depth else cell), inside


def make_gflash(calorimeter: Calorimeter, tuning: Tuning = PAPER, photon: bool = False):
    """A pure `sample(key, momentum, point, first=0)` -> float32 `[N, *calorimeter.shape]` MeV; see `showers`.

    A particle outside of `HELD` makes the shower of the nearest energy within, scaled to its own energy. A particle
    that misses the front face makes an empty shower.
    """
    def sample(key, momentum, point, first=0):
        momentum, point, factors = _held(calorimeter.grid, momentum, point)
        return scaled(showers(calorimeter, photon, tuning, key, momentum, point, first), factors)

    return sample


@jax.jit
def _held(grid, momentum, point):
    """Particles with energies within `HELD`, and factors for their showers, 0 for a particle that misses."""
    hit = enters(momentum, point, grid)
    momentum, point = harmless(hit, momentum, point)
    incident = incident_energy(momentum)
    factors = incident / jnp.clip(incident, *HELD)
    return momentum / factors[:, None], point, jnp.where(hit, factors, 0)


class Gflash:
    """Parametrised showers as a function of the incident particles, called like a trained `Sampler`.

    Args:
      calorimeter: any `Calorimeter`.
      tuning: corrections for it; by default SHASHLIK_TUNING for the shashlik with any cells, else PAPER.
      particle: e-, e+ or gamma.
    """

    def __init__(self, calorimeter: Calorimeter = SHASHLIK, tuning: Tuning | None = None, particle: str = "e-"):
        if particle not in PARTICLES:
            raise UserError(f"no particle is called {particle!r}; there are {', '.join(PARTICLES)}")
        effective_layer(calorimeter)  # raises for an unknown element
        self.calorimeter = calorimeter
        self.tuning = default_tuning(calorimeter) if tuning is None else tuning
        self.sample = make_gflash(calorimeter, self.tuning, photon=particle == "gamma")

    def __call__(self, momentum, point, seed=0, first=0, misses="refuse"):
        """Showers of these particles, float32 `[N, *calorimeter.shape]` MeV; the same seed gives the same showers.

        Shower i depends only on its particle, the seed and first + i, to the rounding of float32.

        Args:
          momentum: `[N, 3]` GeV.
          point: `[N, 2]` cm, on the front face.
          seed: whole number from 0 to 2^64 - 1.
          first: number of the first shower, for a set made in chunks; the last number is at most 2^63 - 1.
          misses: `refuse` raises an error for a particle that enters outside of the front face, `empty` gives it an
            empty shower.

        Raises:
          BadShowers: conditions that are not numbers, do not match, or do not fly into the calorimeter.
          UserError: a seed, a first number or a choice for `misses` that cannot be.
        """
        momentum, point = check_particles(momentum, point, misses, self.calorimeter.grid)
        key, first = make_key(seed), check_first(first, len(momentum))
        return in_chunks(lambda momentum, point, start: self.sample(key, momentum, point, words(first + start)),
                         CHUNK, self.calorimeter.shape, momentum, point)


def default_tuning(calorimeter: Calorimeter) -> Tuning:
    """SHASHLIK_TUNING for layers like the shashlik's with any cells, else PAPER."""
    layers = lambda block: (block.absorber, block.absorber_thickness, block.active, block.active_thickness)
    return SHASHLIK_TUNING if layers(calorimeter) == layers(SHASHLIK) else PAPER
