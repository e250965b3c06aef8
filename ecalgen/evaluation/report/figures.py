"""Figures of an evaluation: each function takes plain data and returns a matplotlib `Figure`.

Figures do not use pyplot, so that no global state is changed or left open. `png` renders one in `STYLE`.
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
from ecalgen.data.showers import incident_energy, reference_point, same_particles, slopes

COLOURS = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
"""The colour-blind-safe cycle of Okabe and Ito; the first colour is for generated showers."""
EMPTY = "#dcdcdc"
TRACK = {"marker": "+", "markersize": 6, "color": "black", "linestyle": "",
         "path_effects": [withStroke(linewidth=3, foreground="white")]}
STYLE = mplhep.style.CMS | {
    "font.family": ["TeX Gyre Heros", "DejaVu Sans"], "font.size": 13, "axes.linewidth": 1, "axes.titlesize": "small",
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS), "axes.unicode_minus": True, "lines.linewidth": 1.5,
    "xtick.major.size": 6, "ytick.major.size": 6, "xtick.minor.size": 3, "ytick.minor.size": 3,
}
"""mplhep's CMS style with sizes for a page instead of a slide."""
THRESHOLD = int(np.argmin(np.abs(SPARSITY_THRESHOLDS - 1e-3)))
"""Column of the observable `sparsity` that is drawn, whose threshold is nearest to 1e-3 of the shower's energy."""
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
    """Let `draw` run in `STYLE`, and restore matplotlib's settings afterwards."""
    @functools.wraps(draw)
    def styled(*args, **kwargs):
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)
    return styled


@in_style
def png(figure, dpi=180):
    """The figure as the bytes of a PNG file, which are the same for the same figure."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
    return file.getvalue()


@in_style
def mean_response(real, generated):
    """Mean energy per cell of both `Showers` on one log scale (MeV), and generated over real, centred at 1."""
    figure = Figure(figsize=(8, 4.05), layout="constrained")
    axes = figure.subplots(1, 3, sharex=True, sharey=True)
    means = [showers.lateral.mean(0, dtype=np.float64) for showers in (real, generated)]
    ratio = np.divide(means[1], means[0], out=np.zeros_like(means[0]), where=means[0] > 0)
    scales = [_energy_norm(*means)] * 2 + [_ratio_norm(ratio)]
    titles, colours = ("Real", "Generated", "Generated / real"), ("viridis", "viridis", "RdBu_r")
    drawn = [_draw_cells(*panel, real.grid)
             for panel in zip(axes, [*means, ratio], scales, colours, titles, strict=True)]
    figure.colorbar(drawn[1], ax=axes[:2], location="bottom", aspect=35, extend="min", label="Mean energy [MeV]")
    bar = figure.colorbar(drawn[2], ax=axes[2], location="bottom", aspect=17, extend="both", label="Ratio of the means")
    ticks = (0.1, 0.2, 0.5, 1, 2, 5, 10) if scales[2].vmax >= 2 else (0.6, 0.8, 1, 1.2, 1.5)
    ticks = [tick for tick in ticks if scales[2].vmin <= tick <= scales[2].vmax]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.minorticks_off()
    return figure


@in_style
def gallery(real, generated, count=6):
    """Single showers, real above generated for the same particle, all on one log scale (MeV).

    The particles are at evenly spaced quantiles of the incident energy. A cross marks where the track crosses the
    reference plane.

    Raises:
      ValueError: the two `Showers` do not belong to the same particles, one by one.
    """
    if not same_particles(real, generated):
        raise ValueError("the gallery compares shower by shower: generate at the real showers' momentum and point")
    picks = _spread_over_energy(real, count)
    norm = _energy_norm(real[picks].lateral, generated[picks].lateral)
    columns, blocks = min(len(picks), 3), -(-len(picks) // 3)
    figure = Figure(figsize=(2.7 * columns, 5.1 * blocks + 1), layout="constrained")
    grid = figure.add_gridspec(2 * blocks, columns)
    for number, pick in enumerate(picks):
        block, column = divmod(number, 3)
        for row, showers, title in ((0, real, f"{_particle(real.momentum[pick])}\nreal"), (1, generated, "generated")):
            panel = figure.add_subplot(grid[2 * block + row, column])
            drawn = _draw_cells(panel, showers[pick:pick + 1].lateral[0], norm, "viridis", title, showers.grid)
            panel.plot(*reference_point(real.momentum[pick], real.point[pick], real.grid), **TRACK)
    figure.colorbar(drawn, ax=figure.axes, location="bottom", pad=0.02 / blocks, aspect=40, extend="min",
                    label="Energy in the cell [MeV]")
    figure.legend(handles=[Patch(facecolor=EMPTY, edgecolor="grey", label="no energy"),
                           Line2D([], [], label="track", **TRACK)], loc="outside upper center", ncols=2)
    return figure


@in_style
def distributions(real_observables, generated_observables, cells, scores=None):
    """The six distributions of the papers as shares of showers, each above the ratio generated / real.

    Error bars and bands are one statistical standard deviation. The first and last bins also hold the values beyond.

    Args:
      real_observables, generated_observables: name -> `[N]` or `[N, 1]` (`sparsity`: `[N, 20]`).
      cells: how many a shower has.
      scores: `evaluation["observables"]`, whose Wasserstein-1 distances are quoted above the panels.
    """
    figure = Figure(figsize=(8, 11), layout="constrained")
    grid = figure.add_gridspec(3, 2)
    for number, (name, label) in enumerate(LABELS.items()):
        values = [_column(name, observables[name]) for observables in (real_observables, generated_observables)]
        inner = grid[divmod(number, 2)].subgridspec(2, 1, height_ratios=(3, 1), hspace=0)
        upper = figure.add_subplot(inner[0])
        lower = figure.add_subplot(inner[1], sharex=upper)
        _compare(upper, lower, _bins(name, *values, cells), *values)
        lower.set_xlabel(label)
        if scores and name in scores:
            upper.set_title(_distance(name, scores[name]), loc="right")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside upper center", ncols=2)
    return figure


@in_style
def prd_curves(prd):
    """Precision against recall for each set of features of `evaluation["prd"]`; dashed, between two real sets."""
    figure = Figure(figsize=(6, 6.6), layout="constrained")
    axes = figure.subplots()
    entries = {name: entry for name, entry in prd.items() if isinstance(entry, dict)}
    for (name, entry), colour in zip(entries.items(), COLOURS, strict=False):
        draw = functools.partial(axes.plot, color=colour, clip_on=False)
        curve, ceiling = entry["curve"], entry["ceiling_curve"]
        draw(curve["recall"], curve["precision"], label=f"{name}: AUC {entry['auc']:.3f} ± {entry['std']:.3f}")
        draw(ceiling["recall"], ceiling["precision"], "--", label=f"{name}, real against real: {entry['ceiling']:.3f}")
    settings = {f"{entry['clusters']} clusters, {entry['runs']} runs, N = {entry['n']}" for entry in entries.values()}
    axes.set_title("; ".join(sorted(settings)), loc="right")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="Recall", ylabel="Precision", aspect="equal")
    figure.legend(loc="outside lower center")
    return figure


@in_style
def learning_curves(metrics):
    """Losses, and the Wasserstein-1 distance where it was monitored, against the step, for each stage.

    Args:
      metrics: rows of `metrics.jsonl`; values whose name ends in `loss`, and `w1`, are drawn.

    Raises:
      ValueError: no row has any of them.
    """
    panels = _curves(metrics)
    if not panels:
        raise ValueError("no row of the metrics holds a loss")
    figure = Figure(figsize=(8, 3 * len(panels)), layout="constrained")
    for axes, ((stage, kind), curves) in zip(figure.subplots(len(panels), squeeze=False).flat, panels.items(),
                                             strict=True):
        for name, points in curves.items():
            axes.plot(*np.asarray(points, float).T, label=name.replace("_", " "))
        axes.set(xlabel="Step", ylabel=kind, ylim=_reach([value for points in curves.values() for _, value in points]))
        axes.set_title(f"Stage: {stage}", loc="left")
        if kind == "Loss":
            axes.legend(loc="upper right")
    return figure


def _curves(metrics):
    """(stage, kind of number) -> name -> [(step, value)], for each panel of `learning_curves`."""
    panels = {}
    for row in metrics:
        for name in (name for name in row if name.endswith("loss") or name == "w1"):
            kind = "Mean $W_1$ [deviations]" if name == "w1" else "Loss"
            panels.setdefault((row["stage"], kind), {}).setdefault(name, []).append((row["step"], row[name]))
    return panels


def _reach(values):
    """Limits that leave out the outermost 1 % of the values, which are jumps of the first steps."""
    low, high = np.nanquantile(np.array(values, float), (0.005, 0.995))
    margin = 0.05 * (high - low) or 1
    return low - margin, high + margin


def _draw_cells(axes, values, norm, colours, title, grid):
    """Map `values [nx, ny]` over x and y in cm; values of 0 are grey."""
    colours = matplotlib.colormaps[colours].with_extremes(bad=EMPTY)
    corners = (corner.T for corner in grid.corners())
    drawn = axes.pcolormesh(*corners, np.ma.masked_less_equal(values, 0).T, norm=norm, cmap=colours)
    reach = float(f"{0.7 * min(grid.half_face):.1g}")
    axes.set(aspect="equal", xticks=(-reach, 0, reach), yticks=(-reach, 0, reach), xlabel="x [cm]", ylabel="y [cm]",
             title=title)
    axes.minorticks_off()
    axes.label_outer()
    return drawn


def _energy_norm(real, generated):
    """The log scale of two arrays of energies; its lower end is a real energy, since generated ones may be tiny."""
    filled = [values[values > 0].astype(np.float64) for values in (real, generated) if (values > 0).any()]
    filled = filled or [np.ones(1)]
    high = max(values.max() for values in filled)
    return LogNorm(min(np.quantile(filled[0], 0.01), high / 10), high)


def _ratio_norm(ratio):
    """A log scale centred at 1 that holds 95 % of the ratios, at least a factor of 1.25 and at most 10 either way."""
    logs = np.abs(np.log(ratio[ratio > 0]))
    reach = np.exp(np.clip(np.quantile(logs, 0.95) if len(logs) else 0, np.log(1.25), np.log(10)))
    return LogNorm(1 / reach, reach)


def _particle(momentum):
    """Energy and slopes of a particle of momentum `[3]` in GeV, as a title."""
    x, y = (f"{float(slope):+.2f}".replace("-", "−") for slope in slopes(momentum))
    return f"E = {float(incident_energy(momentum)):.3g} GeV\n$p_x/p_z$ = {x}, $p_y/p_z$ = {y}"


def _spread_over_energy(showers, count):
    """Indices of `count` showers at evenly spaced quantiles of the incident energy, or of all if there are fewer."""
    count = min(count, len(showers))
    order = np.argsort(incident_energy(showers.momentum), kind="stable")
    return order[((np.arange(count) + 0.5) * len(showers) / count).astype(int)]


def _distance(name, scores):
    """The Wasserstein-1 distance of an observable, as a title."""
    title = "$W_1$, all thresholds:" if name == "sparsity" else "$W_1$:"
    return f"{title} {scores['w1']:.3f} (real sets: {scores['w1_reference']:.3f})"


def _column(name, values):
    """The one number per shower that is drawn: `[N]`, `[N, 1]` or `[N, 20]` -> `[N]`."""
    return np.asarray(values, np.float64).reshape(len(values), -1)[:, THRESHOLD if name == "sparsity" else 0]


def _bins(name, real, generated, cells):
    """Bin edges over the bulk of the real values, extended towards the generated ones by at most the same width."""
    low, high = np.quantile(real, (0.002, 0.998))
    span = max(high - low, 1e-2)
    low = max(min(low, np.quantile(generated, 0.01)), low - span) - 0.01 * span
    high = min(max(high, np.quantile(generated, 0.99)), high + span) + 0.01 * span
    bins = int(np.clip(np.sqrt(len(real)), 10, 40))
    if name != "sparsity":
        return np.linspace(low, high, bins + 1)
    # A share of cells is a multiple of 1/cells: bins of whole cells, or some would hold more values than others.
    width = max(1, round((high - low) * cells / bins))
    return (np.arange(round(low * cells), high * cells + 2 * width, width) - 0.5) / cells


def _histogram(values, edges):
    """Share of the values in each bin and its Poisson error; the outer bins hold the values beyond."""
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
    return counts / len(values), np.sqrt(counts) / len(values)


def _compare(upper, lower, edges, real, generated):
    """Draw both histograms into `upper` and their ratio into `lower`; a triangle is a ratio above the frame."""
    (shares, errors), (ours, our_errors) = _histogram(real, edges), _histogram(generated, edges)
    mplhep.histplot(shares, edges, yerr=errors, histtype="errorbar", color="k", markersize=7, label="Real", ax=upper)
    mplhep.histplot(ours, edges, yerr=False, color=COLOURS[0], label="Generated", ax=upper)
    upper.stairs(ours + our_errors, edges, baseline=ours - our_errors, fill=True, color=COLOURS[0], alpha=0.25)
    upper.set(ylim=(0, None), xlim=(edges[0], edges[-1]), ylabel="Share of showers")
    upper.tick_params(labelbottom=False)
    both = (shares > 0) & (ours > 0)
    centres, ratio = ((edges[1:] + edges[:-1]) / 2)[both], ours[both] / shares[both]
    error = ratio * np.hypot(errors[both] / shares[both], our_errors[both] / ours[both])
    inside = ratio <= 2
    lower.axhline(1, color="black", linewidth=1, linestyle="--")
    lower.errorbar(centres[inside], ratio[inside], error[inside], fmt="o", markersize=3, color=COLOURS[0], linewidth=1)
    lower.plot(centres[~inside], np.full((~inside).sum(), 1.86), "^", markersize=5, color=COLOURS[0])
    lower.set(ylim=(0, 2), yticks=(0.5, 1, 1.5), ylabel="Ratio")
