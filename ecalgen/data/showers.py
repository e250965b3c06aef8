"""The data contract of a set of calorimeter showers: its arrays, units, axes and checks.

Units: energy deposited in cells MeV, momenta GeV, points cm. Cells are `[shower, ix, iy]`, the first cell
axis along x and the second along y; the centre of cell `i` sits at `(i - 14.5) * PITCH`.
"""
import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.errors import UserError
from ecalgen.machine.records import shown

CELLS = 30
PITCH = 2.02
"""Width of a cell in cm; six cells make the 12.12 cm LHCb module."""
REFERENCE_DEPTH = 15.0
"""Depth in cm, from the front face, of the plane in which beam particles cross the central cells."""

KEYS = {
    "energy": "EnergyDeposit",
    "momentum": "ParticleMomentum",
    "point": "ParticlePoint",
    "pdg": "ParticlePDG",
}
"""Field of `Showers` -> name of the column in the public files."""
EVENT_SHAPES = {
    "energy": ((CELLS, CELLS), (CELLS, CELLS, 1)),
    "momentum": ((3,),),
    "point": ((2,), (3,)),
    "pdg": ((),),
}
"""Field -> shapes that the numbers of one event may have."""
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


@dataclasses.dataclass(frozen=True, repr=False)
class Showers:
    """Showers with the particle that made each of them, checked when made.

    Args:
      energy: `[N, 30, 30]` (or `[N, 30, 30, 1]`), energy deposited in each cell, MeV, not negative.
      momentum: `[N, 3]`, momentum of the incident particle, GeV, with pz > 0.
      point: `[N, 2]` (or `[N, 3]`, the depth being dropped), where it enters the front face, cm.
      pdg: `[N]`, particle code; 11 (electron) when not given.

    Raises:
      BadShowers: for a wrong shape, an empty set, NaN, infinite or negative energies, a value above LARGEST, or
        pz <= 0.
    """

    energy: np.ndarray
    momentum: np.ndarray
    point: np.ndarray
    pdg: np.ndarray | None = None

    def __post_init__(self):
        energy, pdg = np.asarray(self.energy), self.pdg
        columns = dict(energy=energy, momentum=np.asarray(self.momentum), point=np.asarray(self.point),
                       pdg=np.full(energy.shape[:1], 11) if pdg is None else np.asarray(pdg))
        check_columns(columns)
        if len(energy) == 0:
            raise BadShowers("EnergyDeposit holds no showers; write at least one event into it")
        momentum, point = check_incident(columns["momentum"], columns["point"])
        energy = _finite_float32("energy", energy).reshape(-1, CELLS, CELLS)
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
        return f"Showers({len(self):,}, of {incident.min():.3g} to {incident.max():.3g} GeV)"

    def __getitem__(self, index):
        """A subset, for a slice, a mask or an array of indices."""
        return Showers(*(getattr(self, field)[index] for field in KEYS))


def check_columns(columns):
    """Check types and shapes of columns, which the headers of a file give before any value is read.

    Args:
      columns: {field of `Showers`: array or `Header`}.

    Raises:
      BadShowers: for a column that holds no numbers, has a wrong shape, or has other rows than the first one.
    """
    for field, column in columns.items():
        check_numbers(KEYS[field], column)
    count = next((column.shape[0] for column in columns.values() if column.shape), 0)
    for field, column in columns.items():
        _check_shape(field, column.shape, [(count, *shape) for shape in EVENT_SHAPES[field]])


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
    check_columns({"momentum": momentum, "point": point})
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


def reference_point(momentum, point):
    """r0 = point + 15 cm (px, py)/pz, where the track crosses the reference plane: `[N, 2]` in cm."""
    return point + REFERENCE_DEPTH * slopes(momentum)


QUANTITIES = ("energy (GeV)", "px/pz", "py/pz", "x at 15 cm depth (cm)", "y at 15 cm depth (cm)")
"""Names of the quantities of an incident particle in cards and messages."""


def quantities(momentum, point):
    """The `QUANTITIES` of particles, by name: `[N, 3]` GeV, `[N, 2]` cm -> `[N]` each."""
    slope, r0 = slopes(momentum), reference_point(momentum, point)
    columns = incident_energy(momentum), slope[:, 0], slope[:, 1], r0[:, 0], r0[:, 1]
    return dict(zip(QUANTITIES, columns, strict=True))


@jax.jit
def conditions(momentum, point):
    """The vector every network is conditioned on: (log E, px/pz, py/pz, x, y), each of order one.

    The constants are those of the beam: log E is uniform in [0, log 100], slopes are N(0, 0.175), and
    x = x0 - 15 cm px/pz has a standard deviation of 2.7 cm.

    Args:
      momentum: `[N, 3]` GeV.
      point: `[N, 2]` cm.

    Returns:
      `[N, 5]`, without unit.
    """
    log_energy = (jnp.log(incident_energy(momentum)) - 2.303) / 1.329
    return jnp.concatenate([log_energy[..., None], slopes(momentum) / 0.175, point / 2.7], axis=-1)


def first_event(bad):
    """Index of the first event with a bad entry: `[N, ...]` -> a number."""
    return int(np.argmax(bad.reshape(len(bad), -1).any(axis=1)))


def _check_shape(field, shape, allowed):
    if tuple(shape) not in allowed:
        wanted = " or ".join(str(list(shape)) for shape in allowed)
        raise BadShowers(f"{KEYS[field]} has shape {list(shape)}, not {wanted}; "
                         "the first axis counts events, and every column holds the same events")


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
