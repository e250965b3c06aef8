"""Write the tables of the README and of the model cards from the files in `results/`: no figure is typed by hand.

    python -m experiments.tables
"""
import json
import pathlib
import statistics

from ecalgen.evaluation.report.sensitivity import SEEN, load_sensitivity

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
SYSTEMS = {
    "anchored": "Prior fitted by likelihood, corrected by a GAN (`configs/anchored.py`)",
    "anchored_light": "Such a prior corrected cell by cell, a tenth of the size (`configs/anchored.py:cpu,size=light`)",
    "aux_twostep": "Self-attention GAN with a frozen regressor of seven observables in its discriminator "
                   "(`configs/aux_twostep.py:cpu,targets=scalars` without bound, four times the steps)",
    "aux_multitask": "The same with a regressor of two asymmetries, trained with it (`configs/aux_multitask.py:cpu`)",
    "baseline": "Self-attention GAN with spectral norm, close to the papers' (`configs/baseline.py:cpu,recipe=paper`)",
}
"""Name of a file in `results/` -> how its system is called."""
COMMANDS = {"anchored_cpu": "The same, by this page's first command (`configs/anchored.py:cpu`)"}
CLASSIC = {"gflash": "Parametrised shower, no network (`ecalgen/simulation/gflash.py`)"}
"""The same of what is no shipped generator; shown where their files are there."""
MODELS = {"baseline": "Baseline", "cnn": "CNN", "cnn_sa": "CNN SA", "disc_arch": "DiscArch",
          "disc_arch_hlr": "DiscArch HLR", "disc_arch_llr": "DiscArch LLR", "multitask": "Multi-task"}
"""Of table 1, as the paper calls them."""
NAMES = {"geant4": "other showers of Geant4",
         "cells of other showers": "every cell from another shower, bad on purpose"}
"""In `results/ranking.json` -> in the table of it."""
TABLE_1 = {"baseline": (0.877, 0.669, None), "cnn": (0.959, 0.943, 0.297), "cnn_sa": (0.963, 0.947, 0.279),
           "disc_arch": (0.952, 0.939, 0.300), "disc_arch_hlr": (0.966, 0.951, 0.235),
           "disc_arch_llr": (0.967, 0.952, 0.223)}
"""Model -> physics and raw PRD-AUC and the regressor's MSE in Rogachev and Ratnikov 2023, table 1."""
LOOKED_AT = ("longitudinal_asymmetry", "transverse_asymmetry", "visible_fraction")
"""What table 1 shows one by one: the regressors' targets, and what is furthest off."""
AUXILIARY_HEAD = ("seeds", "physics PRD-AUC", "raw PRD-AUC", "over the ceiling, physics", "raw", "mean Wasserstein-1",
                  *(f"of the {name.replace('_', ' ')}" for name in LOOKED_AT), "classifier AUC, observables")
LINEAGE_HEAD = ("physics PRD-AUC", "raw PRD-AUC", "W1 of the widths", "W1 of the asymmetries",
                "of the visible fraction", "classifier AUC, observables", "images")
CLAIMS = {"wgan": (0.936, 0.971), "sagan, spectral norm in D": (0.895, 0.901),
          "sagan, spectral norm in G and D": (0.948, 0.975)}
"""Row of the lineage's table -> physics and raw PRD-AUC in Ratnikov and Rogachev 2021."""
FEATURES = ("physics", "raw")
RINGS = ("ring_shares", "ring_energies")
"""What evaluations call the observable of the rings: E_i / S, and in older ones E_i in MeV."""
ONE_TEST = {"split": "test"}
"""Of results on the samples that have no `selection`."""
BINS = {"energy_gev": "GeV", "angle_degrees": "degrees to the normal", "azimuth_degrees": "degrees of azimuth",
        "entry_cm": "cm from the centre"}


def systems():
    """A row a system, with what its figures depend on below."""
    titles = SYSTEMS | COMMANDS | CLASSIC
    order = ("anchored", *COMMANDS, *(name for name in SYSTEMS if name != "anchored"), *CLASSIC)
    shown = {name: titles[name] for name in order if (HERE / "results" / f"{name}.json").exists()}
    results = [load(name) for name in shown]
    head = ["system", "physics PRD-AUC (ceiling)", "raw PRD-AUC (ceiling)", "classifier AUC by observables (floor)",
            "by images (floor)", "trained for", "judged by"]
    rows = [[name, _prd(result, "physics"), _prd(result, "raw"), _auc(result, "observables"), _auc(result, "images"),
             _training(result), f"{_judged(result)} showers"]
            for name, result in zip(shown.values(), results, strict=True)]
    return "\n".join([*_markdown(head, rows), "", _settings(results) + _matched(shown, results)])


def cards():
    """Of each shipped generator, every judge's verdict and that in bins of the condition."""
    parts = []
    for name, title in SYSTEMS.items():
        result = load(name)
        rows = [[judge.replace("_", " "), _auc(result, judge)] for judge in result["c2st"]]
        rows += [[f"{judge.replace('_', ' ')}, floor at the same conditions", f"{test['matched_floor']:.3f}"]
                 for judge, test in result["c2st"].items() if "matched_floor" in test]
        bins = result["c2st"]["observables_and_conditions"]["bins"]
        rows += [[f"observables and conditions, {entry['low']:g} to {entry['high']:g} {BINS[quantity]}",
                  f"{entry['auc']:.3f} [{entry['interval'][0]:.3f}, {entry['interval'][1]:.3f}]"]
                 for quantity, entries in bins.items() for entry in entries]
        rows += [[f"{features} PRD-AUC (ceiling)", _prd(result, features)] for features in FEATURES]
        rows += [[f"{features} PRD-AUC of the first {result['prd'][features]['matched_n']:,} (matched ceiling)",
                  _matched_prd(result, features)]
                 for features in FEATURES if "matched_ceiling" in result["prd"][features]]
        rows += [[f"Wasserstein-1, {observable.replace('_', ' ')} (between real sets)",
                  f"{entry['w1']:.3f} ({entry['w1_reference']:.3f})"]
                 for observable, entry in result["observables"].items()]
        rows += [[f"visible fraction and its deviation, {entry['low']:g} to {entry['high']:g} GeV (Geant4)",
                  f"{_visible(entry['generated'])} ({_visible(entry['real'])})"]
                 for entry in result["response"]["bins"]]
        parts += [f"### `{name}`: {title}", "", f"Trained for {_training(result)}; {_judged(result)} showers.", "",
                   *_markdown(["judged by", "reached (floor, interval or Geant4)"], rows), ""]
    return "\n".join(parts).rstrip()


def ablation():
    """Means over the seeds, each with the least and the greatest."""
    result = load("anchored_ablation")
    judges = list(result["real_against_real"]["auc"])
    variants = dict.fromkeys(run["variant"] for run in result["runs"])
    rows = [[name, *_ablation_row([run for run in result["runs"] if run["variant"] == name], judges)]
            for name in variants]
    floor = result["real_against_real"]
    rows.append(["other real showers", "", "", *(f"{floor['auc'][judge]:.3f}" for judge in judges),
                 f"{floor['physics_prd']['auc']:.3f}"])
    seen = (f"AUC, {judge.replace('_', ' ')}" for judge in judges)
    head = ["variant", "seeds", "GAN steps", *seen, "physics PRD-AUC"]
    return "\n".join(_markdown(head, rows))


def pilots():
    """The log of what was tried, in order."""
    shown = lambda values: ", ".join(f"{value:.3f}" for value in values or []) or "–"
    rows = [[run["name"], run["changed"], f"{run['gan_steps']:,}", shown(run["auc_observables"]),
             shown(run["auc_images"])] for run in load("anchored_pilots")["pilots"]]
    return "\n".join(_markdown(["pilot", "what it was", "GAN steps", "AUC, observables", "AUC, images"], rows))


def learning_curve():
    """The rows of the long run's curve, thinned to about a dozen."""
    curve = load("anchored")["learning_curve"]
    prior_seconds = max(row["seconds"] for row in curve["rows"] if row["stage"] == "prior")
    rows = [row for row in curve["rows"] if row["stage"] == "gan"]
    kept = [row for i, row in enumerate(rows) if i in (0, 1, 2, 4, 6, 9) or (i + 1) % 5 == 0 or row is rows[-1]]
    table = [["prior alone", f"{prior_seconds / 60:.1f}",
              *_curve_cells([row for row in curve["rows"] if row["stage"] == "prior"][-1])]]
    table += [[f"{row['step']:,} steps", f"{(prior_seconds + row['seconds']) / 60:.1f}", *_curve_cells(row)]
              for row in kept]
    ceiling = ["other real showers", "", "0.5", f"{curve['physics_prd_ceiling']:.3f}", ""]
    return "\n".join(_markdown(["state", "minutes", "classifier AUC", "physics PRD-AUC", "mean W1"], [*table, ceiling]))


def checks():
    """What the shipped showers are like: response by energy, containment, and the lists of physics."""
    result = load("data_checks")
    samples = result["samples"]
    percent = lambda value, error=None: f"{100 * value:.2f}" + (f" ± {100 * error:.2f}" if error is not None else "")
    rows = [[f"{entry['energy']:.1f} GeV", *(f"{percent(b['visible_fraction'], b['visible_fraction_error'])}; "
                                             f"{percent(b['resolution'], b['resolution_error'])}" for b in bins)]
            for bins in zip(*(sample["bins"] for sample in samples.values()), strict=True) for entry in bins[:1]]
    fit = lambda r: " (+) ".join(map(percent, (r["stochastic"], r["constant"]), r["errors"]))
    rows += [["fit a (+) b", *(fit(sample["resolution"]) for sample in samples.values())],
             ["cells hit, mean transverse width",
              *(f"{percent(s['occupied'])}, {s['transverse_width_cm']:.2f} cm" for s in samples.values())]]
    head = ["visible fraction; resolution, %", *(f"`{name}`, {s['showers']:,}" for name, s in samples.items())]
    contained = [[f"{c['energy']} GeV", percent(c["deposited"]), *map(percent, c["visible_within"].values())]
                 for c in result["containment"]]
    within = [f"visible within ± {half}" for half in result["containment"][0]["visible_within"]]
    lists = [[f"`{name}`", percent(p["visible_fraction"], p["visible_fraction_error"]),
              percent(p["resolution"], p["resolution_error"]), f"{p['transverse_width_cells']:.3f}",
              f"{p['milliseconds_per_gev']:.1f}"] for name, p in result["physics"].items()]
    return "\n".join([
        *_markdown(head, rows), "",
        f"{result['containment'][0]['events']} electrons of each energy straight into the middle, %:", "",
        *_markdown(["energy", "deposited in lead and tiles", *within], contained), "",
        f"Lists of physics, by {result['physics']['standard']['events']} electrons of 10 GeV straight into the middle:",
        "", *_markdown(["physics", "visible fraction, %", "resolution, %", "transverse width, cells", "ms per GeV"],
                       lists)])


def auxiliary():
    """Table 1 of Rogachev and Ratnikov 2023 on our showers: means over the seeds, with the least and the greatest."""
    result = load("auxiliary")
    said = lambda name: [f"{value:.3f}" if value else "–" for value in TABLE_1.get(name, (None, None, None))]
    error = lambda runs: _spread([run["mean_unexplained"] for run in runs]) if "mse" in runs[0] else "–"
    rows = [[title, *_auxiliary_cells(runs, result), error(runs), _minutes(runs), *said(name)]
            for name, title in MODELS.items() if (runs := _of(name, result))]
    rows.append([*_auxiliary_floor(result), *5 * [""]])
    head = ["model", *AUXILIARY_HEAD, "regressor's error", "minutes", "the paper's physics PRD-AUC", "raw",
            "its regressor's MSE"]
    return "\n".join([*_markdown(head, rows), "", (
        f"{result['runs'][0]['steps']:,} steps of {_auxiliary_settings(result)} The regressor's error: share of the "
        f"asymmetries' variance that it does not explain, on showers of `{_split(result)}`, mean over both. The "
        "minutes are of training; a tuned model needs those of the multi-task one as well.")])


def auxiliary_targets():
    """Two-step by what its regressor reads, beside the baseline: means over the seeds, the least and the greatest."""
    results = [load(name) for name in ("auxiliary_targets_6000", "auxiliary_targets")]
    ends, percent = (0, -1), lambda value: f"{100 * value:.1f} %"
    widths = lambda runs: [", ".join(percent(run["response"][end]["generated"]["resolution"]) for run in runs)
                           for end in ends]
    rows = [[name, f"{runs[0]['steps']:,}", *_auxiliary_cells(runs, result), *widths(runs), _minutes(runs)]
            for result in results for name in sorted({run["variant"] for run in result["runs"]})
            for runs in [_of(name, result)]]
    last = results[-1]
    bins = [last["runs"][0]["response"][end] for end in ends]
    title, *floor = _auxiliary_floor(last)
    rows.append([title, "", *floor, *(percent(entry["real"]["resolution"]) for entry in bins), ""])
    head = ["the regressor reads", "steps", *AUXILIARY_HEAD,
            *(f"resolution, {entry['low']:g} to {entry['high']:g} GeV" for entry in bins), "minutes"]
    return "\n".join([*_markdown(head, rows), "", (
        f"Steps of {_auxiliary_settings(last)} The minutes are of training, some while other jobs ran.")])


def weight_sweep():
    """The weight of the auxiliary loss: the regressor's error and the generator's figures, a row a weight."""
    result = load("weight_sweep")
    floor, runs = result["real_against_real"], sorted(result["runs"], key=lambda run: float(run["variant"]))
    cells = lambda run: [f"{value:.3f}" for value in (
        *(run["w1"][f"{axis}_asymmetry"] for axis in ("longitudinal", "transverse")),
        statistics.mean(run["w1"].values()), *(run["prd"][features]["auc"] for features in ("physics", "raw")),
        run["auc"])]
    rows = [[run["variant"], f"{run['mean_unexplained']:.3f}", *cells(run)] for run in runs]
    rows.append(["other real showers", "", *cells(floor)])
    head = ["α", "regressor's error", "Wasserstein-1 of the longitudinal asymmetry", "of the transverse one",
            "mean over the observables", "physics PRD-AUC", "raw PRD-AUC", "classifier AUC, observables"]
    return "\n".join([*_markdown(head, rows), "", (
        f"Multi-task, {runs[0]['steps']:,} steps of {runs[0]['batch_size']} showers, preset "
        f"`{result['preset'] or 'full'}`, one seed; the rest as above.")])


def auxiliary_anchored():
    """Regressors in the anchored generator's discriminator: means over the seeds, with the least and the greatest."""
    result = load("auxiliary_anchored")
    floor = result["real_against_real"]
    cells = lambda runs: [
        *(_spread([run["auc"][judge] for run in runs]) for judge in floor["auc"]),
        _spread([run["physics_prd"]["auc"] for run in runs]),
        *(_spread([run["w1"][quantity] for run in runs]) for quantity in floor["w1"])]
    rows = []
    for name in dict.fromkeys(run["variant"] for run in result["runs"]):
        runs = [run for run in result["runs"] if run["variant"] == name]
        rows.append([name, str(len(runs)), f"{runs[0]['steps']:,}", *cells(runs)])
    rows.append(["other real showers", "", "", *cells([floor])])
    head = ["in the discriminator", "seeds", "GAN steps",
            *(f"AUC, {judge.replace('_', ' ')}" for judge in floor["auc"]),
            "physics PRD-AUC", *(f"Wasserstein-1 of `{quantity}`" for quantity in floor["w1"])]
    prd = floor["physics_prd"]
    return "\n".join([*_markdown(head, rows), "", (
        f"PRD: {prd['clusters']} clusters, {prd['runs']} runs, {_judged(result, prd['n'])} showers; Wasserstein-1 in "
        "standard deviations.")])


def lineage():
    """Every system of the lineage, the highest physics PRD-AUC first."""
    result = load("lineage")
    runs = sorted(result["runs"], key=lambda run: -run["prd"]["physics"]["auc"])
    floor = result["real_against_real"]
    rows = [[run["variant"], *_lineage_cells(run), f"{run['parameters']:,}", f"{run['bytes'] / 1e6:.1f}",
             *(f"{run['milliseconds_per_shower'][batch]:.3g}" for batch in ("1", "1000")),
             f"{run['seconds'] / 60:.0f}" if run["seconds"] else "–"] for run in runs]
    rows.append(["other real showers", *_lineage_cells(floor), "", "", "", "", ""])
    head = ["system", *LINEAGE_HEAD, "parameters", "MB", "ms a shower, alone", "by the 1,000", "minutes of training"]
    prd = floor["prd"]["physics"]
    return "\n".join([*_markdown(head, rows), "", (
        f"Preset `{result['preset'] or 'full'}`, one seed, one core of {result['provenance']['device'].split(',')[0]}; "
        f"PRD: {prd['clusters']} clusters, {prd['runs']} runs, {_judged(result, prd['n'])} showers, features as above. "
        "W1: Wasserstein-1 in standard deviations of the real showers. `sagan` is "
        "`configs/baseline.py:cpu,recipe=paper`, `baseline` the recipe that a search found better; the `baseline` that "
        "ships is the former, trained for longer at other rates. `two-step, scalars` is "
        "`configs/aux_twostep.py:cpu,targets=scalars` without bound, with four times the steps of its preset. The "
        "rows of `wgan` were trained while the critic's rate fell too early. The corrections of `gflash` were fitted "
        "beforehand. Times a shower were taken in one session, but for `two-step, scalars`, which has the generator of "
        "`two-step`.")])


def reached(*systems):
    """Of one system's page: what its rows of the lineage's table reached, beside what its paper says."""
    result = load("lineage")
    runs = {run["variant"]: run for run in result["runs"]}
    names = sorted(name for name in runs if name.startswith(systems))
    said = lambda name: [f"{value:.3f}" for value in CLAIMS[name]] if name in CLAIMS else ["–", "–"]
    rings = next(name for name in RINGS if name in result["real_against_real"]["w1"])
    cells = lambda run: [*_lineage_cells(run), f"{run['w1'][rings]:.2f}"]
    rows = [[name, *cells(runs[name]), f"{runs[name]['milliseconds_per_shower']['1000']:.3g}", *said(name)]
            for name in names]
    rows.append(["other real showers", *cells(result["real_against_real"]), "", "", ""])
    head = ["", *LINEAGE_HEAD, f"W1 of the {rings.replace('_', ' ')}", "ms a shower, by the 1,000",
            "its paper: physics PRD-AUC", "raw"]
    prd = result["real_against_real"]["prd"]["physics"]
    return "\n".join([*_markdown(head, rows), "", (
        f"Preset `{result['preset'] or 'full'}`, one seed, one core of "
        f"{result['provenance']['device'].split(',')[0]}; PRD: {prd['clusters']} clusters, {prd['runs']} runs, "
        f"{_judged(result, prd['n'])} showers; W1: Wasserstein-1 in standard deviations. The papers' figures "
        "are of other showers, and their ceilings are not known.")])


def wgan_1d():
    """The Wasserstein GAN of electrons straight into the middle: a row an observable."""
    result = load("wgan_1d")
    rows = [[f"Wasserstein-1, {name.replace('_', ' ')}", f"{found['w1']:.3f}", f"{found['w1_reference']:.3f}"]
            for name, found in result["observables"].items()]
    rows += [[f"{features} PRD-AUC", f"{found['auc']:.3f}", f"{found['ceiling']:.3f}"]
             for features, found in result["prd"].items() if features in ("physics", "raw")]
    rows += [[f"classifier AUC, {judge.replace('_', ' ')}", f"{found['auc']:.3f}", f"{found['floor']:.3f}"]
             for judge, found in result["c2st"].items()]
    prd = result["prd"]["raw"]
    return "\n".join([*_markdown(["", "generated", "other real showers"], rows), "", (
        f"`configs/wgan.py:{result['training']['preset']}`, {_training(result)} of training, "
        f"{result['provenance']['device']}; {_judged(ONE_TEST | result)} showers; PRD: {prd['clusters']} clusters, "
        f"{prd['runs']} runs.")])


def adagan():
    """Ensembles of one, two, ... generators on 25 x 25 x 25 cells, and what their paper says."""
    result = load("adagan")
    members = result["members"]
    last = next(reversed(members.values()))
    names = list(last["observables"])
    mean = lambda values: statistics.mean(values)
    w1 = lambda found, key: [found["observables"]["sampling_fraction"][key],
                             mean([found["observables"][name][key] for name in names])]
    off = lambda found: mean([abs(ratio - 1) for axis in found["profiles"].values() for ratio in axis["ratio"]])
    rows = [[count, *(f"{found['prd'][features]['auc']:.3f}" for features in ("physics", "raw")),
             *(f"{value:.2f}" for value in w1(found, "w1")), f"{100 * off(found):.0f} %", f"{found['c2st']['auc']:.3f}",
             f"{found['costs']['parameters']:,}", f"{found['costs']['bytes'] / 1e6:.1f}",
             *(f"{found['costs']['milliseconds_per_shower'][batch]:.3g}" for batch in ("1", "1000")),
             f"{found['costs']['seconds'] / 60:.0f}"] for count, found in members.items()]
    reference = [abs(ratio - 1) for axis in last["profiles"].values() for ratio in axis["reference_ratio"]]
    rows.append(["other real showers", *(f"{last['prd'][features]['ceiling']:.3f}" for features in ("physics", "raw")),
                 *(f"{value:.2f}" for value in w1(last, "w1_reference")), f"{100 * mean(reference):.0f} %",
                 f"{last['c2st']['floor']:.3f}", *5 * [""]])
    head = ["generators", "physics PRD-AUC", "raw PRD-AUC", "W1 of the sampling fraction", "mean W1 of the observables",
            "mean error of the profiles", "classifier AUC, observables", "parameters", "MB", "ms a shower, alone",
            "by the 1,000", "minutes of training"]
    prd, training = last["prd"]["raw"], result["training"]
    return "\n".join([*_markdown(head, rows), "", (
        f"Preset `{training['preset']}`, {result['provenance']['device']}; {_judged(ONE_TEST | last)} showers; PRD: "
        f"{prd['clusters']} clusters, {prd['runs']} runs, of the cells (raw) and of the observables (physics). W1: "
        "Wasserstein-1 in standard deviations of the real showers; error of the profiles: of the share of energy in a "
        "plane of cells, over all planes.")])


def search(name):
    """Every variant of a GAN that was tried, the best one first, from that file of results."""
    result = load(name)
    mean = lambda values: statistics.mean(values.values())
    row = lambda name, steps, run: [
        name, steps, f"{mean(run['w1']):.3f}", f"{run['w1']['visible_fraction']:.2f}",
        f"{run['w1']['transverse_width']:.2f}", f"{run['physics_prd']['auc']:.3f}",
        *(f"{run['auc'][judge]:.3f}" for judge in ("observables", "images"))]
    runs = sorted(result["runs"], key=lambda run: mean(run["w1"]))
    table = [row(run["variant"], f"{run['steps']:,}", run) for run in runs]
    table.append(row("other real showers", "", result["real_against_real"]))
    head = ["variant", "steps", "mean Wasserstein-1", "of the visible fraction", "of the transverse width",
            "physics PRD-AUC", "classifier AUC, observables", "images"]
    return "\n".join(_markdown(head, table))


def ranking():
    """Every system at hand beside other real showers and a bad one: the headline numbers of each."""
    result = load("ranking")
    rows = []
    for name, system in result["systems"].items():
        numbers = {(family, label): value for family, label, value, _ in system["measures"]}
        by = lambda *key, numbers=numbers: f"{numbers[key]:.3f}"
        rows.append([NAMES.get(name, name), *(by("PRD-AUC", features) for features in ("physics", "raw")),
                     *(by("Classifier AUC", judge) for judge in ("observables", "cells", "images")),
                     by("Distance", "Frechet physics"),
                     f"{max(value for (family, _), value in numbers.items() if family == 'Wasserstein-1'):.3f}"])
    head = ["showers", "physics PRD-AUC", "raw PRD-AUC", "classifier AUC, observables", "cells", "images",
            "Frechet physics distance", "largest Wasserstein-1"]
    return "\n".join([*_markdown(head, rows), "",
                      f"{_judged(result)} showers each; PRD: 400 clusters, 10 runs."])


def reconstruction():
    """Position, response and resolution of coarser cells, a row a generator and size of cell."""
    result = load("reconstruction")
    rows = []
    for i, size in enumerate(result["cells_mm"]):
        for name, found in result["sets"].items():
            rows.append([f"{size} mm", {"geant4": "**Geant4**"}.get(name, name),
                         *(f"{found[i][what][0]:{form}} [{found[i][what][1]:{form}}, {found[i][what][2]:{form}}]"
                           for what, form in (("position_mm", ".2f"), ("response", ".4f"), ("resolution", ".4f")))])
    head = ["cells", "showers", "position, mm", "cluster / E", "its width / its mean"]
    return "\n".join([*_markdown(head, rows), "", (
        f"{_judged(result)} showers; widths are half of the central 68 %; the tracks pass around the corner of four "
        "cells of any size.")])


def prd_benchmark():
    """Seconds and values of our PRD-AUC and the original's, on the same features."""
    rows = [[entry["features"], *(f"{entry[who]['seconds']:.1f} s, {entry[who]['auc']:.4f} ± {entry[who]['std']:.4f}"
                                  for who in ("ours", "original")), f"{entry['times_faster']:.1f}"]
            for entry in load("prd_benchmark")["sets"]]
    sets = load("prd_benchmark")["sets"]
    both = sum(entry["original"]["seconds"] for entry in sets) / sum(entry["ours"]["seconds"] for entry in sets)
    first = sets[0]
    return "\n".join([
        *_markdown(["features", "ecalgen", "original code", "times faster"], [*rows, ["both", "", "", f"{both:.1f}"]]),
        "", f"{_judged(first)} showers of Geant4 against those of the shipped baseline; {first['clusters']} clusters, "
        f"{first['runs']} runs; {first['provenance']['device']}."])


def speed():
    """Milliseconds a shower by batch, against Geant4, and steps of training a second."""
    result = load("benchmark")
    each = lambda row, batch: row["batches"][batch]["milliseconds_per_shower"]["median"]
    systems, geant4 = dict(result["systems"]), result["systems"]["geant4"]["milliseconds_per_shower"]
    del systems["geant4"]
    batches = list(next(iter(systems.values()))["batches"])
    rows = [[f"`{name}`", *(f"{each(row, batch):.3g}" for batch in batches), f"{geant4 / each(row, '1000'):,.0f}",
             f"{row['load_seconds'] + row['batches']['1']['first_seconds']:.1f}"] for name, row in systems.items()]
    rows.append(["Geant4", f"{geant4:.0f}", *("" for _ in batches[1:]), "1", ""])
    head = ["", *(f"ms a shower, batch of {int(batch):,}" for batch in batches), "times Geant4, batch of 1,000",
            "seconds to the first shower"]
    trainings = [[f"`{name}`", f"{row['steps_per_second']['median']:.2f}"] for name, row in result["trainings"].items()]
    cores = "one core" if result["cores"] == 1 else f"{result['cores']} cores"
    return "\n".join([
        *_markdown(head, rows), "", *_markdown(["training", "steps a second"], trainings), "",
        f"Medians, {cores} of {result['provenance']['device'].split(',')[0]}; electrons of 1 to 100 GeV; the seconds "
        "include loading and compiling, or reading the compiled program."])


def precision():
    """Shipped generators at each precision, beside other real showers."""
    result = load("precision")
    cells = lambda run: [f"{run['physics_prd']['auc']:.3f}", *(f"{value:.3f}" for value in run["auc"].values()),
                         f"{statistics.mean(run['w1'].values()):.3f}"]
    rows = [[f"`{row['model']}`", row["precision"], *cells(row)] for row in result["rows"]]
    rows.append(["other real showers", "", *cells(result["real_against_real"])])
    head = ["", "products in", "physics PRD-AUC", *(f"classifier AUC, {judge}" for judge in result["rows"][0]["auc"]),
            "mean Wasserstein-1"]
    prd = result["real_against_real"]["physics_prd"]
    return "\n".join([*_markdown(head, rows), "", (
        f"{_judged(result)} showers; PRD: {prd['clusters']} clusters, {prd['runs']} runs; Wasserstein-1: "
        "mean over the observables, in standard deviations.")])


def streaming():
    """Time, memory and size of files of many showers."""
    result = load("streaming")
    rows = [[f"{row['events']:,}", f"{row['seconds']:,.0f}", f"{row['milliseconds_per_shower']:.3f}",
             f"{row['peak_memory_mb']:,}", f"{row['file_mb']:,}"] for row in result["rows"]]
    return "\n".join([
        *_markdown(["showers", "seconds", "ms a shower", "peak memory, MB", "file, MB"], rows), "",
        f"`{result['model']}` into HDF5 on {result['cores']} cores of {result['provenance']['device'].split(',')[0]}."])


def sensitivity():
    """How far each kind of number moves for each spoiled set; of the observables, the one that moves furthest."""
    known = load_sensitivity()["responses"]
    columns = {f"{family}: {name}": [found] for family in ("PRD-AUC", "Classifier AUC", "Distance")
               for name, found in known[family].items()}
    columns["Wasserstein-1, largest"] = list(known["Wasserstein-1"].values())
    columns["memorisation"] = list(known["Near to reference showers [%]"].values())
    rows = [[distortion, *(_response(max(found[distortion] for found in numbers)) for numbers in columns.values())]
            for distortion in next(iter(columns.values()))[0]]
    return "\n".join(_markdown(["spoiled by", *columns], rows))


def fuzz():
    """How many hostile inputs of each area were tried, and how they ended."""
    result = load("fuzz")
    rows = [[f"`{name}`", f"{area['cases']:,}", f"{len(area['kinds'])}", f"{area['refused']:,}",
             f"{area['accepted']:,}", f"{len(area['faults'])}"] for name, area in result["areas"].items()]
    head = ["area", "inputs", "kinds", "refused with one line", "accepted, with a sound result", "faults"]
    return "\n".join([*_markdown(head, rows), "", f"Seed {result['provenance']['seed']}, {_device(result)}."])


def shared_cores():
    """Seconds of one evaluation alone and beside busy processes, with and without the limit on its threads."""
    result = load("shared_cores")
    rows = [[f"{row['busy']}", row["threads"], f"{row['load']:.1f}",
             f"{'not done after ' * row['ended']}{row['seconds']:.0f}"] for row in result["rows"]]
    head = ["other busy processes", "threads", "load when it began", "seconds"]
    return "\n".join([*_markdown(head, rows), "", (
        f"{result['showers']} showers a set, {result['clusters']} clusters, {result['cores']} cores, "
        f"{_device(result)}.")])


TABLES = {
    "README.md": {"systems": systems, "lineage": lineage},
    "docs/library.md": {"reached": lambda: reached("library")},
    "docs/vae.md": {"reached": lambda: reached("vae")},
    "docs/wgan.md": {"reached": lambda: reached("wgan"), "1d": wgan_1d},
    "docs/adagan.md": {"reached": adagan},
    "docs/sagan.md": {"reached": lambda: reached("sagan", "baseline")},
    "ecalgen/shipped/README.md": {"cards": cards},
    "ecalgen/data/samples/README.md": {"checks": checks},
    "docs/auxiliary.md": {"table 1": auxiliary, "targets": auxiliary_targets, "weight sweep": weight_sweep,
                          "anchored": auxiliary_anchored},
    "docs/metrics.md": {"ranking": ranking, "benchmark": prd_benchmark, "sensitivity": sensitivity},
    "docs/reliability.md": {"fuzz": fuzz, "shared cores": shared_cores},
    "docs/analysis.md": {"reconstruction": reconstruction},
    "docs/speed.md": {"speed": speed, "streaming": streaming, "precision": precision},
    "experiments/README.md": {"ablation": ablation, "learning curve": learning_curve},
    "experiments/results/anchored_pilots.md": {"pilots": pilots},
    "experiments/results/search.md": {"search": lambda: search("search"), "wgan": lambda: search("search_wgan")},
}
"""File -> the tables in it."""


def written(path, text):
    """The text of a file with its tables brought up to date."""
    for name, table in TABLES[path].items():
        begin, end = f"<!-- {name}: written by experiments.tables -->", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{table()}\n{end}{rest.split(end)[1]}"
    return text


def load(name):
    """A file of `results/`."""
    return json.loads((HERE / "results" / f"{name}.json").read_text())


def _markdown(head, rows):
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _prd(result, feature):
    entry = result["prd"][feature]
    return f"{entry['auc']:.3f} ± {entry['std']:.3f} ({entry['ceiling']:.3f})"


def _auc(result, judge):
    test = result["c2st"][judge]
    return f"{test['auc']:.3f} ({test['floor']:.3f})"


def _training(result):
    training = result["training"]
    if "parameters" in training:
        return (f"{training['parameters']} corrections fitted to {training['showers']:,} showers in several fits, the "
                f"last of {training['seconds'] / 60:.0f} minutes")
    return f"{training['steps']:,} steps of {training['batch_size']}, {training['seconds'] / 60:.0f} minutes"


def _settings(results):
    """What the figures of the README depend on."""
    (clusters, runs), = {tuple(result["prd"]["physics"][setting] for setting in ("clusters", "runs"))
                         for result in results}
    devices = dict.fromkeys(result["provenance"]["device"].split(",")[0] for result in results)
    return (
        f"PRD: {clusters} clusters, {runs} runs (± is their standard deviation); the value and its ceiling depend on "
        "the number of showers. Features are the 900 cells (raw), or 2 asymmetries, 2 widths and 20 sparsities "
        "(physics). In brackets is the value of other real showers, at conditions of their own: showers at the very "
        "conditions of the real ones may exceed it. Classifiers: gradient-boosted trees on 31 observables, a "
        "convolutional network on images; 0.5 is perfect. No choice of recipe or model used the split `test`; some "
        "used `selection` ([cards](ecalgen/shipped/README.md)). The time is of training, on one or two cores "
        f"({'; '.join(devices)}).")


def _matched(names, results):
    """A sentence on the PRD-AUCs beside ceilings at the same conditions; nothing where no result has them."""
    found = {name: result for name, result in zip(names, results, strict=True)
             if all("matched_ceiling" in result["prd"][features] for features in FEATURES)}
    if not found:
        return ""
    values = (f"`{name}` {', '.join(f'{features} {_matched_prd(result, features)}' for features in FEATURES)}"
              for name, result in found.items())
    count = next(iter(found.values()))["prd"]["raw"]["matched_n"]
    return (f" Geant4 simulated the first {count:,} particles a second time. Their PRD-AUC is the ceiling of "
            f"matched ones (in brackets): {'; '.join(values)}.")


def _matched_prd(result, features):
    entry = result["prd"][features]
    return f"{entry['matched_auc']:.3f} ({entry['matched_ceiling']:.3f} ± {entry['matched_ceiling_std']:.3f})"


def _split(result):
    """The split that judged; files that do not say so were judged by what is now `selection`."""
    return result.get("split", result.get("settings", {}).get("split", "selection"))


def _judged(result, showers=None):
    """How many showers judged, and of which split; a noun follows."""
    return f"{showers or result['showers']:,} `{_split(result)}`"


def _response(moved):
    """Bold where the report says that it is seen."""
    return f"**{moved:.1f}**" if moved >= SEEN else f"{moved:.1f}"


def _ablation_row(runs, judges):
    steps = sorted({run["steps"] for run in runs})
    return [str(len(runs)), f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}",
            *(_spread([run["auc"][judge] for run in runs]) for judge in judges),
            _spread([run["physics_prd"]["auc"] for run in runs])]


def _visible(found):
    """Mean visible fraction, and its relative deviation: the resolution."""
    return f"{100 * found['mean']:.2f} %, ± {100 * found['resolution']:.1f} %"


def _of(name, result):
    """Runs of a variant."""
    return [run for run in result["runs"] if run["variant"] == name]


def _auxiliary_cells(runs, result):
    """Number of seeds, PRD-AUCs, these over their ceilings, distances, classifier AUC."""
    ceiling, both = result["real_against_real"]["prd"], ("physics", "raw")
    prd = {features: [run["prd"][features]["auc"] for run in runs] for features in both}
    return [str(len(runs)), *(_spread(prd[features]) for features in both),
            *(f"{statistics.mean(prd[features]) / ceiling[features]['auc']:.3f}" for features in both),
            *_auxiliary_distances(runs), _spread([run["auc"] for run in runs])]


def _auxiliary_floor(result):
    """The same of other real showers."""
    floor = result["real_against_real"]
    return ["other real showers", "", *(f"{floor['prd'][features]['auc']:.3f}" for features in ("physics", "raw")),
            "1", "1", *_auxiliary_distances([floor]), f"{floor['auc']:.3f}"]


def _auxiliary_distances(runs):
    return [_spread([statistics.mean(run["w1"].values()) for run in runs]),
            *(_spread([run["w1"][name] for run in runs]) for name in LOOKED_AT)]


def _auxiliary_settings(result):
    recipe, prd = result["runs"][0], result["real_against_real"]["prd"]["raw"]
    return (f"{recipe['batch_size']} showers each, preset `{result['preset'] or 'full'}`, "
            f"{result['provenance']['device']}; PRD: {prd['clusters']} clusters, {prd['runs']} runs, "
            f"{_judged(result, prd['n'])} showers, features as in the README. Wasserstein-1: mean over the "
            "observables, in standard deviations.")


def _device(result):
    """What computed."""
    return result["provenance"]["device"].split(",")[0]


def _minutes(runs):
    return f"{statistics.mean(sum(run['seconds'].values()) for run in runs) / 60:.0f}"


def _lineage_cells(run):
    """Both PRD-AUCs, W1 of widths and asymmetries (along and across) and of the response, both classifiers."""
    pair = lambda what: ", ".join(f"{run['w1'][f'{axis}_{what}']:.2f}" for axis in ("longitudinal", "transverse"))
    return [*(f"{run['prd'][features]['auc']:.3f}" for features in ("physics", "raw")), pair("width"),
            pair("asymmetry"), f"{run['w1']['visible_fraction']:.2f}",
            *(f"{run['auc'][judge]:.3f}" for judge in ("observables", "images"))]


def _spread(values):
    """Mean, least and greatest, of several."""
    between = f" [{min(values):.3f}, {max(values):.3f}]" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{between}"


def _curve_cells(row):
    return [f"{row['auc']:.3f}", f"{row['physics_prd']:.3f}", f"{row['w1']:.3f}"]


if __name__ == "__main__":
    for path in TABLES:
        (ROOT / path).write_text(written(path, (ROOT / path).read_text()))
