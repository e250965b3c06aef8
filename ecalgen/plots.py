"""Figures of showers for an analysis, the same that the report of an evaluation holds.

Each returns a matplotlib `Figure` in the style of mplhep: `plots.gallery(real, generated).savefig("showers.png")`. Real
showers are black, generated ones blue.
"""
from matplotlib.figure import Figure

from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.features import observable_columns
from ecalgen.evaluation.metrics.response import responses
from ecalgen.evaluation.report import figures, physics_figures


def gallery(real: Showers, generated: Showers, count: int = 6) -> Figure:
    """Single showers, real above generated ones of the same particles, which are spread over the incident energies.

    Args:
      real: the first row.
      generated: showers of the same particles, one by one.
      count: number of columns.

    Raises:
      ValueError: the particles differ.
    """
    return figures.gallery(real, generated, count)


def mean_response(real: Showers, generated: Showers) -> Figure:
    """Mean energy of each cell (MeV) of both sets, and the ratio of the means."""
    return figures.mean_response(real, generated)


def distributions(real: Showers, generated: Showers) -> Figure:
    """Widths, asymmetries, sparsity and the centre as shares of showers, each above the ratio generated / real."""
    return figures.distributions(observable_columns(real), observable_columns(generated), real.lateral[0].size)


def linearity(real: Showers, generated: Showers, other: Showers) -> Figure:
    """Mean visible fraction and its relative standard deviation in octaves of the incident energy, in %.

    Args:
      real: Geant4's showers.
      generated: of any particles of the same beam.
      other: other real showers, whose 95 % interval is the grey band.
    """
    return physics_figures.response(responses(real, generated, other)["bins"])
