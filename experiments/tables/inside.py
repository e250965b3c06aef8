"""Generated showers inside Geant4."""
from experiments.tables import common
from experiments.tables.common import device, markdown


def inside_geant4():
    """Time an event, response and mean energies of cells, against the full simulation of the same electrons."""
    result = common.load("inside_geant4")
    spent, plate = result["seconds_an_event"], result["with_plate"]["seconds_an_event"]
    head = ["seconds an event", "tracking", "generator", "cells", "full simulation"]
    rows = [["without the plate", *_times(spent), f"{spent['full']:.1f}"], ["with the plate", *_times(plate), ""]]
    generated, floor = result["generated"], result["floor"]
    particles = result["events"] * result["electrons"]
    speed = [["in the calorimeters", f"{result['times_faster_in_the_calorimeter']:.0f}"],
             ["in the whole event", f"{result['times_faster']:.0f}"]]
    both = generated, floor
    found = [["summed response, relative to full simulation",
              *(f"{one['response'][0]:.4f} ± {one['response'][1]:.4f}" for one in both)],
             ["mean difference of the cells, weighted by energy",
              *(f"{100 * one['energy_weighted_deviation']:.2f} %" for one in both)],
             ["cells within 1 % or one standard error",
              *(f"{100 * one['cells_within_one_percent_or_their_error']:.0f} %" for one in both)],
             ["cells within 1 % or two standard errors",
              *(f"{100 * one['cells_within_one_percent_or_two_errors']:.0f} %" for one in both)],
             ["mean square of differences over errors",
              *(f"{one['mean_square_of_deviations_over_errors']:.2f}" for one in both)]]
    note = (f"`{result['model']}`, {particles:,} electrons each way in {result['events']} events, one seed, "
            f"{device(result)}, one core. Cells: the {generated['cells']:,} with more than 1 MeV an event, which hold "
            f"{100 * generated['energy_in_these_cells']:.1f} % of the energy; median standard error of their means "
            f"{100 * generated['median_error_of_a_cell']:.0f} %.")
    return "\n".join([*markdown(head, rows), "", *markdown(["times faster than full simulation", ""], speed), "",
                      *markdown(["", "generated", "second full simulation"], found), "", note])


def _times(spent):
    return [f"{spent[part]:.3f}" for part in ("tracking", "sampling", "depositing")]
