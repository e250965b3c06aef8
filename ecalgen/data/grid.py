"""The cells of a calorimeter, and the scales of the incident particles and of their showers in it.

Only this module and the descriptions in `simulation/calorimeter.py` hold a number of cells, a pitch or a depth.
Everything else takes them from a `Grid`. Lengths are in cm, energies in GeV.
"""
import dataclasses
import math
import operator

import jax
import numpy as np

from ecalgen.errors import ConfigError
from ecalgen.machine.records import COUNT, NUMBER, TEXT, Maybe, RecordError, Rows, check_record

MOST_CELLS = 10**6
"""Largest number of cells of a grid; beyond it the cells of one shower do not fit the networks."""
SMALLEST = 1e-3
"""Standard deviation of a slope (or of a point, cm) below which all particles are the same; its scale is then 1."""


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Grid:
    """Cells along x and y, and along z where the depth is read out. To JAX it is a constant of a program.

    The centre of the front face is the origin, and z points into the calorimeter. The centre of cell i along an axis of
    n cells lies at (i - (n - 1) / 2) pitch along x and y, and at (i + 1/2) pitch along z.

    With `radii` the cells are sectors of rings about the z axis. The first axis then counts the sectors, from angle 0,
    and the second one the rings, from the innermost.

    Args:
      shape: cells along (x, y) or (x, y, z); with `radii` (sectors, rings) or (sectors, rings, layers).
      pitch: cm, distance of neighbouring cells along each of these axes; with `radii` the first two are the mean width
        of a ring.
      reference_depth: cm behind the front face, of the plane in which tracks get their reference point r0. It should
        lie near the mean depth of the showers.
      symmetries: maps that leave showers equally likely. 8: x -> -x, y -> -y, x <-> y and their products; 4: without
        x <-> y; 1: none. Without it, 8 for a square of square cells, 1 for rings and 4 otherwise.
      name: of the calorimeter, for messages.
      radii: cm, edges of the rings, rising from 0 or above.

    Raises:
      ConfigError: fields that cannot be.
    """

    shape: tuple[int, ...]
    pitch: tuple[float, ...]
    reference_depth: float
    symmetries: int | None = None
    name: str = dataclasses.field(default="own", compare=False)
    radii: tuple[float, ...] | None = None

    def __post_init__(self):
        try:
            object.__setattr__(self, "shape", tuple(operator.index(number) for number in self.shape))
            object.__setattr__(self, "pitch", tuple(float(number) for number in self.pitch))
            object.__setattr__(self, "reference_depth", float(self.reference_depth))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"a grid has a whole number of cells and a pitch in cm for each axis, and a reference "
                              f"depth in cm, not shape {self.shape!r}, pitch {self.pitch!r} and reference_depth "
                              f"{self.reference_depth!r}") from error
        if len(self.shape) not in (2, 3) or len(self.pitch) != len(self.shape):
            raise ConfigError(f"a grid has two or three axes with a pitch each, not shape {self.shape} and pitch "
                              f"{self.pitch}")
        if min(self.shape) < 1 or math.prod(self.shape) > MOST_CELLS:
            raise ConfigError(f"a grid has at least one cell along each axis and at most {MOST_CELLS:,} in all, not "
                              f"{_times(self.shape)}")
        if self.radii is not None:
            self._fit_rings()
        if not all(0 < pitch < math.inf for pitch in self.pitch) or not 0 <= self.reference_depth < math.inf:
            raise ConfigError(f"the pitch of a grid is positive and its reference_depth not negative, in cm, not "
                              f"{self.pitch} and {self.reference_depth}")
        if self.deep and not self.reference_depth:
            raise ConfigError("a grid that is read out in depth has a reference_depth above 0 cm, near the mean depth "
                              "of its showers")
        if self.symmetries is None:
            object.__setattr__(self, "symmetries", max(self._possible))
        if self.symmetries not in self._possible:
            raise ConfigError(f"a grid of {self} has {' or '.join(map(str, self._possible))} symmetries, not "
                              f"{self.symmetries}")

    def _fit_rings(self):
        """Check the radii, and let them give the pitch."""
        try:
            radii = tuple(float(radius) for radius in self.radii)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"the radii of a grid are numbers in cm, not {self.radii!r}") from error
        rising = all(low < high for low, high in zip(radii[:-1], radii[1:], strict=True))
        if len(radii) != self.shape[1] + 1 or not rising or not 0 <= radii[0] <= radii[-1] < math.inf:
            raise ConfigError(f"a grid of {self.shape[1]} rings has {self.shape[1] + 1} rising radii from 0 or above, "
                              f"not {radii}")
        width = (radii[-1] - radii[0]) / self.shape[1]
        object.__setattr__(self, "radii", radii)
        object.__setattr__(self, "pitch", (width, width, *self.pitch[2:]))

    @property
    def _possible(self):
        """The numbers of symmetries that the shape allows."""
        if self.radii is not None:
            return (1,)
        return (8, 4, 1) if self.square else (4, 1)

    @property
    def square(self) -> bool:
        """Whether x and y can be exchanged."""
        return self.radii is None and self.shape[0] == self.shape[1] and self.pitch[0] == self.pitch[1]

    @property
    def deep(self) -> bool:
        """Whether the cells are read out in depth, too."""
        return len(self.shape) == 3

    @property
    def unit(self) -> float:
        """The pitch along x, cm: the unit of lengths in cells."""
        return self.pitch[0]

    @property
    def half_face(self) -> tuple[float, float]:
        """Half widths of the front face along x and y, cm."""
        if self.radii is not None:
            return self.radii[-1], self.radii[-1]
        return tuple(count * pitch / 2 for count, pitch in zip(self.shape[:2], self.pitch[:2], strict=True))

    def centres(self):
        """Centres x and y of the cells, in units of `unit`: float32, `[nx, ny]` twice."""
        if self.radii is None:
            columns = ((np.arange(count) - (count - 1) / 2) * (pitch / self.unit)
                       for count, pitch in zip(self.shape[:2], self.pitch[:2], strict=True))
            x, y = np.meshgrid(*columns, indexing="ij")
        else:
            angle, radius = 2 * np.pi * (np.arange(self.shape[0]) + 0.5) / self.shape[0], np.array(self.radii)
            x, y = _circles(angle, (radius[:-1] + radius[1:]) / (2 * self.unit))
        return x.astype(np.float32), y.astype(np.float32)

    def corners(self):
        """Corners x and y of the cells, cm: float64, `[nx + 1, ny + 1]` twice."""
        if self.radii is None:
            edges = (np.linspace(-half, half, count + 1)
                     for half, count in zip(self.half_face, self.shape[:2], strict=True))
            return tuple(np.meshgrid(*edges, indexing="ij"))
        return _circles(np.linspace(0, 2 * np.pi, self.shape[0] + 1), np.array(self.radii))

    def areas(self):
        """Areas of the cells along x and y in units of their mean: float32, `[nx, ny]`."""
        if self.radii is None:
            return np.ones(self.shape[:2], np.float32)
        squares = np.diff(np.square(self.radii))
        return np.broadcast_to(squares / squares.mean(), self.shape[:2]).astype(np.float32)

    def depths(self):
        """Centres of the layers behind the front face, cm: float32, `[nz]`."""
        return ((np.arange(self.shape[2]) + 0.5) * self.pitch[2]).astype(np.float32)

    def __str__(self):
        if self.radii is not None:
            deep = f" in {self.shape[2]} layers of {self.pitch[2]:g} cm" if self.deep else ""
            return f"{_times(self.shape)} cells, sectors of rings of {self.unit:g} cm{deep}"
        return f"{_times(self.shape)} cells of {_times(f'{pitch:g}' for pitch in self.pitch)} cm"


SHASHLIK = Grid((30, 30), (2.02, 2.02), 15.0, name="shashlik")
"""The papers' LHCb-like calorimeter; the beam crosses the central cells 15 cm behind the front face."""
LAYERED = Grid((25, 25, 25), (0.51, 0.51, 0.29), 2.75, name="layered")
"""The CLIC-like silicon-tungsten calorimeter of the AdaGAN paper."""
CHALLENGE_LAYER, CHALLENGE_DEPTH = 0.34, 4.1
"""cm: thickness of a layer of the calorimeter challenge's data sets 2 and 3, and their reference depth.

Two layers of 1.4 mm tungsten and 0.3 mm silicon are read out as one (Geant4, examples/extended/parameterisations/Par04:
`/Par04/mesh/setSizeOfZCells 3.4 mm`), which are 0.8 radiation lengths. The mean depth of a shower of 30 GeV is an
estimate, ln(E / 8 MeV) + 1.5 = 9.7 radiation lengths (Review of Particle Physics, passage of particles through matter).
"""


def _challenge(name, sectors, rings, width):
    """The cells of a data set of the challenge; `width` of a ring in cm, as in its binning file."""
    radii = tuple(round(width * ring, 9) for ring in range(rings + 1))
    return Grid((sectors, rings, 45), (width, width, CHALLENGE_LAYER), CHALLENGE_DEPTH, name=name, radii=radii)


GRIDS = {grid.name: grid for grid in (
    SHASHLIK,
    Grid((15, 15), (4.04, 4.04), 15.0, name="shashlik40"),
    Grid((10, 10), (6.06, 6.06), 15.0, name="shashlik60"),
    LAYERED,
    _challenge("challenge2", 16, 9, 0.465),
    _challenge("challenge3", 50, 18, 0.2325))}
"""Name -> grid, of the calorimeters in `simulation/calorimeter.py` and of the calorimeter challenge's data sets 2 and 3
(CaloChallenge/homepage, code/binning_dataset_2.xml and binning_dataset_3.xml)."""


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Scales:
    """Scales of the particles and showers of a training set, by which what networks see is of order one.

    Args:
      log_energy: mean of log(E / GeV).
      log_energy_spread: standard deviation of log(E / GeV).
      slope: root mean square of px/pz and py/pz.
      point: root mean square of the entry point's coordinates, cm.
      reference: root mean square of the reference point's coordinates, cm.
      fraction: mean of the visible fraction S/E.
      resolution: standard deviation of (S/E - fraction) sqrt(E / GeV).
    """

    log_energy: float
    log_energy_spread: float
    slope: float
    point: float
    reference: float
    fraction: float
    resolution: float


POSITIVE = ("log_energy_spread", "slope", "point", "reference", "fraction", "resolution")
"""Scales that must be above 0, because something is divided by them."""
PAPERS = Scales(2.303, 1.329, 0.175, 2.7, 0.583, 0.1735, 0.014)
"""Scales of the papers' beam in the shashlik: E log-uniform from 1 to 100 GeV, slopes N(0, 0.175), r0 uniform in a
central cell. Models without scales of their own, which are those of older versions, have these."""


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Domain:
    """What a network knows of its showers before any training: their grid and their scales."""

    grid: Grid = SHASHLIK
    scales: Scales = PAPERS


OLD = Domain()
"""The domain of models and files of older versions."""
OLD_ENSEMBLES = Domain(LAYERED, Scales(4.0, 1.5, 1.0, 1.0, 1.0, 0.027, 0.01))
"""The domain of ensembles of older versions: electrons of 2 to 500 GeV along the axis of the layered calorimeter."""
GRID_RECORD = {"shape": Rows(COUNT), "pitch": Rows(NUMBER), "reference_depth": NUMBER, "symmetries": COUNT,
               "name": TEXT, "radii": Maybe(Rows(NUMBER))}
DOMAIN_RECORD = {"grid": GRID_RECORD, "scales": dict.fromkeys(Scales.__dataclass_fields__, NUMBER)}
"""The fields of a `Domain` in cards and run folders."""


def grid_record(grid):
    """A `Grid` as a dict for JSON; only a grid of rings has `radii`."""
    record = {name: getattr(grid, name) for name in GRID_RECORD}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in record.items()
            if value is not None}


def domain_record(domain):
    """A `Domain` as a dict for JSON."""
    return {"grid": grid_record(domain.grid), "scales": dataclasses.asdict(domain.scales)}


def read_grid(record):
    """The `Grid` of a dict from JSON.

    Raises:
      RecordError: it is no such dict, or its fields cannot be.
    """
    check_record(record, GRID_RECORD)
    try:
        return Grid(**{name: record.get(name) for name in GRID_RECORD})
    except ConfigError as error:
        raise RecordError(str(error)) from error


def read_domain(record):
    """The `Domain` of a dict from JSON; that of older versions for None.

    Raises:
      RecordError: it is no such dict, or its fields cannot be.
    """
    if record is None:
        return OLD
    check_record(record, DOMAIN_RECORD)
    scales = Scales(**{name: float(record["scales"][name]) for name in DOMAIN_RECORD["scales"]})
    if any(getattr(scales, name) <= 0 for name in POSITIVE):
        raise RecordError(f"one of the scales {', '.join(POSITIVE)} is not positive")
    return Domain(read_grid(record["grid"]), scales)


def spread(values):
    """Root mean square of values, or 1 where all are 0."""
    found = float(np.sqrt(np.mean(np.square(np.asarray(values, np.float64)))))
    return found if found > SMALLEST else 1.0


def _circles(angle, radius):
    """x and y of points on circles: `[A]`, `[R]` -> `[A, R]` twice."""
    return np.outer(np.cos(angle), radius), np.outer(np.sin(angle), radius)


def _times(numbers):
    return " x ".join(map(str, numbers))
