"""The data contract of a set of calorimeter showers: its arrays, units, axes and checks.

Units: energy deposited in cells MeV, momenta GeV, points cm. Cells are `[shower, ix, iy]`, or `[shower, ix, iy, iz]`
where the depth is read out; their centres are those of a `Grid`.
"""
import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.data.grid import SHASHLIK, Domain, Grid, Scales, spread
from ecalgen.errors import UserError
from ecalgen.machine.records import shown

KEYS = {
    "energy": "EnergyDeposit",
    "momentum": "ParticleMomentum",
    "point": "ParticlePoint",
    "pdg": "ParticlePDG",
}
"""Field of `Showers` -> name of the column in the public files."""
MEANINGS = {"energy": "give the Grid of these cells, or the cells of this one",
            "momentum": "give px, py and pz of each event", "point": "give x and y of each event"}
"""Field -> what the numbers of one event are."""
LARGEST = {"energy": 1e12, "momentum": 1e9, "point": 1e6}
"""Field -> a bound above any real value in any unit of `orientation`, such as 100 TeV in keV; sums stay finite."""
SMALLEST_MOMENTUM = 1e-6
"""GeV: pz of the softest particle, below any that makes a shower. Slopes and log E stay finite."""


class BadShowers(UserError):
    """Showers that break the data contract; the message names the column and the remedy."""


class Header(NamedTuple):
    """Shape and type of a column of a file, known before any value is read."""

    shape: tuple[int, ...]
    dtype: np.dtype


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Showers:
    """Showers with the particle that made each of them, checked when made.

    Args:
      energy: `[N, nx, ny]` (or `[N, nx, ny, 1]`) or `[N, nx, ny, nz]`, energy deposited in each cell, MeV, not
        negative.
      momentum: `[N, 3]`, momentum of the incident particle, GeV, with pz > 0.
      point: `[N, 2]` (or `[N, 3]`, the depth being dropped), where it enters the front face, cm.
      pdg: `[N]`, particle code; 11 (electron) when not given.
      grid: of the cells; that of the shipped showers when not given.

    Raises:
      BadShowers: for a wrong shape, an empty set, NaN, infinite or negative energies, a value above LARGEST, or
        pz <= 0.
    """

    energy: np.ndarray
    momentum: np.ndarray
    point: np.ndarray
    pdg: np.ndarray | None = None
    grid: Grid = SHASHLIK

    def __post_init__(self):
        energy, pdg = np.asarray(self.energy), self.pdg
        if energy.shape == self.grid.shape:
            raise BadShowers(f"EnergyDeposit has shape {list(energy.shape)}, not [N, ...]; the first axis counts "
                             "events, so for one shower write energy[None], momentum[None] and point[None]")
        columns = dict(energy=energy, momentum=np.asarray(self.momentum), point=np.asarray(self.point),
                       pdg=np.full(energy.shape[:1], 11) if pdg is None else np.asarray(pdg))
        check_columns(columns, self.grid)
        if len(energy) == 0:
            raise BadShowers("EnergyDeposit holds no showers; write at least one event into it")
        momentum, point = check_incident(columns["momentum"], columns["point"])
        energy = _finite_float32("energy", energy).reshape(-1, *self.grid.shape)
        if (energy < 0).any():
            raise BadShowers(f"EnergyDeposit is negative in event {first_event(energy < 0)}; deposited energies are "
                             ">= 0 MeV, so undo any normalisation or noise subtraction first")
        _check_size("energy", energy)
        fields = dict(energy=energy, momentum=momentum, point=point, pdg=_particle_codes(columns["pdg"]))
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __len__(self):
        return len(self.energy)

    def __repr__(self):
        incident = np.linalg.norm(self.momentum, axis=1)
        return f"Showers({len(self):,}, of {incident.min():.3g} to {incident.max():.3g} GeV; {self.grid})"

    @property
    def lateral(self):
        """Energies summed over depth: `[N, nx, ny]`, MeV."""
        return self.energy.sum(3) if self.grid.deep else self.energy

    def __getitem__(self, index):
        """A subset, for a slice, a mask or an array of indices."""
        return dataclasses.replace(self, **{field: getattr(self, field)[index] for field in KEYS})


def same_particles(first, second):
    """Whether, for every i, shower i of both sets belongs to the same incident particle."""
    return len(first) == len(second) and all(
        np.allclose(getattr(first, field), getattr(second, field), rtol=1e-4, atol=1e-4)
        for field in ("momentum", "point"))


def event_shapes(grid):
    """Field of `Showers` -> shapes that the numbers of one event may have."""
    flat = ((*grid.shape, 1),) if len(grid.shape) == 2 else ()
    return {"energy": (grid.shape, *flat), "momentum": ((3,),), "point": ((2,), (3,)), "pdg": ((),)}


def check_columns(columns, grid):
    """Check types and shapes of columns, which the headers of a file give before any value is read.

    Args:
      columns: {field of `Showers`: array or `Header`}.
      grid: of the cells.

    Raises:
      BadShowers: for a column that holds no numbers, has a wrong shape, or has other rows than the first one.
    """
    for field, column in columns.items():
        check_numbers(KEYS[field], column)
    count = next((column.shape[0] for column in columns.values() if column.shape), 0)
    for field, column in columns.items():
        _check_shape(field, column.shape, [(count, *shape) for shape in event_shapes(grid)[field]])


def check_numbers(name, column):
    """Raise a `BadShowers` for a column, or its header, of anything but real numbers."""
    if column.dtype.kind not in "fiu":
        raise BadShowers(f"{name} holds {shown(column.dtype)}, not numbers; write it as a plain float array")


def check_incident(momentum, point):
    """The incident particles as float32 `momentum [N, 3]` (GeV) and `point [N, 2]` (cm).

    Raises:
      BadShowers: for a wrong shape, a value that is not finite or too large, or a particle with pz <= 0.
    """
    momentum, point = np.asarray(momentum), np.asarray(point)
    if momentum.ndim != 2:
        raise BadShowers(f"ParticleMomentum has shape {list(momentum.shape)}, not [N, 3]; the first axis counts events")
    check_columns({"momentum": momentum, "point": point}, SHASHLIK)
    momentum, point = _finite_float32("momentum", momentum), _finite_float32("point", point)
    _check_size("momentum", momentum)
    _check_size("point", point[:, :2])
    if (momentum[:, 2] <= 0).any():
        raise BadShowers(f"ParticleMomentum has pz <= 0 in event {first_event(momentum[:, 2] <= 0)}; "
                         "particles must fly into the calorimeter, along +z")
    if (momentum[:, 2] < SMALLEST_MOMENTUM).any():
        raise BadShowers(f"ParticleMomentum has pz below {SMALLEST_MOMENTUM:g} GeV in event "
                         f"{first_event(momentum[:, 2] < SMALLEST_MOMENTUM)}; write it in GeV, and drop such particles")
    return momentum, point[:, :2]


def incident_energy(momentum):
    """E = |p| in GeV, with the electron's mass neglected: `[N, 3]` -> `[N]`."""
    return jnp.linalg.norm(momentum, axis=-1)


def slopes(momentum):
    """(px/pz, py/pz): `[N, 3]` -> `[N, 2]`."""
    return momentum[..., :2] / momentum[..., 2:]


def reference_point(momentum, point, grid):
    """r0 = point + depth (px, py)/pz, where the track crosses the grid's reference plane: `[N, 2]` in cm."""
    return point + grid.reference_depth * slopes(momentum)


ENERGY = "energy (GeV)"
"""Name of the incident energy in cards and messages."""


def names_of_quantities(grid):
    """Names of the five quantities of an incident particle in cards and messages."""
    plane = f"at {grid.reference_depth:g} cm depth (cm)"
    return ENERGY, "px/pz", "py/pz", f"x {plane}", f"y {plane}"


def quantities(momentum, point, grid):
    """The quantities of particles by their names: NumPy's `[N, 3]` GeV, `[N, 2]` cm -> `[N]` each."""
    slope, r0 = slopes(momentum), reference_point(momentum, point, grid)
    columns = np.linalg.norm(momentum, axis=-1), slope[:, 0], slope[:, 1], r0[:, 0], r0[:, 1]
    return dict(zip(names_of_quantities(grid), columns, strict=True))


@jax.jit
def conditions(momentum, point, scales):
    """The vector every network is conditioned on: (log E, px/pz, py/pz, x, y), each of order one.

    Args:
      momentum: `[N, 3]` GeV.
      point: `[N, 2]` cm.
      scales: `Scales`.

    Returns:
      `[N, 5]`, without unit.
    """
    log_energy = (jnp.log(incident_energy(momentum)) - scales.log_energy) / scales.log_energy_spread
    return jnp.concatenate([log_energy[..., None], slopes(momentum) / scales.slope, point / scales.point], axis=-1)


def fit_scales(showers):
    """The `Scales` of a set of showers."""
    momentum, point = (value.astype(np.float64) for value in (showers.momentum, showers.point))
    incident = np.linalg.norm(momentum, axis=1)
    visible = showers.energy.reshape(len(showers), -1).sum(axis=1, dtype=np.float64) / (1000 * incident)
    return Scales(log_energy=float(np.log(incident).mean()), log_energy_spread=spread(_about_mean(np.log(incident))),
                  slope=spread(slopes(momentum)), point=spread(point),
                  reference=spread(reference_point(momentum, point, showers.grid)), fraction=float(visible.mean()),
                  resolution=spread(_about_mean(visible) * np.sqrt(incident)))


def domain_of(showers):
    """The `Domain` of a set of showers."""
    return Domain(showers.grid, fit_scales(showers))


def for_cells(values, cells):
    """A number of each shower, or map, for all of its cells: `[N]` -> `[N, 1, 1, ...]`, with the axes of `cells`."""
    return values.reshape(-1, *[1] * (cells.ndim - 1))


def _about_mean(values):
    return values - values.mean()


def first_event(bad):
    """Index of the first event with a bad entry: `[N, ...]` -> a number."""
    return int(np.argmax(bad.reshape(len(bad), -1).any(axis=1)))


def _check_shape(field, shape, allowed):
    if tuple(shape) not in allowed:
        wanted = " or ".join(str(list(shape)) for shape in allowed)
        remedy = MEANINGS.get(field) if shape and shape[0] == allowed[0][0] else None
        raise BadShowers(f"{KEYS[field]} has shape {list(shape)}, not {wanted}; "
                         f"{remedy or 'the first axis counts events, and every column holds the same events'}")


def _finite_float32(field, value):
    with np.errstate(over="ignore"):
        value = value.astype(np.float32)
    if not np.isfinite(value).all():
        raise BadShowers(f"{KEYS[field]} is NaN or infinite in event {first_event(~np.isfinite(value))}; "
                         "drop such events before loading")
    return value


def _check_size(field, value):
    if max(value.max(initial=0), -value.min(initial=0)) > LARGEST[field]:
        event = first_event(np.abs(value) > LARGEST[field])
        raise BadShowers(f"{KEYS[field]} reaches {np.abs(value[event]).max():.3g} in event {event}, and above "
                         f"{LARGEST[field]:g} it belongs to no particle and no calorimeter; drop such events, or "
                         "correct their unit")


def _particle_codes(pdg):
    with np.errstate(invalid="ignore"):
        codes = pdg.astype(np.int32)
    if (codes != pdg).any():
        raise BadShowers(f"ParticlePDG is no particle code in event {first_event(codes != pdg)}; "
                         "codes are whole numbers, such as 11 for an electron")
    return codes
