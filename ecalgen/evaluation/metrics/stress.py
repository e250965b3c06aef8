"""Stress points: the response at five fixed energies, angles and entry points.

No sample holds two showers of the same particle. So the showers with the nearest particles represent a point, in each
set. The entry gives their number and their distance from the point.
"""
import dataclasses

import numpy as np

from ecalgen.evaluation.metrics.features import condition_columns, observable_columns
from ecalgen.evaluation.metrics.physics_distance import standardised
from ecalgen.evaluation.metrics.registry import Metric, Table, register
from ecalgen.evaluation.metrics.response import moments
from ecalgen.evaluation.wording import number

OBSERVABLES = ("visible_fraction", "longitudinal_width", "transverse_width")
SHARE, FEWEST = 0.005, 20
"""Share of the showers of a set that represents a point, and the smallest number."""


@dataclasses.dataclass(frozen=True)
class Point:
    """A particle: its energy, its angle to the normal towards x, and where it crosses the reference plane.

    `track_cells` is its distance along x and y from a corner of the central cells, in cells.
    """

    energy_gev: float
    angle_degrees: float
    track_cells: tuple[float, float]


POINTS = (
    Point(2, 0, (0, 0)), Point(10, 0, (0, 0)), Point(50, 0, (0, 0)), Point(10, 15, (0, 0)), Point(10, 0, (0.45, 0.45)))
"""Three energies between the four central cells, a tilted particle there, and one near the centre of a cell."""


def stress_points(real, generated, reference, seed=0, bootstrap=200):
    """Mean and resolution of OBSERVABLES around each of POINTS that lies within the range of the real conditions.

    Args:
      real, generated, reference: `Showers`.
      seed: of the bootstrap.
      bootstrap: resamplings of the neighbours, for `bootstrap.interval`.

    Returns:
      {"neighbours": showers for each point, "points": a list}. A point has its "energy_gev", "angle_degrees" and
      "track_cm". Of the real neighbours it has the "radius" in standard deviations of the real conditions, the smallest
      and largest "energies_gev", and the largest "angles_degrees" and "track_distances_cm". For "real", "generated" and
      "reference" it has {observable: `moments`}.
    """
    sets = {"real": real, "generated": generated, "reference": reference}
    values = {name: observable_columns(showers) for name, showers in sets.items()}
    places = {name: np.hstack(list(condition_columns(showers).values())) for name, showers in sets.items()}
    count, points = min(len(real), max(FEWEST, round(SHARE * len(real)))), []
    for point in POINTS:
        place = coordinates(point, real.grid)
        if not _within(place, places["real"]):
            continue
        near = {name: nearest(place, places[name], places["real"], count) for name in sets}
        described = {"energy_gev": point.energy_gev, "angle_degrees": point.angle_degrees,
                     "track_cm": place[0, 3:].tolist()}
        points.append(described | _extent(place, places["real"][near["real"]], places["real"]) | {
            name: {observable: moments(values[name][observable][near[name], 0], seed, bootstrap)
                   for observable in OBSERVABLES} for name in sets})
    return {"neighbours": count, "points": points}


def tables(entry):
    """One row for each point: how near its showers are, and their moments; no table without points."""
    columns = ["Within", "Visible fraction", "Resolution", "Longitudinal width", "Transverse width"]
    return [Table(columns, [(_title(point), _cells(point)) for point in entry["points"]], "Particle")
            ] if entry["points"] else []


def explain(entry):
    """How to read the table."""
    return ("Real above generated; fractions in %, widths in cells. A point is represented by the "
            f"{entry['neighbours']} showers of each set with the nearest particles. “Within” gives their energies, and "
            "the largest difference of their directions and of their tracks in the reference plane.")


def coordinates(point, grid):
    """The `condition_columns` (log E, px/pz, py/pz, x0, y0) of a `Point` in these cells: `[1, 5]`.

    Where the number of cells is odd, the corner lies half a cell from the middle. In rings it is the middle.
    """
    corner, pitch = (0, grid.unit) if grid.radii else (np.array(grid.shape[:2]) % 2 / 2, np.array(grid.pitch[:2]))
    track = (corner + np.array(point.track_cells)) * pitch
    return np.array([[np.log(point.energy_gev), np.tan(np.radians(point.angle_degrees)), 0.0, *track]])


def distances(place, places, real):
    """Distances of `places [N, 5]` from `place [1, 5]`, in standard deviations of the real ones: `[N]`."""
    return np.linalg.norm(standardised(places, real) - standardised(place, real), axis=1)


def nearest(place, places, real, count):
    """Indices of the `count` rows of `places [N, 5]` that are nearest to a place: `[count]`."""
    return np.argsort(distances(place, places, real), kind="stable")[:count]


def _within(place, places):
    """Whether each coordinate lies in the range of the real ones, extended by 1e-3."""
    return bool(((place >= places.min(axis=0) - 1e-3) & (place <= places.max(axis=0) + 1e-3)).all())


def _extent(place, places, real):
    """The ranges of the neighbours `[K, 5]`."""
    radius = float(distances(place, places, real).max())
    energies = np.exp(places[:, 0])
    angle = np.degrees(np.arctan(np.linalg.norm(places[:, 1:3] - place[:, 1:3], axis=1).max()))
    track = np.linalg.norm(places[:, 3:] - place[:, 3:], axis=1).max()
    return {"radius": radius, "energies_gev": [float(energies.min()), float(energies.max())],
            "angles_degrees": float(angle), "track_distances_cm": float(track)}


def _title(point):
    x, y = point["track_cm"]
    return f"{point['energy_gev']:g} GeV, {point['angle_degrees']:g}°, track at ({x:g}, {y:g}) cm"


def _cells(point):
    (low, high), angle, track = (point[name] for name in ("energies_gev", "angles_degrees", "track_distances_cm"))
    return [f"{low:.2g} to {high:.2g} GeV\n{angle:.2g}°, {track:.2g} cm",
            _both(point, "visible_fraction", "mean", 100), _both(point, "visible_fraction", "resolution", 100, 1),
            _both(point, "longitudinal_width", "mean"), _both(point, "transverse_width", "mean")]


def _both(point, observable, name, scale=1, digits=2):
    """A moment of real showers above that of generated ones, each ± half of its interval over 1.96."""
    entries = [point[kind][observable] for kind in ("real", "generated")]
    error = lambda bounds: (bounds[1] - bounds[0]) / 3.92
    return "\n".join(f"{number(scale * entry[name], digits)} ± "
                     f"{number(scale * error(entry[f'{name}_interval']), digits)}" for entry in entries)


register(Metric("stress", lambda sets, settings: stress_points(*sets[:3], settings.seed, settings.bootstrap),
                "Stress points", tables=tables, explain=explain))
