"""Axes and units of a user's showers, detected from the showers, or refused where the showers contradict all of them.

Two facts hold for any electromagnetic calorimeter. The energy-weighted centre of a shower lies where its track passes
the depth of the shower, c = G (u p + d s): point p, slopes s = (px, py)/pz, depth d near the reference depth of the
grid, unit u of the point in cm, and G the axes of the cells, a signed permutation that is the identity in our contract.
In wide cells the centre moves by a common factor kappa less or more. And the share of the particle's energy seen in the
cells lies within FRACTIONS, at energies within ENERGIES.

The errors of the regression show how many showers are enough. Where they exclude that centres are unrelated to tracks,
and not the contract, the showers prove the contract. Where they exclude neither, the showers are not checked.
"""
import dataclasses
import itertools

import numpy as np

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.showers import BadShowers, Showers, first_event, slopes

MINIMUM = 100
"""Number of showers below which nothing is converted or refused."""
FEW = 20
"""Number of showers below which nothing is checked: the regression fits five numbers for each axis."""
FRACTIONS = (0.005, 1.5)
"""Median visible fraction S/E of electromagnetic calorimeters, sampling, homogeneous, or with cells that are calibrated
to the energy of the particle; that of the shashlik is 0.173."""
MOST, CALIBRATED, MOST_CALIBRATED = 1.05, 0.5, 3.0
"""Largest S/E of a shower; median S/E above which the cells may be calibrated, so that sums fluctuate about E; largest
S/E of a shower in such cells. In the calorimeter challenge's data sets 2 and 3 it stays below 2 (`MAXDEP` of their
configs in OzAmram/CaloDiffusionPaper)."""
ENERGIES = (0.1, 2000.0)
"""GeV, of particles worth simulating."""
DEPTH, DEPTH_SPREAD = 13 / 15, 2 / 15
"""Depth of a shower's centre over the reference depth of the grid, and how much other calorimeters may differ."""
SCALE_SPREAD = 0.15
"""How much d(centre)/d(point) may differ from G: leakage and cell size make it 1.02 in the shashlik."""
KAPPAS = np.geomspace(0.03, 4, 80)
"""Values of kappa that are tried."""
GOOD, POSSIBLE = 20.0, 50.0
"""chi2 of 8 numbers: below the first an option explains the showers, above the second (5 sigma) it cannot."""
PREFERRED = 25.0
"""Difference of two chi2 by which one of two options is preferred at 5 sigma."""
FIXED = 1e-3
"""Range of points and slopes below which all particles are the same, so that no order of the rows is wrong."""

CELL_UNITS = {"MeV": 1.0, "GeV": 1e3, "keV": 1e-3}
MOMENTUM_UNITS = {"GeV": 1.0, "MeV": 1e-3}
POINT_UNITS = {"cm": 1.0, "mm": 0.1, "m": 100.0}
DIRECTIONS = {"x": (1, 0), "-x": (-1, 0), "y": (0, 1), "-y": (0, -1)}
AXES = [(first, second) for first, second in itertools.product(DIRECTIONS, repeat=2) if first[-1] != second[-1]]
"""The eight ways in which the two axes of the cells may lie."""
REMEDY = ("if the file is meant so, as that of a poor generator may be, believe it: conventions='as_is' of "
          "load_showers, --config.data.conventions=as_is of a run")


@dataclasses.dataclass(frozen=True)
class Conventions:
    """Units and axes of the numbers in a file; the defaults are the contract of `Showers`.

    Args:
      axes: directions of the first and the second axis of the cells.
      cells: unit of EnergyDeposit, one of CELL_UNITS.
      momentum: unit of ParticleMomentum, one of MOMENTUM_UNITS.
      point: unit of ParticlePoint, one of POINT_UNITS.
      checked: whether the showers are enough to detect them; ignored in comparisons.
      most: largest S/E that a shower may have; ignored in comparisons.
    """

    axes: tuple[str, str] = ("x", "y")
    cells: str = "MeV"
    momentum: str = "GeV"
    point: str = "cm"
    checked: bool = dataclasses.field(default=True, compare=False)
    most: float = dataclasses.field(default=MOST, compare=False)

    def notes(self) -> tuple[str, ...]:
        """One line for each difference from the contract."""
        told = {
            f"EnergyDeposit turned from axes ({', '.join(self.axes)}) to (x, y)": self.axes != ("x", "y"),
            f"EnergyDeposit converted from {self.cells} to MeV": self.cells != "MeV",
            f"ParticleMomentum converted from {self.momentum} to GeV": self.momentum != "GeV",
            f"ParticlePoint converted from {self.point} to cm": self.point != "cm",
        }
        return tuple(note for note, differs in told.items() if differs)


def standardise(showers: Showers, conventions: Conventions | None = None) -> tuple[Showers, tuple[str, ...]]:
    """Showers in the units and axes of the contract, and a note on each conversion; unchanged where none is needed.

    Args:
      showers: of any units and axes.
      conventions: of the showers; detected when not given.

    Raises:
      BadShowers: as for `detect`.
    """
    if conventions is None:
        conventions = detect(showers.energy, showers.momentum, showers.point, showers.grid)
    if conventions == Conventions():
        return showers, ()
    cells, momentum, point = (np.float32(units[name]) for units, name in (
        (CELL_UNITS, conventions.cells), (MOMENTUM_UNITS, conventions.momentum), (POINT_UNITS, conventions.point)))
    energy = turned(showers.energy, conventions.axes) * cells
    return dataclasses.replace(showers, energy=energy, momentum=showers.momentum * momentum,
                               point=showers.point * point), conventions.notes()


def detect(energy, momentum, point, grid) -> Conventions:
    """The conventions that the showers prove; those of the contract where they prove none.

    Args:
      energy: `[N, nx, ny]` or `[N, nx, ny, nz]`, deposited in the cells, in any of CELL_UNITS.
      momentum: `[N, 3]`, in any of MOMENTUM_UNITS.
      point: `[N, 2]`, in any of POINT_UNITS.
      grid: of the cells.

    Raises:
      BadShowers: when MINIMUM or more showers contradict the contract and do not single out one other reading.
    """
    energy = np.asarray(energy).reshape(*energy.shape[:3], -1).sum(axis=3, dtype=np.float64)
    momentum, point = np.asarray(momentum, np.float64), np.asarray(point, np.float64)
    found = _detected(energy, momentum, point, grid)
    scale = CELL_UNITS[found.cells] / (1000 * MOMENTUM_UNITS[found.momentum])
    fraction = scale * np.median(energy.sum((1, 2)) / np.linalg.norm(momentum, axis=1))
    return dataclasses.replace(found, most=MOST_CALIBRATED if fraction > CALIBRATED else MOST)


def _detected(energy, momentum, point, grid):
    """`detect`, of cells that are summed over depth: float64 `[N, nx, ny]`."""
    if len(energy) < FEW:
        return Conventions()
    if len(energy) >= MINIMUM:
        return _read(energy, momentum, point, grid)
    try:
        found = _read(energy, momentum, point, grid)
    except BadShowers:
        return Conventions(checked=False)
    return Conventions(checked=found.checked and found == Conventions())


def _read(energy, momentum, point, grid):
    cells, unit = energy_units(energy.sum((1, 2)), np.linalg.norm(momentum, axis=1))
    (axes, point_unit), checked = _geometry(energy, slopes(momentum), point, grid)
    return Conventions(axes, cells, unit, point_unit, checked)


def check_possible(showers: Showers, most: float = MOST) -> None:
    """Check each shower, in the units of the contract, against the energy and the point of its particle.

    Args:
      showers: in the units of the contract.
      most: largest S/E that a shower may have.

    Raises:
      BadShowers: for more visible energy than the particle has, or a particle that enters too far outside.
    """
    visible = showers.energy.reshape(len(showers), -1).sum(axis=1, dtype=np.float64)
    incident = 1000 * np.linalg.norm(showers.momentum.astype(np.float64), axis=1)
    over = visible > most * incident
    if over.any():
        event = first_event(over)
        raise BadShowers(
            f"EnergyDeposit adds up to {visible[event]:.4g} MeV in event {event}, where ParticleMomentum says "
            f"{incident[event]:.4g} MeV; check that both hold the same events in the same order, and write MeV and "
            f"GeV, or {REMEDY}")
    check_entry(showers.point, showers.grid, f"; or {REMEDY}")


def check_entry(point, grid, otherwise=""):
    """Raise a `BadShowers` for a particle that enters further from the centre than the cells are wide: `[N, 2]`, cm."""
    edge = 2 * np.array(grid.half_face)
    outside = (np.abs(point) > edge).any(axis=1)
    if outside.any():
        event = first_event(outside)
        raise BadShowers(
            f"ParticlePoint lies {np.abs(point[event]).max():.4g} cm from the centre in event {event}, beyond "
            f"{edge.min():.1f} cm, twice the half width of the cells; write where particles enter the front face, in "
            f"cm{otherwise}")


def turned(energy, axes):
    """Cells whose axes point along `axes` as `[ix, iy]`: `[N, nx, ny, ...]` -> the same shape."""
    flips = [axis for axis, direction in enumerate(axes, 1) if direction.startswith("-")]
    energy = np.flip(energy, flips)
    return np.ascontiguousarray(energy.swapaxes(1, 2) if axes[0].endswith("y") else energy)


def energy_units(total, incident):
    """Units of cells and momentum from the median S/E and E: two `[N]` -> two names."""
    fraction, incident = np.median(total / incident), np.median(incident)
    options = [
        (cells, unit) for cells, unit in itertools.product(CELL_UNITS, MOMENTUM_UNITS)
        if FRACTIONS[0] <= fraction * CELL_UNITS[cells] / (1000 * MOMENTUM_UNITS[unit]) <= FRACTIONS[1]
        and ENERGIES[0] <= incident * MOMENTUM_UNITS[unit] <= ENERGIES[1]]
    if ("MeV", "GeV") in options:
        return "MeV", "GeV"
    if len(options) == 1:
        return options[0]
    could = " or ".join(f"{cells} and {unit}" for cells, unit in options) or "no two units"
    raise BadShowers(
        f"EnergyDeposit adds up to {fraction:.3g} per unit of ParticleMomentum, at {incident:.3g} of it (medians), "
        f"which {could} would explain; write EnergyDeposit in MeV and ParticleMomentum in GeV, or {REMEDY}")


def _geometry(energy, slope, point, grid):
    """Axes of the cells and unit of the point, and whether the showers prove them.

    Args:
      energy: `[N, nx, ny]`.
      slope: `[N, 2]`.
      point: `[N, 2]`.
      grid: of the cells.

    Returns:
      ((axes, name), checked).
    """
    seen, contract = energy.sum((1, 2)) > 0, (("x", "y"), "cm")
    condition = np.concatenate([point[seen], slope[seen]], axis=1)
    if seen.sum() < FEW:
        return contract, False
    if np.ptp(condition, axis=0).max() < FIXED:
        return contract, True
    slope, covariance, unrelated = _regression(_centres(energy[seen], grid), condition)
    axes = _possible_axes(grid)
    chi2 = {option: _chi2(slope, covariance, *option, grid)
            for option in itertools.product(axes, POINT_UNITS)}
    best = min(chi2.values())
    likely = [option for option in chi2 if chi2[option] < min(POSSIBLE, best + PREFERRED)]
    if contract in likely and not (unrelated < GOOD and unrelated + PREFERRED < chi2[contract]):
        return contract, unrelated > POSSIBLE
    related = slope[:2].ravel() @ np.linalg.solve(covariance[:4, :4], slope[:2].ravel())  # of points to centres
    if contract not in likely and len(likely) == 1 and best < GOOD and min(unrelated, related) > POSSIBLE:
        return likely[0], True
    shown = lambda rows: np.array2string(rows.T, precision=2, suppress_small=True, separator=", ").replace("\n", "")
    raise BadShowers(
        f"EnergyDeposit does not follow ParticlePoint and ParticleMomentum: over {seen.sum()} showers "
        f"d(centre)/d(point) is {shown(slope[:2])} and d(centre)/d(px/pz, py/pz) {shown(slope[2:])} cm, where 1 and "
        f"{DEPTH * grid.reference_depth:.3g} cm times one of the {len(axes)} symmetries of the cells belong; check "
        "that all columns hold the same events in the same order, that ParticlePoint lies on the front face, and the "
        f"pitch and reference depth of the grid, {grid}, {grid.reference_depth:g} cm; or {REMEDY}")


def _possible_axes(grid):
    """The ways in which the two axes of the cells of a grid may lie; sectors and rings lie in one."""
    if grid.radii is not None:
        return AXES[:1]
    return AXES if grid.square else [option for option in AXES if option[0].endswith("x")]


def _centres(energy, grid):
    """Energy-weighted centres along the two axes of the cells: `[N, nx, ny]` -> `[N, 2]`, cm."""
    centres = np.stack(grid.centres()).reshape(2, -1).astype(np.float64) * grid.unit
    return energy.reshape(len(energy), -1) @ centres.T / energy.sum((1, 2))[:, None]


def _regression(centre, condition):
    """Least squares of centre = condition B + constant.

    What does not vary is left unknown: a floor of the eigenvalues makes its variance huge.

    Args:
      centre: `[N, 2]`.
      condition: `[N, 4]`.

    Returns:
      (B `[4, 2]`, its covariance `[8, 8]`, chi2 of B = 0, which says that centres are unrelated to tracks).
    """
    centre, condition = centre - centre.mean(0), condition - condition.mean(0)
    values, vectors = np.linalg.eigh(condition.T @ condition)
    inverse = vectors / np.maximum(values, 1e-12 * len(condition) + 1e-15 * values[-1]) @ vectors.T
    slope = inverse @ condition.T @ centre
    fitted = condition @ slope
    residual = (centre - fitted).T @ (centre - fitted) / (len(centre) - 5) + 0.1**2 * np.eye(2)  # at best 1 mm
    return slope, np.kron(inverse, residual), np.trace(np.linalg.solve(residual, fitted.T @ fitted))


def _chi2(slope, covariance, axes, unit, grid):
    """Least chi2 of B against the transposed kappa (u G, d G) of an option, with errors and spread."""
    turn, scale = np.array([DIRECTIONS[direction] for direction in axes]).T, POINT_UNITS[unit]
    depth, steps = max(grid.reference_depth, 1.0), _steps(grid)
    expected = np.concatenate([scale * turn, DEPTH * depth * turn]).ravel()
    spread = np.repeat([scale * SCALE_SPREAD, depth * DEPTH_SPREAD], 4)
    found = []
    for kappa in KAPPAS if steps else [1.0]:
        difference = slope.ravel() - kappa * expected
        found.append(difference @ np.linalg.solve(covariance + np.diag((kappa * spread) ** 2), difference)
                     + (((kappa - 1) / steps) ** 2 if steps else 0))
    return min(found)


def _steps(grid):
    """How much kappa may differ from 1 because the cells are wide: 0 for cells of the shashlik or smaller.

    The centre of a shower in wide cells hardly moves while its track crosses the middle of a cell, and moves fast where
    the track crosses a border. The power and the bound are chosen, not fitted: electrons whose tracks cross the middle
    of the calorimeter have 0.8 in odd numbers of cells of 40 mm, 1.8 in even numbers of 60 mm and 0.1 in odd numbers of
    120 mm.
    """
    return min(0.8, SCALE_SPREAD * max(0, (max(grid.pitch[:2]) / SHASHLIK.unit) ** 1.5 - 1))
