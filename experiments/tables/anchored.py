"""The anchored generator: its ablation, pilots and learning curve, and its start from a shipped one."""
from experiments.tables import common
from experiments.tables.common import OTHERS, device, fixed, runs_of, split_of, spread, table


def ablation():
    """Means over the seeds, each with the least and the greatest."""
    result = common.load("anchored_ablation")
    judges = list(result["real_against_real"]["auc"])
    variants = dict.fromkeys(run["variant"] for run in result["runs"])
    rows = [[name, *_ablation_row(runs_of(name, result), judges)] for name in variants]
    floor = result["real_against_real"]
    rows.append([OTHERS, "", "", *fixed([*floor["auc"].values(), floor["physics_prd"]["auc"]])])
    seen = (f"AUC, {judge.replace('_', ' ')}" for judge in judges)
    return table(["variant", "seeds", "GAN steps", *seen, "physics PRD-AUC"], rows)


def pilots():
    """The log of the pilots, in order."""
    shown = lambda values: ", ".join(f"{value:.3f}" for value in values or []) or "–"
    rows = [[run["name"], run["changed"], f"{run['gan_steps']:,}", shown(run["auc_observables"]),
             shown(run["auc_images"])] for run in common.load("anchored_pilots")["pilots"]]
    return table(["pilot", "what it was", "GAN steps", "AUC, observables", "AUC, images"], rows)


def learning_curve():
    """The rows of the long run's curve, thinned to about a dozen."""
    curve = common.load("anchored")["learning_curve"]
    prior_seconds = max(row["seconds"] for row in curve["rows"] if row["stage"] == "prior")
    rows = [row for row in curve["rows"] if row["stage"] == "gan"]
    kept = [row for i, row in enumerate(rows) if i in (0, 1, 2, 4, 6, 9) or (i + 1) % 5 == 0 or row is rows[-1]]
    points = [["prior alone", f"{prior_seconds / 60:.1f}",
              *_curve_cells([row for row in curve["rows"] if row["stage"] == "prior"][-1])]]
    points += [[f"{row['step']:,} steps", f"{(prior_seconds + row['seconds']) / 60:.1f}", *_curve_cells(row)]
              for row in kept]
    ceiling = [OTHERS, "", "0.5", f"{curve['physics_prd_ceiling']:.3f}", ""]
    return table(["state", "minutes", "classifier AUC", "physics PRD-AUC", "mean W1"], [*points, ceiling])


def calorimeters(name="calorimeters"):
    """Figures of the anchored recipe on other calorimeters, particles and energies, each beside other real showers."""
    result = common.load(name)
    prd, auc = (lambda found: found["physics_prd"]["auc"]), (lambda found, name: found["auc"][name])
    judges = "observables", "images"
    seeds = sorted({str(run["seed"]) for run in result["runs"]})
    named = lambda run: f"{run['variant']}, seed {run['seed']}" if seeds[1:] else run["variant"]
    rows = [[named(run), run["grid"], f"{run['training_showers']:,}", f"{run['showers']:,}",
             f"{prd(run):.3f} ({prd(run['real_against_real']):.3f})", f"{prd(run) / prd(run['real_against_real']):.2f}",
             *(f"{auc(run, name):.3f} ({auc(run['real_against_real'], name):.3f})" for name in judges),
             f"{sum(run['seconds'].values()) / 60:.0f}", f"{run['milliseconds_per_shower']:.2g}"]
            for run in result["runs"]]
    settings = result["runs"][0]["physics_prd"]
    steps = f"{result['settings']['steps']:,} steps of the GAN, " if result["settings"]["steps"] else ""
    seeds = f"seed{'s' * bool(seeds[1:])} {', '.join(seeds)}"
    note = (f"`anchored:{result['preset']}`, {steps}{seeds}, {device(result)}; in brackets: "
            f"other real showers; PRD: {settings['clusters']} clusters, {settings['runs']} runs, N = judged showers; "
            f"`{split_of(result)}` judges. Milliseconds: by the hundred, while other jobs ran.")
    head = ["showers", "cells", "for training", "judged", "physics PRD-AUC", "of the ceiling", "AUC, observables",
            "AUC, images", "minutes", "ms a shower"]
    return table(head, rows, note)


def few_showers(name="few_showers"):
    """Figures by particle and number of training showers, from fresh parameters and from a shipped generator."""
    result = common.load(name)
    variants = [run["variant"].split(", ") for run in result["runs"]]
    particles, rows = dict.fromkeys(kind for kind, *_ in variants), []
    for particle in particles:
        sizes = sorted({int(size) for kind, size, _ in variants if kind == particle})
        rows += [[particle, f"{size:,}", *_few_showers_cells(result, particle, size)] for size in sizes]
        real = result["real_against_real"][particle]
        rows.append([particle, OTHERS, *2 * fixed([real["auc"]["observables"]]),
                     *2 * fixed([real["physics_prd"]["auc"]]), ""])
    seeds = sorted({str(run["seed"]) for run in result["runs"]})
    settings, prd = result["settings"], real["physics_prd"]
    judges = " and ".join(f"{result['showers'][particle]:,} {particle}" for particle in particles)
    seed = f"{'seeds' if seeds[1:] else 'seed'} {', '.join(seeds)}"
    note = (f"{settings['prior']:,} steps of the prior and {settings['steps']:,} of the GAN, size "
            f"`{settings['size']}`, {seed}, {device(result)}; PRD: {prd['clusters']} clusters, {prd['runs']} runs; "
            f"{judges} of `{split_of(result)}` judge.")
    return table(["particle", "training showers", "AUC, alone", "AUC, started", "physics PRD-AUC, alone",
                  "physics PRD-AUC, started", "minutes"], rows, note)


def _few_showers_cells(result, particle, size):
    runs = {start: runs_of(f"{particle}, {size}, {start}", result) for start in ("alone", "started")}
    figures = (lambda run: run["auc"]["observables"], lambda run: run["physics_prd"]["auc"])
    cells = [spread([figure(run) for run in runs[start]]) if runs[start] else "–"
             for figure in figures for start in runs]
    return [*cells, common.minutes([*runs["alone"], *runs["started"]])]


def _ablation_row(runs, judges):
    steps = sorted({run["steps"] for run in runs})
    return [str(len(runs)), f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}",
            *(spread([run["auc"][judge] for run in runs]) for judge in judges),
            spread([run["physics_prd"]["auc"] for run in runs])]


def _curve_cells(row):
    return fixed(row[name] for name in ("auc", "physics_prd", "w1"))
