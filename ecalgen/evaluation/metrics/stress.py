"""Stress points: the response at a handful of fixed energies, angles and entry points.

No sample holds two showers of one condition. So those nearest to the point stand for it, in both sets, and how many
they are and how far they reach is told beside the numbers.
"""
import dataclasses

import numpy as np

from ecalgen.evaluation.metrics.features import condition_columns, observable_columns
from ecalgen.evaluation.metrics.physics_distance import standardised
from ecalgen.evaluation.metrics.response import moments

OBSERVABLES = ("visible_fraction", "longitudinal_width", "transverse_width")
SHARE, FEWEST = 0.005, 20
"""Showers of a set that stand for a point: this share, but no fewer than these."""


@dataclasses.dataclass(frozen=True)
class Point:
    """A particle: its energy, its angle to the normal, towards x, and where it crosses the reference plane."""

    energy_gev: float
    angle_degrees: float
    track_cm: tuple[float, float]


POINTS = (
    Point(2, 0, (0, 0)), Point(10, 0, (0, 0)), Point(50, 0, (0, 0)), Point(10, 15, (0, 0)), Point(10, 0, (0.9, 0.9)))
"""Three energies between the four central cells, a tilted particle there, and one near the middle of a cell."""


def stress_points(real, generated, reference, seed=0, bootstrap=200):
    """Mean and resolution of OBSERVABLES around each of POINTS that lies within the range of the real conditions.

    Args:
      real, generated, reference: `Showers`.
      seed: of the bootstrap.
      bootstrap: resamplings of the neighbours, for `bootstrap.interval`.

    Returns:
      {"neighbours", "points": [a `Point`, "radius" (deviations of the real conditions), "energies_gev" (least and
      greatest), "angles_degrees" and "track_distances_cm" (greatest difference) of the real neighbours, and "real",
      "generated", "reference": {observable: `moments`}]}.
    """
    sets = {"real": real, "generated": generated, "reference": reference}
    values = {name: observable_columns(showers) for name, showers in sets.items()}
    places = {name: np.hstack(list(condition_columns(showers).values())) for name, showers in sets.items()}
    count, points = min(len(real), max(FEWEST, round(SHARE * len(real)))), []
    for point in POINTS:
        place = coordinates(point)
        if not _within(place, places["real"]):
            continue
        near = {name: nearest(place, places[name], places["real"], count) for name in sets}
        described = dataclasses.asdict(point) | {"track_cm": list(point.track_cm)}
        points.append(described | _extent(place, places["real"][near["real"]], places["real"]) | {
            name: {observable: moments(values[name][observable][near[name], 0], seed, bootstrap)
                   for observable in OBSERVABLES} for name in sets})
    return {"neighbours": count, "points": points}


def coordinates(point):
    """Those of `condition_columns` of a `Point`: (log E, px/pz, py/pz, x0, y0), `[1, 5]`."""
    return np.array([[np.log(point.energy_gev), np.tan(np.radians(point.angle_degrees)), 0.0, *point.track_cm]])


def distances(place, places, real):
    """From one place `[1, 5]` to others `[N, 5]`, in deviations of the real ones: `[N]`."""
    return np.linalg.norm(standardised(places, real) - standardised(place, real), axis=1)


def nearest(place, places, real, count):
    """Which `count` of `places [N, 5]` are nearest to one: `[count]`."""
    return np.argsort(distances(place, places, real), kind="stable")[:count]


def _within(place, places):
    """Whether each coordinate lies in the range of the real ones, to a thousandth."""
    return bool(((place >= places.min(axis=0) - 1e-3) & (place <= places.max(axis=0) + 1e-3)).all())


def _extent(place, places, real):
    """How far the neighbours `[K, 5]` reach."""
    radius = float(distances(place, places, real).max())
    energies = np.exp(places[:, 0])
    angle = np.degrees(np.arctan(np.linalg.norm(places[:, 1:3] - place[:, 1:3], axis=1).max()))
    track = np.linalg.norm(places[:, 3:] - place[:, 3:], axis=1).max()
    return {"radius": radius, "energies_gev": [float(energies.min()), float(energies.max())],
            "angles_degrees": float(angle), "track_distances_cm": float(track)}
