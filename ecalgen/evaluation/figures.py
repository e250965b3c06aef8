"""Pictures of an evaluation: each function takes plain data and returns a matplotlib `Figure`.

Figures live outside pyplot, so nothing global is changed or left open; `png` renders one in the house style.
Real showers are black, generated ones blue; on maps of cells, grey is a cell without energy.
"""
import functools
import io

import matplotlib
import mplhep
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from ecalgen.data.observables import SPARSITY_THRESHOLDS
from ecalgen.data.showers import CELLS, PITCH, incident_energy, reference_point, slopes

COLOURS = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
"""The colour-blind-safe cycle of Okabe and Ito; the first one is for generated showers."""
EMPTY = "#dcdcdc"
TRACK = dict(marker="+", markersize=9, color="black", linestyle="", path_effects=[withStroke(linewidth=3.5, foreground="white")])
STYLE = mplhep.style.CMS | {
    "font.family": ["TeX Gyre Heros", "DejaVu Sans"], "font.size": 13, "axes.linewidth": 1, "axes.titlesize": "small",
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS), "axes.unicode_minus": True, "lines.linewidth": 1.5,
    "xtick.major.size": 6, "ytick.major.size": 6, "xtick.minor.size": 3, "ytick.minor.size": 3,
}
"""mplhep's CMS style at the size of a page rather than a slide."""
EDGES = (np.arange(CELLS + 1) - CELLS / 2) * PITCH
"""Edges of the cells along either axis, cm."""
THRESHOLD = int(np.argmin(np.abs(SPARSITY_THRESHOLDS - 1e-3)))
"""Column of the observable `sparsity` that is drawn: the threshold nearest to 1e-3 of the shower's energy."""
LABELS = {
    "longitudinal_width": "Longitudinal width [cells]",
    "transverse_width": "Transverse width [cells]",
    "delta_x": "Δx, centre minus track [cells]",
    "sparsity": f"Share of cells above {100 * SPARSITY_THRESHOLDS[THRESHOLD]:.2g} % of the energy",
    "longitudinal_asymmetry": "Longitudinal asymmetry",
    "transverse_asymmetry": "Transverse asymmetry",
}
"""Observable -> label of its axis, in the order of the panels of `distributions`."""


def in_style(draw):
    """`draw`, run under `STYLE`, with matplotlib's own settings back in place afterwards."""
    @functools.wraps(draw)
    def styled(*args, **kwargs):
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)
    return styled


@in_style
def png(figure, dpi=180):
    """The figure as the bytes of a PNG file: the same bytes whenever it is the same figure."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
    return file.getvalue()


def paired(real, generated):
    """Whether, for every i, shower i of both sets belongs to the same incident particle."""
    return len(real) == len(generated) and all(
        np.allclose(getattr(real, field), getattr(generated, field), rtol=1e-4, atol=1e-4)
        for field in ("momentum", "point"))


@in_style
def mean_response(real, generated):
    """Mean energy per cell of both sets on one log scale, and generated over real, centred at 1.

    Args:
      real, generated: `Showers`, energies `[N, 30, 30]` in MeV.
    """
    figure = Figure(figsize=(9, 4.7), layout="constrained")
    axes = figure.subplots(1, 3, sharex=True, sharey=True)
    means = [showers.energy.mean(0, dtype=np.float64) for showers in (real, generated)]
    ratio = np.divide(means[1], means[0], out=np.zeros_like(means[0]), where=means[0] > 0)
    norm = _energy_norm(*means)
    _draw_cells(axes[0], means[0], norm, "viridis")
    energies = _draw_cells(axes[1], means[1], norm, "viridis")
    ratios = _draw_cells(axes[2], ratio, _ratio_norm(ratio), "RdBu_r")
    for panel, title in zip(axes, ("Real", "Generated", "Generated / real"), strict=True):
        panel.set_title(title)
    figure.colorbar(energies, ax=axes[:2], location="bottom", aspect=35, extend="min", label="Mean energy per cell [MeV]")
    bar = figure.colorbar(ratios, ax=axes[2], location="bottom", aspect=17, extend="both", label="Ratio of the means")
    ticks = (0.1, 0.2, 0.5, 1, 2, 5, 10) if ratios.norm.vmax >= 2 else (0.6, 0.8, 1, 1.2, 1.5)
    ticks = [tick for tick in ticks if ratios.norm.vmin <= tick <= ratios.norm.vmax]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.minorticks_off()
    return figure


@in_style
def gallery(real, generated, count=6):
    """Single showers, real above generated for the same particle, all on one log scale.

    The particles sit at evenly spaced quantiles of the incident energy; a cross marks where the track passes
    the reference plane.

    Args:
      real, generated: `Showers` paired by index, energies in MeV.
      count: how many pairs.

    Raises:
      ValueError: when the two sets do not belong to the same particles.
    """
    if not paired(real, generated):
        raise ValueError("the gallery compares shower by shower: generate at the real showers' momentum and point")
    count = min(count, len(real))
    order = np.argsort(incident_energy(real.momentum), kind="stable")
    picks = order[((np.arange(count) + 0.5) * len(real) / count).astype(int)]
    norm = _energy_norm(real.energy[picks], generated.energy[picks])
    columns, blocks = min(count, 3), -(-count // 3)
    figure = Figure(figsize=(3 * columns, 6 * blocks + 1), layout="constrained")
    grid = figure.add_gridspec(2 * blocks, columns)
    for number, pick in enumerate(picks):
        block, column = divmod(number, columns)
        for row, showers, name in ((0, real, "real"), (1, generated, "generated")):
            panel = figure.add_subplot(grid[2 * block + row, column])
            drawn = _draw_cells(panel, showers.energy[pick], norm, "viridis")
            panel.plot(*reference_point(real.momentum[pick], real.point[pick]), **TRACK)
            panel.set_title(name if row else f"{_particle(real.momentum[pick])}\n{name}")
    figure.colorbar(drawn, ax=figure.axes, location="bottom", aspect=40, extend="min", label="Energy in the cell [MeV]")
    figure.legend(handles=[Patch(facecolor=EMPTY, edgecolor="grey", label="no energy"),
                           Line2D([], [], label="track", **TRACK)],
                  loc="outside upper center", ncols=2)
    return figure


@in_style
def distributions(real_observables, generated_observables, scores=None):
    """The six distributions of the papers as shares of showers, each above the ratio generated / real.

    Error bars and bands are one statistical standard deviation. The first and last bins hold what lies beyond.

    Args:
      real_observables, generated_observables: name -> `[N]` or `[N, 1]` (`sparsity`: `[N, 20]`).
      scores: `evaluation["observables"]`, whose Wasserstein-1 distances are quoted above the panels.
    """
    figure = Figure(figsize=(9, 12), layout="constrained")
    grid = figure.add_gridspec(3, 2)
    for number, (name, label) in enumerate(LABELS.items()):
        values = [_column(name, observables[name]) for observables in (real_observables, generated_observables)]
        inner = grid[divmod(number, 2)].subgridspec(2, 1, height_ratios=(3, 1), hspace=0)
        upper = figure.add_subplot(inner[0])
        lower = figure.add_subplot(inner[1], sharex=upper)
        _compare(upper, lower, _edges(name, *values), *values)
        upper.tick_params(labelbottom=False)
        upper.set_ylabel("Share of showers")
        lower.set(xlabel=label, ylabel="Ratio")
        if scores and name in scores:
            title = "$W_1$, all thresholds" if name == "sparsity" else "$W_1$"
            upper.set_title(f"{title}: {scores[name]['w1']:.3f} (real sets {scores[name]['w1_reference']:.3f})", loc="right")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside upper center", ncols=2)
    return figure


@in_style
def prd_curves(prd):
    """Precision against recall for each set of features, with its real-versus-real ceiling dashed.

    Args:
      prd: `evaluation["prd"]`: features -> curve, ceiling_curve, auc, std, ceiling, clusters, runs, n.
    """
    figure = Figure(figsize=(6, 6.6), layout="constrained")
    axes = figure.subplots()
    entries = {name: entry for name, entry in prd.items() if isinstance(entry, dict)}
    for (name, entry), colour in zip(entries.items(), COLOURS, strict=False):
        for curve, line, label in (
                ("curve", "-", f"{name}: AUC {entry['auc']:.3f} ± {entry['std']:.3f}"),
                ("ceiling_curve", "--", f"{name}, real against real: {entry['ceiling']:.3f}")):
            axes.plot(entry[curve]["recall"], entry[curve]["precision"], line, color=colour, label=label, clip_on=False)
    settings = {f"{entry['clusters']} clusters, {entry['runs']} runs, N = {entry['n']}" for entry in entries.values()}
    axes.set_title("; ".join(sorted(settings)), loc="right")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="Recall", ylabel="Precision", aspect="equal")
    figure.legend(loc="outside lower center", ncols=1)
    return figure


@in_style
def learning_curves(metrics):
    """Losses, and the monitored Wasserstein-1 distance where there is one, against the step: a panel for each stage.

    Args:
      metrics: rows of `metrics.jsonl`; values whose name ends in `loss`, and `w1`, are drawn.

    Raises:
      ValueError: when no row has any of them.
    """
    panels = {}
    for row in metrics:
        for name in (name for name in row if name.endswith("loss") or name == "w1"):
            kind = "Mean $W_1$ [deviations]" if name == "w1" else "Loss"
            panels.setdefault((row["stage"], kind), {}).setdefault(name, []).append((row["step"], row[name]))
    if not panels:
        raise ValueError("no row of the metrics holds a loss")
    figure = Figure(figsize=(9, 3.2 * len(panels)), layout="constrained")
    for axes, ((stage, kind), curves) in zip(figure.subplots(len(panels), squeeze=False).flat, panels.items(), strict=True):
        for name, points in curves.items():
            axes.plot(*np.asarray(points, float).T, label=name.replace("_", " "))
        axes.set(xlabel="Step", ylabel=kind, ylim=_bulk(curves))
        axes.set_title(f"Stage: {stage}", loc="left")
        if kind == "Loss":
            axes.legend(loc="upper right")
    return figure


def _draw_cells(axes, values, norm, colours):
    """Map `values [30, 30]` over x and y in cm, grey where there is nothing."""
    colours = matplotlib.colormaps[colours].with_extremes(bad=EMPTY)
    drawn = axes.pcolormesh(EDGES, EDGES, np.ma.masked_less_equal(values, 0).T, norm=norm, cmap=colours)
    axes.set(aspect="equal", xticks=(-20, 0, 20), yticks=(-20, 0, 20), xlabel="x [cm]", ylabel="y [cm]")
    axes.minorticks_off()
    axes.label_outer()
    return drawn


def _energy_norm(real, generated):
    """The log scale shared by two arrays of energies; generators fill cells with specks, so real ones set its foot."""
    filled = [values[values > 0] for values in (real, generated)]
    if not any(map(len, filled)):
        return LogNorm(1e-3, 1)
    high = max(values.max() for values in filled if len(values))
    low = np.quantile(filled[0] if len(filled[0]) else filled[1], 0.01)
    return LogNorm(min(low, high / 10), high)


def _ratio_norm(ratio):
    """A log scale centred at 1 that holds 95 % of the ratios, from 25 % to a factor of 10 either way."""
    logs = np.abs(np.log(ratio[ratio > 0]))
    reach = np.clip(np.exp(np.quantile(logs, 0.95)), 1.25, 10) if len(logs) else 1.25
    return LogNorm(1 / reach, reach)


def _particle(momentum):
    """A title: energy and slopes of one particle, momentum `[3]` in GeV."""
    x, y = slopes(momentum)
    return f"E = {float(incident_energy(momentum)):.3g} GeV\n$p_x/p_z$ = {x:+.2f}, $p_y/p_z$ = {y:+.2f}"


def _column(name, values):
    """The one number per shower that is drawn: `[N]`, `[N, 1]` or `[N, 20]` -> `[N]`."""
    return np.asarray(values, np.float64).reshape(len(values), -1)[:, THRESHOLD if name == "sparsity" else 0]


def _edges(name, real, generated):
    """Bin edges over the bulk of the real values, reaching for the generated ones by at most as much again."""
    low, high = np.quantile(real, (0.002, 0.998))
    span = max(high - low, 1e-3)
    low = max(min(low, np.quantile(generated, 0.01)), low - span)
    high = min(max(high, np.quantile(generated, 0.99)), high + span)
    bins = int(np.clip(np.sqrt(len(real)), 10, 40))
    if name != "sparsity":
        return np.linspace(low, high, bins + 1) if high - low >= span else np.linspace(low - span, high + span, bins + 1)
    # A share of cells is a multiple of 1/900: bins of whole cells, or some would hold more values than others.
    width = max(1, round((high - low) * CELLS**2 / bins))
    return (np.arange(round(low * CELLS**2), high * CELLS**2 + 2 * width, width) - 0.5) / CELLS**2


def _histogram(values, edges):
    """Share of the values in each bin and its Poisson deviation; the outer bins take what lies beyond."""
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
    return counts / len(values), np.sqrt(counts) / len(values)


def _compare(upper, lower, edges, real, generated):
    """Both histograms into `upper` and their ratio into `lower`; a triangle stands for a ratio above the frame."""
    (shares, errors), (generated_shares, generated_errors) = _histogram(real, edges), _histogram(generated, edges)
    mplhep.histplot(shares, edges, yerr=errors, histtype="errorbar", color="black", markersize=7, label="Real", ax=upper)
    mplhep.histplot(generated_shares, edges, yerr=False, color=COLOURS[0], label="Generated", ax=upper)
    upper.stairs(generated_shares + generated_errors, edges, baseline=generated_shares - generated_errors, fill=True,
                 color=COLOURS[0], alpha=0.25)
    upper.set(ylim=(0, None), xlim=(edges[0], edges[-1]))
    both = (shares > 0) & (generated_shares > 0)
    centres, top = (edges[1:] + edges[:-1])[both] / 2, 2
    ratio = generated_shares[both] / shares[both]
    error = ratio * np.hypot(errors[both] / shares[both], generated_errors[both] / generated_shares[both])
    inside = ratio <= top
    lower.axhline(1, color="black", linewidth=1, linestyle="--")
    lower.errorbar(centres[inside], ratio[inside], error[inside], fmt="o", markersize=3, color=COLOURS[0], linewidth=1)
    lower.plot(centres[~inside], np.full((~inside).sum(), 0.93 * top), "^", markersize=5, color=COLOURS[0])
    lower.set(ylim=(0, top), yticks=(0.5, 1, 1.5))


def _bulk(curves):
    """Limits that leave out the outermost 1 % of the values, the jumps of the first steps."""
    values = np.concatenate([np.asarray(points, float)[:, 1] for points in curves.values()])
    low, high = np.quantile(values[np.isfinite(values)], (0.005, 0.995)) if np.isfinite(values).any() else (0, 1)
    margin = 0.05 * (high - low) or 1
    return low - margin, high + margin
