"""The data contract: what a set of calorimeter showers is, its units, axes and checks.

Units: energy deposited in cells MeV, momenta GeV, points cm. Cells are `[shower, ix, iy]`, the first cell
axis along x and the second along y; the centre of cell `i` sits at `(i - 14.5) * PITCH`.
"""
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.errors import UserError

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


class BadShowers(UserError):
    """Showers that break the data contract; the message names the column and the remedy."""


@dataclasses.dataclass(frozen=True, repr=False)
class Showers:
    """Showers with the particle that made each of them, checked when made.

    Args:
      energy: `[N, 30, 30]` (or `[N, 30, 30, 1]`), energy deposited in each cell, MeV, not negative.
      momentum: `[N, 3]`, momentum of the incident particle, GeV, with pz > 0.
      point: `[N, 2]` (or `[N, 3]`, the depth being dropped), where it enters the front face, cm.
      pdg: `[N]`, particle code; 11 (electron) when not given.

    Raises:
      BadShowers: for a wrong shape, an empty set, NaN, infinite or negative energies, or pz <= 0.
    """

    energy: np.ndarray
    momentum: np.ndarray
    point: np.ndarray
    pdg: np.ndarray | None = None

    def __post_init__(self):
        energy = _numbers("energy", self.energy)
        if energy.ndim == 4 and energy.shape[-1] == 1:
            energy = energy[..., 0]
        count = len(energy) if energy.ndim else 0
        _check_shape("energy", energy, [(count, CELLS, CELLS)])
        if count == 0:
            raise BadShowers("EnergyDeposit holds no showers; write at least one event into it")
        momentum, point = check_incident(self.momentum, self.point, count)
        energy = _finite_float32("energy", energy)
        if (energy < 0).any():
            raise BadShowers(f"EnergyDeposit is negative in event {_first(energy < 0)}; deposited energies are "
                             ">= 0 MeV, so undo any normalisation or noise subtraction first")
        pdg = np.full(count, 11) if self.pdg is None else _numbers("pdg", self.pdg)
        _check_shape("pdg", pdg, [(count,)])
        fields = dict(energy=energy, momentum=momentum, point=point, pdg=_particle_codes(pdg))
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __len__(self):
        return len(self.energy)

    def __repr__(self):
        energy = np.linalg.norm(self.momentum, axis=1)
        return f"Showers({len(self):,}, of {energy.min():.3g} to {energy.max():.3g} GeV)"

    def __getitem__(self, index):
        """A subset, for a slice, a mask or an array of indices."""
        return Showers(*(getattr(self, field)[index] for field in KEYS))


def check_incident(momentum, point, count=None):
    """The incident particles as float32 `momentum [N, 3]` (GeV) and `point [N, 2]` (cm).

    Raises:
      BadShowers: for a wrong shape, a value that is not finite, or a particle with pz <= 0.
    """
    momentum, point = _numbers("momentum", momentum), _numbers("point", point)
    if momentum.ndim != 2:
        raise BadShowers(f"ParticleMomentum has shape {list(momentum.shape)}, not [N, 3]; the first axis counts events")
    count = len(momentum) if count is None else count
    _check_shape("momentum", momentum, [(count, 3)])
    _check_shape("point", point, [(count, 2), (count, 3)])
    momentum, point = _finite_float32("momentum", momentum), _finite_float32("point", point)
    if (momentum[:, 2] <= 0).any():
        raise BadShowers(f"ParticleMomentum has pz <= 0 in event {_first(momentum[:, 2] <= 0)}; "
                         "particles must fly into the calorimeter, along +z")
    return momentum, point[:, :2]


def incident_energy(momentum):
    """E = |p| in GeV (the electron's mass is nothing here): `[N, 3]` -> `[N]`."""
    return jnp.linalg.norm(momentum, axis=-1)


def slopes(momentum):
    """(px/pz, py/pz): `[N, 3]` -> `[N, 2]`."""
    return momentum[..., :2] / momentum[..., 2:]


def reference_point(momentum, point):
    """r0 = point + 15 cm (px, py)/pz, where the track crosses the reference plane: `[N, 2]` in cm."""
    return point + REFERENCE_DEPTH * slopes(momentum)


@jax.jit
def conditions(momentum, point):
    """The vector every network is conditioned on: (log E, px/pz, py/pz, x, y), each of order one.

    The constants are the beam's own: log E is uniform in [0, log 100], slopes are N(0, 0.175), and
    x = x0 - 15 cm px/pz has a deviation of 2.7 cm.

    Args:
      momentum: `[N, 3]` GeV.
      point: `[N, 2]` cm.

    Returns:
      `[N, 5]`, without unit.
    """
    log_energy = (jnp.log(incident_energy(momentum)) - 2.303) / 1.329
    return jnp.concatenate([log_energy[..., None], slopes(momentum) / 0.175, point / 2.7], axis=-1)


def _numbers(field, value):
    value = np.asarray(value)
    if value.dtype.kind not in "fiu":
        raise BadShowers(f"{KEYS[field]} holds {value.dtype}, not numbers; write it as a plain float array")
    return value


def _check_shape(field, value, allowed):
    if value.shape not in allowed:
        wanted = " or ".join(str(list(shape)) for shape in allowed)
        raise BadShowers(f"{KEYS[field]} has shape {list(value.shape)}, not {wanted}; "
                         "the first axis counts events, and every column holds the same events")


def _finite_float32(field, value):
    with np.errstate(over="ignore"):
        value = value.astype(np.float32)
    if not np.isfinite(value).all():
        raise BadShowers(f"{KEYS[field]} is NaN or infinite in event {_first(~np.isfinite(value))}; "
                         "drop such events before loading")
    return value


def _particle_codes(pdg):
    with np.errstate(invalid="ignore"):
        codes = pdg.astype(np.int32)
    if (codes != pdg).any():
        raise BadShowers(f"ParticlePDG is no particle code in event {_first(codes != pdg)}; "
                         "codes are whole numbers, such as 11 for an electron")
    return codes


def _first(bad):
    """Index of the first event with a bad entry."""
    return int(np.argmax(bad.reshape(len(bad), -1).any(axis=1)))
