"""Times, memory and precision."""
import statistics

from experiments.tables import common
from experiments.tables.common import OTHERS, device, fixed, judged_by, markdown, table

RENAMED = {"experiments.pytorch:sampler": "experiments.pytorch.plain:sampler",
           "experiments.pytorch_anchored:sampler": "experiments.pytorch.anchored:sampler",
           "experiments.pytorch:training": "experiments.pytorch.plain:training"}
"""Name in older results -> name now."""


def speed():
    """Milliseconds a shower by batch, against Geant4, and steps of training a second."""
    result = common.load("benchmark")
    each = lambda row, batch: row["batches"][batch]["milliseconds_per_shower"]["median"]
    systems, geant4 = dict(result["systems"]), result["systems"]["geant4"]["milliseconds_per_shower"]
    del systems["geant4"]
    batches = list(next(iter(systems.values()))["batches"])
    rows = [[f"`{RENAMED.get(name, name)}`", *(f"{each(row, batch):.3g}" for batch in batches),
             f"{geant4 / each(row, '1000'):,.0f}",
             f"{row['load_seconds'] + row['batches']['1']['first_seconds']:.1f}"] for name, row in systems.items()]
    rows.append(["Geant4", f"{geant4:.0f}", *("" for _ in batches[1:]), "1", ""])
    head = ["", *(f"ms a shower, batch of {int(batch):,}" for batch in batches), "times Geant4, batch of 1,000",
            "seconds to the first shower"]
    trainings = [[f"`{RENAMED.get(name, name)}`", f"{row['steps_per_second']['median']:.2f}"]
                 for name, row in result["trainings"].items()]
    cores = "one core" if result["cores"] == 1 else f"{result['cores']} cores"
    return "\n".join([
        *markdown(head, rows), "", *markdown(["training", "steps a second"], trainings), "",
        f"Medians, {cores} of {device(result)}; electrons of 1 to 100 GeV; the seconds "
        "include loading and compiling, or reading the compiled program."])


def precision():
    """Shipped generators at each precision, beside other real showers."""
    result = common.load("precision")
    cells = lambda run: fixed([run["physics_prd"]["auc"], *run["auc"].values(), statistics.mean(run["w1"].values())])
    rows = [[f"`{row['model']}`", row["precision"], *cells(row)] for row in result["rows"]]
    rows.append([OTHERS, "", *cells(result["real_against_real"])])
    head = ["", "products in", "physics PRD-AUC", *(f"classifier AUC, {judge}" for judge in result["rows"][0]["auc"]),
            "mean Wasserstein-1"]
    prd = result["real_against_real"]["physics_prd"]
    return table(head, rows, (
        f"{judged_by(result)} showers; PRD: {prd['clusters']} clusters, {prd['runs']} runs; Wasserstein-1: "
        "mean over the observables, in standard deviations."))


def c_speed():
    """p50 and p99 of a shower, a row a program."""
    result = common.load("c_speed")
    head = ["program", *(f"p50 (p99), batch of {batch:,}" for batch in result["batches"])]
    rows = [[f"`{name}`, {program}", *(f"{p50:.3f} ({p99:.3f})" for p50, p99 in row.values())]
            for name, programs in result["models"].items() for program, row in programs.items()]
    return "\n".join([*markdown(head, rows), "", f"{device(result)}; {result['compiler']}."])


def streaming():
    """Time, memory and size of files of many showers."""
    result = common.load("streaming")
    rows = [[f"{row['events']:,}", f"{row['seconds']:,.0f}", f"{row['milliseconds_per_shower']:.3f}",
             f"{row['peak_memory_mb']:,}", f"{row['file_mb']:,}"] for row in result["rows"]]
    return table(["showers", "seconds", "ms a shower", "peak memory, MB", "file, MB"], rows,
                 f"`{result['model']}` into HDF5 on {result['cores']} cores of {device(result)}.")


def shared_cores():
    """Seconds of one evaluation alone and beside busy processes, with and without the limit on its threads."""
    result = common.load("shared_cores")
    rows = [[f"{row['busy']}", row["threads"], f"{row['load']:.1f}",
             f"{'not done after ' * row['ended']}{row['seconds']:.0f}"] for row in result["rows"]]
    head = ["other busy processes", "threads", "load when it began", "seconds"]
    return table(head, rows, (
        f"{result['showers']} showers a set, {result['clusters']} clusters, {result['cores']} cores, "
        f"{device(result)}."))
