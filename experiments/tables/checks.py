"""Checks of the metrics, of the data and of the reconstruction."""
from ecalgen.evaluation.report.sensitivity import SEEN, load_sensitivity
from experiments.tables import common
from experiments.tables.common import FEATURES, device, judged_by, markdown, table

NAMES = {"geant4": "other showers of Geant4",
         "cells of other showers": "every cell from another shower, bad on purpose"}
"""In `results/ranking.json` -> in the table of it."""


def ranking():
    """Every system at hand beside other real showers and a bad one: the headline numbers of each."""
    result = common.load("ranking")
    rows = []
    for name, system in result["systems"].items():
        numbers = {(family, label): value for family, label, value, _ in system["measures"]}
        by = lambda *key, numbers=numbers: f"{numbers[key]:.3f}"
        rows.append([NAMES.get(name, name), *(by("PRD-AUC", features) for features in FEATURES),
                     *(by("Classifier AUC", judge) for judge in ("observables", "cells", "images")),
                     by("Distance", "Frechet physics"),
                     f"{max(value for (family, _), value in numbers.items() if family == 'Wasserstein-1'):.3f}"])
    head = ["showers", "physics PRD-AUC", "raw PRD-AUC", "classifier AUC, observables", "cells", "images",
            "Frechet physics distance", "largest Wasserstein-1"]
    return table(head, rows, f"{judged_by(result)} showers each; PRD: 400 clusters, 10 runs.")


def prd_benchmark():
    """Seconds and values of our PRD-AUC and the original's, on the same features."""
    first, *_ = sets = common.load("prd_benchmark")["sets"]
    rows = [[entry["features"], *(f"{entry[who]['seconds']:.1f} s, {entry[who]['auc']:.4f} ± {entry[who]['std']:.4f}"
                                  for who in ("ours", "original")), f"{entry['times_faster']:.1f}"] for entry in sets]
    both = sum(entry["original"]["seconds"] for entry in sets) / sum(entry["ours"]["seconds"] for entry in sets)
    rows.append(["both", "", "", f"{both:.1f}"])
    return table(["features", "ecalgen", "original code", "times faster"], rows, (
        f"{judged_by(first)} showers of Geant4 against those of the shipped baseline; {first['clusters']} clusters, "
        f"{first['runs']} runs; {first['provenance']['device']}."))


NEWER = {"Share by nearest neighbours": "neighbours", "Classifier weights": "weights",
         "Sliced test, in deviations": "sliced test", "Squared bias, in that of 10,000 showers": "equivalent showers"}
"""Families of the second table -> their names there."""


def sensitivity():
    """How far each kind of number moves for each spoiled set, in two tables; of the observables, the furthest."""
    known = load_sensitivity()["responses"]
    columns = {f"{family}: {name}": [found] for family in ("PRD-AUC", "Classifier AUC", "Distance")
               for name, found in known[family].items()}
    columns["Wasserstein-1, largest"] = list(known["Wasserstein-1"].values())
    columns["memorisation"] = list(known["Near to reference showers [%]"].values())
    newer = {f"{title}: {name}": [found] for family, title in NEWER.items() for name, found in known[family].items()}
    return "\n\n".join(_responses(which) for which in (columns, newer))


def _responses(columns):
    """A table of {head: responses of its numbers, of which the largest counts}."""
    rows = [[distortion, *(_response(max(found[distortion] for found in numbers)) for numbers in columns.values())]
            for distortion in next(iter(columns.values()))[0]]
    return table(["spoiled by", *columns], rows)


def checks():
    """Checks of the shipped showers: response by energy, containment, and the lists of physics."""
    result = common.load("data_checks")
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
        *markdown(head, rows), "",
        f"{result['containment'][0]['events']} electrons of each energy straight into the middle, %:", "",
        *markdown(["energy", "deposited in lead and tiles", *within], contained), "",
        f"Lists of physics, by {result['physics']['standard']['events']} electrons of 10 GeV straight into the middle:",
        "", *markdown(["physics", "visible fraction, %", "resolution, %", "transverse width, cells", "ms per GeV"],
                       lists)])


def reconstruction():
    """Position, response and resolution of coarser cells, a row a generator and size of cell."""
    result = common.load("reconstruction")
    rows = []
    for i, size in enumerate(result["cells_mm"]):
        for name, found in result["sets"].items():
            rows.append([f"{size} mm", {"geant4": "**Geant4**"}.get(name, name),
                         *(f"{found[i][what][0]:{form}} [{found[i][what][1]:{form}}, {found[i][what][2]:{form}}]"
                           for what, form in (("position_mm", ".2f"), ("response", ".4f"), ("resolution", ".4f")))])
    head = ["cells", "showers", "position, mm", "cluster / E", "its width / its mean"]
    return table(head, rows, (
        f"{judged_by(result)} showers; widths are half of the central 68 %; the tracks pass around the corner of four "
        "cells of any size."))


def fuzz():
    """How many hostile inputs of each area were tried, and how they ended."""
    result = common.load("fuzz")
    rows = [[f"`{name}`", f"{area['cases']:,}", f"{len(area['kinds'])}", f"{area['refused']:,}",
             f"{area['accepted']:,}", f"{len(area['faults'])}"] for name, area in result["areas"].items()]
    head = ["area", "inputs", "kinds", "refused with one line", "accepted, with a sound result", "faults"]
    return table(head, rows, f"Seed {result['provenance']['seed']}, {device(result)}.")


def _response(moved):
    """Bold where the report says that it is seen."""
    return f"**{moved:.1f}**" if moved >= SEEN else f"{moved:.1f}"
