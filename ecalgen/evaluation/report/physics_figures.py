"""Figures of the response, of the profiles, and of the classifier's AUC against the conditions of the particle.

Real showers are black, generated ones blue, and a second real set is a grey band.
"""
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from ecalgen.evaluation.report.figures import COLOURS, in_style

CONDITIONS = {
    "energy_gev": "Incident energy [GeV]",
    "angle_degrees": "Angle to the normal [degrees]",
    "azimuth_degrees": "Azimuth [degrees]",
    "entry_cm": "Track to the centre [cm]",
}
"""Quantity of the bins -> label of its axis, in the order of the panels of `verdict_by_condition`."""
RESPONSES = {"mean": "Visible fraction [%]", "resolution": "Resolution [%]"}
AXES = {"along": "Along the track [cells]", "across": "Across the track [cells]"}


@in_style
def response(bins):
    """Mean visible fraction and resolution against the incident energy, from `evaluation["response"]["bins"]`."""
    figure = Figure(figsize=(8, 7.4), layout="constrained")
    panels = figure.subplots(2, sharex=True)
    energies = np.sqrt([entry["low"] * entry["high"] for entry in bins])
    for axes, (name, label) in zip(panels, RESPONSES.items(), strict=True):
        _band(axes, energies, *_percent(bins, "reference", name)[1:])
        for kind, colour, shift in (("real", "black", 0.97), ("generated", COLOURS[0], 1.03)):
            value, low, high = _percent(bins, kind, name)
            axes.errorbar(shift * energies, value, np.maximum([value - low, high - value], 0), fmt="o", markersize=5,
                          color=colour, label=kind.capitalize())
        axes.set(ylabel=label, xscale="log")
    panels[1].set(xlabel="Incident energy [GeV]")
    _logarithmic(panels[1], _percent(bins, "real", "resolution"))
    _label_ticks(panels[1], [entry["low"] for entry in bins] + [entry["high"] for entry in bins[-1:]])
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


@in_style
def profiles(profile):
    """Mean energy in bins along and across the track above its ratio to the real one, from `evaluation["profile"]`."""
    figure = Figure(figsize=(8, 6), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(2, 1))
    edges = np.array(profile["edges_cells"])
    edges = np.array([2 * edges[0] - edges[1], *edges, 2 * edges[-1] - edges[-2]])
    for (upper, lower), (name, label) in zip(panels.T, AXES.items(), strict=True):
        upper.plot((edges[1:] + edges[:-1]) / 2, profile[name]["real"], "o", markersize=5, color="black", label="Real")
        upper.stairs(profile[name]["generated"], edges, color=COLOURS[0], label="Generated", linewidth=1.5)
        _logarithmic(upper, profile[name]["real"])
        _draw_ratio(lower, edges, profile[name])
        lower.set(xlabel=label)
    reach = _farthest(profile[name]["ratio"] for name in AXES)
    panels[0, 0].set_ylabel("Energy [MeV / GeV]")
    panels[1, 0].set(ylabel="Ratio", ylim=(1 - reach, 1 + reach))
    handles = [panel.get_legend_handles_labels() for panel in (panels[0, 0], panels[1, 0])]
    figure.legend(*(first + second for first, second in zip(*handles, strict=True)), loc="outside upper center",
                  ncols=3)
    return figure


@in_style
def depth_profile(profile):
    """Mean energy in each layer above its ratio to the real one, from `evaluation["profile"]` of cells in depth."""
    figure = Figure(figsize=(6, 6), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(2, 1))
    depths, shown = np.array(profile["depths_cm"]), profile["depth"]
    edges = np.linspace(0, depths[-1] + depths[0], len(depths) + 1)
    upper.plot(depths, shown["real"], "o", markersize=5, color="black", label="Real")
    upper.stairs(shown["generated"], edges, color=COLOURS[0], label="Generated", linewidth=1.5)
    _logarithmic(upper, shown["real"])
    _draw_ratio(lower, edges, shown)
    reach = _farthest([shown["ratio"]])
    upper.set_ylabel("Energy [MeV / GeV]")
    lower.set(xlabel="Depth [cm]", ylabel="Ratio", ylim=(1 - reach, 1 + reach))
    handles = [panel.get_legend_handles_labels() for panel in (upper, lower)]
    figure.legend(*(first + second for first, second in zip(*handles, strict=True)), loc="outside upper center",
                  ncols=3)
    return figure


@in_style
def verdict_by_condition(bins):
    """AUC of the classifier in bins of each condition, from `evaluation["c2st"][classifier]["bins"]`."""
    shown = {name: entries for name, entries in bins.items() if entries}
    figure = Figure(figsize=(8, 3.4 * -(-len(shown) // 2)), layout="constrained")
    panels = figure.subplots(-(-len(shown) // 2), 2, sharey=True, squeeze=False).ravel()
    for axes, (name, entries) in zip(panels, shown.items(), strict=False):
        labels = [f"{entry['low']:g}–{entry['high']:g}" for entry in entries]
        auc, low, high = np.array([[entry["auc"], *entry["interval"]] for entry in entries]).T
        axes.errorbar(range(len(auc)), auc, np.maximum([auc - low, high - auc], 0), fmt="o", markersize=5)
        axes.axhline(0.5, color="black", linewidth=1, linestyle="--")
        axes.set(xlabel=CONDITIONS[name], xlim=(-0.5, len(auc) - 0.5))
        axes.set_xticks(range(len(auc)), labels)
        axes.minorticks_off()
    for axes in panels[len(shown):]:
        axes.set_visible(False)
    for axes in panels[::2]:
        axes.set_ylabel("AUC")
    return figure


def _draw_ratio(axes, edges, values):
    """Generated over real with 95 % intervals, and the interval of a second real set."""
    centres = (edges[1:] + edges[:-1]) / 2
    ratio, bounds = np.array(values["ratio"], float), np.array(values["ratio_interval"], float).T
    _band(axes, centres, *np.array(values["reference_ratio_interval"], float).T)
    axes.axhline(1, color="black", linewidth=1, linestyle="--")
    axes.errorbar(centres, ratio, np.maximum([ratio - bounds[0], bounds[1] - ratio], 0), fmt="o", markersize=4,
                  color=COLOURS[0])


def _farthest(ratios):
    """The largest distance of ratios from 1 and a margin, at least 0.115 and at most 1."""
    values = np.concatenate([np.array(ratio, float) for ratio in ratios])
    return min(1.15 * max(0.1, np.nanmax(np.abs(values - 1), initial=0)), 1)


def _label_ticks(axes, ticks):
    """Plain numbers along both logarithmic axes, with the given ticks of x."""
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False, minor_thresholds=(2, 0.5)))
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.minorticks_off()


def _logarithmic(axes, values):
    """Set a log scale of y if any value is positive."""
    if np.any(np.asarray(values) > 0):
        axes.set_yscale("log")


def _percent(bins, kind, name):
    """Value and both ends of the interval in each bin, in %: `[3, bins]`."""
    return 100 * np.array([[entry[kind][name], *entry[kind][f"{name}_interval"]] for entry in bins]).T


def _band(axes, positions, low, high):
    """Draw the 95 % interval of a second real set."""
    axes.fill_between(positions, low, high, color="black", alpha=0.15, linewidth=0, label="Other real, 95 %")
