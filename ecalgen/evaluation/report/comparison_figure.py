"""The figure that compares judged runs: every headline number and that between two real sets."""
import itertools

import numpy as np
from matplotlib.figure import Figure

from ecalgen.evaluation.metrics.registry import families
from ecalgen.evaluation.report.figures import COLOURS, in_style

MARKERS = "os^vPX"
LINEAR = 1e-3
"""Logarithmic axes are linear below it, since a distance may be 0 or less."""


@in_style
def comparison(found):
    """One panel for each family, one line for each number, one marker for each run; grey for two real sets.

    Args:
      found: name of the run -> its `measures`.
    """
    names = {family: list(dict.fromkeys(name for table in found.values() for other, name in table if other == family))
             for family in families()}
    names = {family: listed for family, listed in names.items() if listed}
    lines = [len(listed) * max(1, 0.5 * len(found)) + 1.2 for listed in names.values()]
    figure = Figure(figsize=(7, 0.42 * sum(lines) + 1 + 0.25 * len(found)), layout="constrained")
    panels = figure.subplots(len(names), squeeze=False, height_ratios=lines).ravel()
    for axes, (family, listed) in zip(panels, names.items(), strict=True):
        _panel(axes, found, family, listed)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=1 if len(found) > 3 else 2)
    return figure


def _panel(axes, found, family, listed):
    rows, step = np.arange(len(listed)), 0.8 / len(found)
    for index, ((run, table), marker) in enumerate(zip(found.items(), itertools.cycle(MARKERS), strict=False)):
        values = [table.get((family, name)) for name in listed]
        shift = rows - 0.4 + step * (index + 0.35)
        _points(axes, shift + 0.3 * step, [value and value[2:] for value in values], "d", "0.55",
                "Two real sets" if index == 0 else None)
        _points(axes, shift, [value and value[:2] for value in values], marker, COLOURS[index % len(COLOURS)], run)
    axes.set(xlabel=family, ylim=(len(listed) - 0.5, -0.5))
    axes.set_yticks(rows, listed)
    axes.tick_params(axis="y", which="both", length=0)
    axes.hlines(rows[1:] - 0.5, 0, 1, transform=axes.get_yaxis_transform(), color="0.85", linewidth=1)
    if families()[family].logarithmic:
        axes.set_xscale("symlog", linthresh=LINEAR)


def _points(axes, positions, values, marker, colour, label):
    """Draw (value, interval) at each position, leaving out None."""
    centre, low, high = np.array([[np.nan] * 3 if value is None or value[0] is None else
                                  [value[0], *(value[1] or [value[0]] * 2)] for value in values], float).T
    axes.errorbar(centre, positions, xerr=np.maximum([centre - low, high - centre], 0), fmt=marker, markersize=4,
                  color=colour, label=label)
