"""Pictures of an ensemble's evaluation: sampling fraction, profiles and mean blocks, by the number of generators."""
import numpy as np
from matplotlib.figure import Figure

from ecalgen.data.volume_observables import AXES
from ecalgen.evaluation.report.figures import COLOURS, in_style

LABELS = {"x": "x [cells]", "y": "y [cells]", "z": "Depth z [cells]"}


@in_style
def sampling_fractions(evaluations):
    """Mean sampling fraction against the incident energy, real (black) and of ensembles of 1, 2, ... generators.

    Args:
      evaluations: number of generators -> dict of `evaluate_volumes`.
    """
    figure = Figure(figsize=(8, 6.5), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True)
    first = next(iter(evaluations.values()))["sampling_fraction"]
    energies = np.array([np.sqrt(entry["low"] * entry["high"]) for entry in first])
    shown = {"Real": (first, "real", "black")} | {
        _members(count): (result["sampling_fraction"], "generated", COLOURS[i % len(COLOURS)])
        for i, (count, result) in enumerate(evaluations.items())}
    for i, (label, (bins, kind, colour)) in enumerate(shown.items()):
        shifted = energies * (1 + 0.02 * (i - len(shown) / 2))
        mean = 100 * np.array([entry[kind]["mean"] for entry in bins])
        low, high = 100 * np.array([entry[kind]["mean_interval"] for entry in bins]).T
        upper.errorbar(shifted, mean, np.maximum([mean - low, high - mean], 0), fmt="o", markersize=4, color=colour,
                       label=label)
        lower.plot(shifted, 100 * np.array([entry[kind]["std"] for entry in bins]), "o", markersize=4, color=colour)
    upper.set(ylabel="Mean sampling fraction [%]", xscale="log")
    lower.set(ylabel="Its deviation [%]", xlabel="Incident energy [GeV]")
    figure.legend(*upper.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


@in_style
def profiles(evaluations):
    """Mean share of the energy across each axis, linear and logarithmic, and generated over real.

    Args:
      evaluations: as in `sampling_fractions`.
    """
    figure = Figure(figsize=(10, 9), layout="constrained")
    panels = figure.subplots(3, len(AXES), sharex="col")
    for column, axis in zip(panels.T, AXES, strict=True):
        real = np.array(next(iter(evaluations.values()))["profiles"][axis]["real"])
        cells = np.arange(len(real)) + 0.5
        for panel in column[:2]:
            panel.plot(cells, real, "o", markersize=3, color="black", label="Real")
        for i, (count, result) in enumerate(evaluations.items()):
            found, colour = result["profiles"][axis], COLOURS[i % len(COLOURS)]
            for panel in column[:2]:
                panel.plot(cells, found["generated"], color=colour, label=_members(count))
            low, high = np.array(found["ratio_interval"]).T
            column[2].plot(cells, found["ratio"], color=colour)
            column[2].fill_between(cells, low, high, color=colour, alpha=0.2, linewidth=0)
        column[1].set_yscale("log")
        column[2].axhline(1, color="black", linewidth=1, linestyle="--")
        column[2].set(ylim=(0, 2), xlabel=LABELS[axis])
    for panel, label in zip(panels[:, 0], ("Share of the energy", "The same, log", "Generated / real"), strict=True):
        panel.set_ylabel(label)
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


@in_style
def mean_blocks(real, generated):
    """Log10 of the mean energy of the cells (MeV), summed along each axis: real above generated `Volumes`."""
    figure = Figure(figsize=(8.5, 5.8), layout="constrained")
    panels = figure.subplots(2, len(AXES))
    for column, (axis, number) in zip(panels.T, AXES.items(), strict=True):
        across = [name for name in AXES if name != axis]
        maps = [np.log10(np.maximum(volumes.energy.mean(0, dtype=np.float64).sum(number - 1), 1e-6))
                for volumes in (real, generated)]
        for panel, values, title in zip(column, maps, ("Real", "Generated"), strict=True):
            drawn = panel.pcolormesh(values.T, vmin=maps[0].max() - 5, vmax=maps[0].max(), cmap="viridis")
            panel.set(aspect="equal", xlabel=LABELS[across[0]], ylabel=LABELS[across[1]], title=title)
            panel.minorticks_off()
    figure.colorbar(drawn, ax=panels, location="bottom", aspect=40, extend="min", label="log10 of the energy [MeV]")
    return figure


def _members(count):
    return f"{count} generator" + "s" * (count > 1)
