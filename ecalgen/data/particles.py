"""Incident particles of a generator: those that miss are refused or get empty showers, the others are held in range.

The showers of a network are meaningful in and near the range of its training, and arbitrary far outside of it. A
particle far outside is moved to the nearest one in a slightly wider range. The energy of its shower is then scaled by
the ratio of the two incident energies.
"""
import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.showers import BadShowers, check_incident, for_cells, incident_energy, names_of_quantities
from ecalgen.errors import UserError

ENERGIES = (1e-6, 1e9)
"""Lowest and highest incident energy, GeV: below it no energy is visible, above it squares overflow float32."""
MISSES = ("refuse", "empty")
"""Choices for a particle that misses the calorimeter."""
SLOPE_MARGIN = 0.1
"""Distance beyond the training range up to which a network gets a slope unchanged."""
POINT_MARGIN = 0.3 / SHASHLIK.unit
"""Distance beyond the training range, in cells, up to which a network gets the reference point unchanged."""
ENERGY_MARGIN = 1.5
"""Factor beyond the training range up to which a network gets an incident energy unchanged."""
MARGIN = 0.02
"""Share of a limit by which conditions may exceed the training range, as a finite sample misses its very edge."""
STEEPEST = 1e-6
"""Smallest pz / E with which slopes are computed."""
NAMED = 5
"""Largest number of rows that an error names."""


def check_particles(momentum, point, misses="refuse", grid=SHASHLIK):
    """The incident particles as float32 `momentum [N, 3]` (GeV) and `point [N, 2]` (cm).

    Args:
      momentum, point: those of `check_incident`.
      misses: one of `MISSES`; with `empty`, particles that miss the calorimeter are allowed.
      grid: of the calorimeter.

    Raises:
      BadShowers: the errors of `check_incident`; one particle in place of rows; an incident energy outside of
        `ENERGIES`; a particle that enters outside of the front face.
      UserError: an unknown choice for `misses`, or arrays that JAX traces.
    """
    if not isinstance(misses, str) or misses not in MISSES:
        raise UserError(f"misses is {misses!r}; it is one of {', '.join(MISSES)}")
    momentum, point = (_array(name, value) for name, value in (("momentum", momentum), ("point", point)))
    if momentum.shape == (3,):
        raise BadShowers("ParticleMomentum has shape [3], not [N, 3]; for one particle write momentum[None] and "
                         "point[None]")
    momentum, point = check_incident(momentum, point)
    incident = np.linalg.norm(momentum.astype(np.float64), axis=1)
    low, high = np.float32(ENERGIES)
    refuse_rows((incident < low) | (incident > high),
            f"an energy outside of [{ENERGIES[0]:g}, {ENERGIES[1]:g}] GeV; momenta are in GeV")
    if misses == "refuse":
        refuse_rows(beside(point, grid),
                f"an entry point outside of the front face, beyond {_edges(grid)}, and miss the calorimeter; give "
                "points in cm, or misses='empty' for empty showers")
    return momentum, point


def beside(point, grid):
    """Whether particles enter outside of the front face: `[N, 2]` cm -> `[N]`, NumPy."""
    return (np.abs(point) > np.float32(grid.half_face)).any(axis=1)


def limits(trained_on, grid):
    """Lowest and highest conditions that a network gets, in the order of `quantities`: `[1, 5]` twice.

    Args:
      trained_on: {quantity: [lowest, highest]}, the field of a card.
      grid: of the calorimeter.
    """
    energy, *others = names_of_quantities(grid)
    low, high = trained_on[energy]
    bounds = [(low / ENERGY_MARGIN, high * ENERGY_MARGIN)]
    margins = 2 * [SLOPE_MARGIN] + 2 * [POINT_MARGIN * grid.unit]
    bounds += [(trained_on[name][0] - margin, trained_on[name][1] + margin)
               for name, margin in zip(others, margins, strict=True)]
    return tuple(np.array(bounds, np.float32).T[:, None])


def trained_range(trained_on, grid):
    """Lowest and highest quantities in the training range with its `MARGIN`, in the order of `quantities`: `[5]` twice.

    Args:
      trained_on: {quantity: [lowest, highest]}, the field of a card.
      grid: of the calorimeter.
    """
    low, high = np.array([trained_on[name] for name in names_of_quantities(grid)], np.float64).T
    return low - MARGIN * np.abs(low), high + MARGIN * np.abs(high)


@jax.jit
def held(limits, momentum, point, grid):
    """Particles within the limits that replace any particles, and factors for their showers.

    A particle within the limits does not change in any bit; one outside of them is moved to the nearest one within.

    Args:
      limits: the result of `limits`.
      momentum, point: `[N, 3]` GeV, `[N, 2]` cm, any numbers.
      grid: of the calorimeter.

    Returns:
      Momentum, point and factors `[N]`: the original incident energy over the new one, 0 for a particle that misses.
    """
    hit = enters(momentum, point, grid)
    momentum, point = harmless(hit, momentum, point)
    incident = incident_energy(momentum)[:, None]
    slope = momentum[:, :2] / jnp.maximum(momentum[:, 2:], STEEPEST * incident)
    given = jnp.concatenate([incident, slope, point + grid.reference_depth * slope], axis=1)
    nearest = jnp.clip(given, *limits)
    inside = jnp.max(jnp.abs(given - nearest), axis=1, keepdims=True) == 0
    factor = jnp.where(inside, 1, incident / nearest[:, :1])[:, 0]
    moved = _particles(nearest, grid)
    return (jnp.where(inside, momentum, moved[0]), jnp.where(inside, point, moved[1]), jnp.where(hit, factor, 0))


def enters(momentum, point, grid):
    """Whether particles fly into the front face with an incident energy in `ENERGIES`: `[N]`; False for NaN."""
    incident = incident_energy(momentum)
    flies = (momentum[:, 2] > 0) & (incident >= ENERGIES[0]) & (incident <= ENERGIES[1])
    half_x, half_y = grid.half_face
    return flies & (jnp.abs(point[:, 0]) <= half_x) & (jnp.abs(point[:, 1]) <= half_y)


def harmless(hit, momentum, point):
    """The particles; those that miss are replaced by one of 10 GeV along the axis."""
    return (jnp.where(hit[:, None], momentum, jnp.array([[0.0, 0.0, 10.0]], momentum.dtype)),
            jnp.where(hit[:, None], point, 0))


def refuse_rows(bad, fault):
    """Raise BadShowers where any of the particles `bad [N]` is true, with the first rows and the fault."""
    if bad.any():
        raise BadShowers(f"{np.sum(bad)} of {len(bad)} particles (rows {named(np.nonzero(bad)[0])}) have {fault}")


def named(numbers):
    """The first few numbers as text."""
    return ", ".join(map(str, numbers[:NAMED])) + (", ..." if len(numbers) > NAMED else "")


@jax.jit
def scaled(showers, factors):
    """Showers `[N, ...]` times factors `[N]`."""
    return showers * for_cells(factors, showers)


def _particles(conditions, grid):
    """Momentum and point of `quantities` as columns `[N, 5]`."""
    energy, slope, r0 = conditions[:, :1], conditions[:, 1:3], conditions[:, 3:]
    direction = jnp.concatenate([slope, jnp.ones_like(energy)], axis=1)
    length = jnp.sqrt(1 + jnp.sum(slope**2, axis=1, keepdims=True))
    return direction * (energy / length), r0 - grid.reference_depth * slope


def _edges(grid):
    """Where the front face ends, in words."""
    half_x, half_y = grid.half_face
    return f"{half_x:.4g} cm in x or y" if half_x == half_y else f"{half_x:.4g} cm in x or {half_y:.4g} cm in y"


def _array(name, value):
    if isinstance(value, jax.core.Tracer):
        raise UserError(f"{name} is traced by JAX; inside jit or grad call sampler.sample(sampler.variables, key, "
                        "momentum, point)")
    try:
        return np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise BadShowers(f"{name} is no array ({error}); give rows of equal length") from error
