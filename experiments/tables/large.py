"""The judge with much data."""
from experiments.tables import common
from experiments.tables.common import device, markdown

NAMES = {"gflash": "parametrised shower"}
"""Name in the results -> in the table."""


def large():
    """AUC of each judge, with its floor and its curve of training showers."""
    result = common.load("large")
    judges = list(next(iter(result["systems"].values())))
    head = ["showers of", *(f"AUC by {judge} (floor)" for judge in judges), "minutes"]
    rows = [[NAMES.get(name, f"`{name}`"), *(_auc(found[judge]) for judge in judges),
             f"{sum(entry['seconds'] for entry in found.values()) / 60:.0f}"]
            for name, found in result["systems"].items()]
    sizes = [size for size, _ in next(iter(result["systems"].values()))[judges[0]]["curve"]]
    curves = [[f"{NAMES.get(name, f'`{name}`')}, {judge}", *(f"{auc:.3f}" for _, auc in found[judge]["curve"])]
              for name, found in result["systems"].items() for judge in judges]
    said = " ".join(f"Judge of {judge}: {entry['description']}."
                    for judge, entry in next(iter(result["systems"].values())).items())
    against = ["AUC against training showers", *(f"{size:,}" for size in sizes)]
    note = (f"{result['showers']:,} training and {result['asked']:,} `{result['split']}` showers, and as many "
            f"generated ones, {device(result)}. {said} The interval is of the showers and of two "
            "trainings.")
    return "\n".join([*markdown(head, rows), "", *markdown(against, curves), "", note])


def _auc(entry):
    low, high = entry["interval"]
    return f"{entry['auc']:.3f} [{low:.3f}, {high:.3f}] ({entry['floor']:.3f})"
