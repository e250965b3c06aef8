"""The design by gradients."""
import numpy as np

from experiments.tables import common
from experiments.tables.common import device, markdown


def design():
    """Resolution against the inner width, and the optimum, by generators and by Geant4."""
    result = common.load("design")
    runs = result["runs"]
    geant4 = [run["geant4"] for run in runs]
    error = {name: np.mean([one["errors"][name] for one in geant4]) for name in ("inner", "at_generators")}
    head = ["", *(f"generator, seed {run['seed']}" for run in runs), "Geant4"]
    rows = [[f"resolution with inner columns of {10 * inner:.0f} mm, mm",
             *(f"{10 * run['generator']['curve'][i]:.2f}" for run in runs),
             f"{10 * np.mean([one['curve'][i] for one in geant4]):.2f}"] for i, inner in enumerate(runs[0]["tried"])]
    rows += [["best inner width, mm", *(f"{10 * run['generator']['inner']:.1f}" for run in runs),
              f"{10 * np.mean([one['inner'] for one in geant4]):.1f} ± {10 * error['inner']:.1f}"],
             ["resolution there, mm", *(f"{10 * run['generator']['resolution']:.2f}" for run in runs), ""],
             ["the same by Geant4, mm", *(f"{10 * one['at_generators']:.2f} ± {10 * one['errors']['at_generators']:.2f}"
                                          for one in geant4), ""],
             ["by Geant4 from columns of 10 mm, mm", *(f"{10 * one['at_generators_by_10_mm']:.2f}" for one in geant4),
              ""],
             ["gradients in the search", *(str(run["generator"]["calls"]) for run in runs),
              str(round(np.mean([one["calls"] for one in geant4])))]]
    note = (f"`anchored:{result['preset']}`, trained on {result['events']:,} showers; {runs[0]['showers']:,} others by "
            f"Geant4 check, placed anew for each seed; errors by bootstrap; {device(result)}.")
    return "\n".join([*markdown(head, rows), "", note])
