"""The incident particle as a network sees it: a vector of order one, and units of energy that depend on it."""
import jax.numpy as jnp

from ecalgen.data.showers import conditions, incident_energy, reference_point, slopes

NORMAL = 1e-3
"""Slope that turns n towards x near normal incidence, and only there. In the octant, where px >= 0, it is never
opposite to the track's own slope, so that every particle has a direction n."""
UNITS = {"none": lambda relative: jnp.ones_like(relative), "root": jnp.sqrt, "energy": lambda relative: relative}
"""Name -> unit of cells from E / 10 GeV: none; its root, for the `sqrt` transform; itself, for energy fractions."""


def incident_vector(momentum, point, domain):
    """(log E, px/pz, py/pz, x0, y0, nx, ny), each of order one: `[N, 3]` GeV, `[N, 2]` cm -> `[N, 7]`.

    The first three entries are those of `conditions`. (x0, y0) is where the track crosses the reference plane. n is the
    direction along which observables are taken; near normal incidence no polynomial of the slopes follows it.
    """
    r0 = reference_point(momentum, point, domain.grid) / domain.scales.reference
    return jnp.concatenate([conditions(momentum, point, domain.scales)[:, :3], r0, azimuth(slopes(momentum))], axis=1)


def azimuth(slope):
    """n = slope / |slope|; at normal incidence, the x axis: `[N, 2]` -> `[N, 2]`."""
    square = lambda slope: jnp.sum(slope**2, axis=1, keepdims=True)
    near = jnp.exp(-square(slope / (3 * NORMAL)))
    turned = slope + near * jnp.array([[NORMAL, 0.0]], slope.dtype)
    return turned / jnp.sqrt(square(turned) + NORMAL**2 * (1.01 - near))


def energy_unit(name, momentum):
    """One of `UNITS`, in which cells are alike at all energies: `[N, 3]` GeV -> `[N, 1, 1]`."""
    return UNITS[name](incident_energy(momentum) / 10)[:, None, None]
