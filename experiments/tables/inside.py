"""Generated showers inside Geant4."""
from experiments.tables import common
from experiments.tables.common import device, markdown


def inside_geant4():
    """Time an event, response and mean energies of cells, against the full simulation of the same electrons."""
    result = common.load("inside_geant4")
    spent, plate = result["seconds_an_event"], result["with_plate"]["seconds_an_event"]
    head = ["seconds an event", "tracking", "generator", "cells", "full simulation"]
    rows = [["without the plate", *_times(spent), f"{spent['full']:.1f}"], ["with the plate", *_times(plate), ""]]
    ratio, error = result["response"]
    particles = result["events"] * result["electrons"]
    found = [["times faster than full simulation, in the calorimeters",
              f"{result['times_faster_in_the_calorimeter']:.0f}"],
             ["the same, of the whole event", f"{result['times_faster']:.0f}"],
             ["summed response, relative to full simulation", f"{ratio:.4f} ± {error:.4f}"],
             ["cells of more than 1 MeV an event, with their share of the energy",
              f"{result['cells']:,}, {100 * result['energy_in_these_cells']:.1f} %"],
             ["their mean deviation, weighted by energy", f"{100 * result['energy_weighted_deviation']:.2f} %"],
             ["median standard error of such a cell's mean", f"{100 * result['median_error_of_a_cell']:.1f} %"],
             ["cells within 1 % or one standard error (68 % expected)",
              f"{100 * result['cells_within_one_percent_or_their_error']:.0f} %"],
             ["cells within 1 % or two standard errors (95 % expected)",
              f"{100 * result['cells_within_one_percent_or_two_errors']:.0f} %"]]
    note = (f"`{result['model']}`, {particles:,} electrons each way in {result['events']} events, one seed, "
            f"{device(result)}, one core.")
    return "\n".join([*markdown(head, rows), "", *markdown(["", "found"], found), "", note])


def _times(spent):
    return [f"{spent[part]:.3f}" for part in ("tracking", "sampling", "depositing")]
