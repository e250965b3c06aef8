"""The particles that enter a calorimeter: one kind, with energy, direction and entry point drawn for each event."""
import dataclasses

import numpy as np

from ecalgen.errors import UserError

PARTICLES = {"e-": 11, "e+": -11, "gamma": 22}
"""Name -> particle code (PDG)."""

SPECTRA = {
    "reciprocal": lambda low, high, u: low * (high / low) ** u,
    "uniform": lambda low, high, u: low + (high - low) * u,
}
"""Name -> incident energy at quantile u."""
LARGEST = {"slope": 1.0, "slope_spread": 0.5, "track": 303.0, "track_spread": 303.0, "track_depth": 1000.0}
"""Field -> largest size with which particles can hit the calorimeter: 45 degrees, half width, twice its length."""


class BadBeam(UserError):
    """A beam with a faulty field; the message names the field and the remedy."""


@dataclasses.dataclass(frozen=True)
class Beam:
    """The particles that enter the calorimeter; the default is the papers' beam of electrons with five conditions.

    Spreads of zero and equal ends of the energy give fixed kinematics.

    Args:
      particle: one of `PARTICLES`.
      energy: (lowest, highest) incident energy, GeV; files of older versions hold it under this name.
      spectrum: `reciprocal` for a density of 1/E between these ends, `uniform` for a flat one.
      slope: mean (px/pz, py/pz).
      slope_spread: standard deviation of each slope, normal.
      track: centre (x, y) of the square that tracks cross, mm.
      track_spread: its half width, mm.
      track_depth: depth of this square behind the front face, mm.

    Raises:
      BadBeam: for an unknown particle or spectrum, or an energy, slope, track or spread that cannot be.
    """

    particle: str = "e-"
    energy: tuple[float, float] = (1.0, 100.0)
    spectrum: str = "reciprocal"
    slope: tuple[float, float] = (0.0, 0.0)
    slope_spread: float = 0.175
    track: tuple[float, float] = (0.0, 0.0)
    track_spread: float = 10.1
    track_depth: float = 150.0

    def __post_init__(self):
        if self.particle not in PARTICLES:
            raise BadBeam(f"no particle is called {self.particle!r}; there are {', '.join(PARTICLES)}")
        if self.spectrum not in SPECTRA:
            raise BadBeam(f"no spectrum is called {self.spectrum!r}; there are {', '.join(SPECTRA)}")
        low, high = self.energy
        if not 1e-3 <= low <= high <= 1e5:
            raise BadBeam(f"energies of {low:g} to {high:g} GeV cannot be simulated; give the lower end first, from "
                          "0.001 GeV to 100,000 GeV")
        for name, most in LARGEST.items():
            if not (np.abs(getattr(self, name)) <= most).all():
                raise BadBeam(f"{name} is {getattr(self, name)}, with which particles miss the "
                              f"calorimeter; give at most {most:g} either way")
        for name in ("slope_spread", "track_spread"):
            if getattr(self, name) < 0:
                raise BadBeam(f"{name} is {getattr(self, name):g}; give 0 to fix it, or a positive number")


BEAMS = {
    "5d": Beam(),
    "1d": Beam(slope_spread=0.0, track_spread=0.0),
    "layered": Beam(energy=(2.0, 500.0), spectrum="uniform", slope_spread=0.0, track_spread=0.0, track_depth=0.0),
}
"""Name -> beam; 1d is normal incidence at the centre with varying energy, layered the beam of the AdaGAN paper."""


def kinematics(beam: Beam, seed: int, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Events `first` to `first + count - 1` of the sequence of a seed; each depends only on the seed and its index.

    Returns:
      (momentum `[count, 3]` in GeV, point `[count, 2]` in mm where the particle enters the front face).
    """
    quantiles = np.random.default_rng([seed, 1])
    quantiles.bit_generator.advance(6 * first)
    u = quantiles.random((count, 6))
    incident_energy = SPECTRA[beam.spectrum](*beam.energy, u[:, 0])
    slope = beam.slope + beam.slope_spread * normal_pair(u[:, 1], u[:, 2])
    track = beam.track + beam.track_spread * (2 * u[:, 3:5] - 1)
    pz = incident_energy / np.sqrt(1 + (slope**2).sum(1))
    return np.column_stack([pz * slope[:, 0], pz * slope[:, 1], pz]), track - beam.track_depth * slope


def normal_pair(u, v):
    """Two standard normal numbers of two uniform ones (Box and Muller): `[N]`, `[N]` -> `[N, 2]`."""
    radius, angle = np.sqrt(-2 * np.log1p(-u)), 2 * np.pi * v
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def engine_seeds(seed: int, first: int, count: int, repeat: int = 0) -> np.ndarray:
    """Seed of the random engine of each event, `[count]`.

    Args:
      seed, first, count: those of `kinematics`.
      repeat: 0 for the first simulation of these events, k for the k-th repetition of the same particles.
    """
    entropy = [seed, 2, repeat] if repeat else [seed, 2]
    return np.random.SeedSequence(entropy).generate_state(first + count)[first:] >> 1
