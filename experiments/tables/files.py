"""The tables of every page, and where they stand in it."""
from experiments.command import ROOT
from experiments.tables import anchored, auxiliary, checks, inside, large, lineage, queue, speed, systems

TABLES = {
    "README.md": {"facts": systems.facts, "systems": systems.rows_of_readme},
    "docs/results.md": {"systems": systems.systems, "lineage": lineage.lineage},
    "docs/library.md": {"reached": lambda: lineage.reached("library")},
    "docs/vae.md": {"reached": lambda: lineage.reached("vae")},
    "docs/wgan.md": {"reached": lambda: lineage.reached("wgan"), "1d": lineage.wgan_1d},
    "docs/adagan.md": {"reached": lineage.adagan},
    "docs/sagan.md": {"reached": lambda: lineage.reached("sagan", "baseline")},
    "ecalgen/shipped/README.md": {"cards": systems.cards},
    "ecalgen/data/samples/README.md": {"checks": checks.checks},
    "docs/auxiliary.md": {"table 1": lambda: auxiliary.table_1("auxiliary"),
                          "table 1 on the papers' GAN": lambda: auxiliary.table_1("table1_paper"),
                          "figure 3": auxiliary.figure_3, "targets": auxiliary.auxiliary_targets,
                          "weight sweep": auxiliary.weight_sweep, "anchored": auxiliary.auxiliary_anchored},
    "docs/metrics.md": {"large": large.large, "ranking": checks.ranking, "benchmark": checks.prd_benchmark,
                        "sensitivity": checks.sensitivity},
    "docs/reliability.md": {"fuzz": checks.fuzz, "shared cores": speed.shared_cores},
    "docs/calorimeters.md": {
        "calorimeters": anchored.calorimeters, "low energy": lambda: anchored.calorimeters("low_energy"),
        "rectangle": lambda: anchored.calorimeters("rectangle"), "layered": lambda: anchored.calorimeters("layered"),
        "few showers": anchored.few_showers, "longer": lambda: anchored.few_showers("few_showers_seeds"),
        "photons": lambda: anchored.few_showers("few_showers_50")},
    "docs/export.md": {"c_speed": speed.c_speed},
    "docs/inside_geant4.md": {"inside_geant4": inside.inside_geant4},
    "docs/analysis.md": {"reconstruction": checks.reconstruction},
    "docs/speed.md": {"speed": speed.speed, "streaming": speed.streaming, "precision": speed.precision},
    "experiments/queue.md": {"queue": queue.rows},
    "experiments/README.md": {"ablation": anchored.ablation, "learning curve": anchored.learning_curve},
    "experiments/results/anchored_pilots.md": {"pilots": anchored.pilots},
    "experiments/results/search.md": {"search": lambda: lineage.search("search"),
                                      "wgan": lambda: lineage.search("search_wgan")},
}
"""File -> {name of a table: function that makes it}."""

RECORDS = {"ecalgen/shipped/reached.json": systems.reached}
"""File that is written whole -> function that makes it."""


def written(path, text):
    """The text of a file with its tables brought up to date."""
    for name, make in TABLES[path].items():
        begin, end = f"<!-- {name}: written by experiments.tables -->", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{make()}\n{end}{rest.split(end)[1]}"
    return text


def renew():
    """Write every table into its page, and the records."""
    for path in TABLES:
        (ROOT / path).write_text(written(path, (ROOT / path).read_text()))
    for path, make in RECORDS.items():
        (ROOT / path).write_text(make() + "\n")
