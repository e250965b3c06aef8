"""The sweep of calorimeters: their cells, their recipes, and one run to its end."""
import dataclasses
import functools

import numpy as np
import pytest

from ecalgen import runs
from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.files.formats import iter_showers
from ecalgen.data.files.writer import save_showers
from ecalgen.data.grid import GRIDS, LAYERED, Grid
from ecalgen.data.sources import sample_path


def test_recipes_are_those_of_ten_minutes(experiment):
    module = experiment("sweeps.calorimeters")
    configs = module.variants(module.make_parser().parse_args([]))
    assert set(configs) == set(module.CASES)
    for name, config in configs.items():
        runs.check_config(config)
        assert (config.generator.network == "cells") == name.endswith("in depth")


@pytest.mark.parametrize("name, grid", [("40 mm cells", GRIDS["shashlik40"]), ("60 mm cells", GRIDS["shashlik60"]),
                                        ("24 x 20 cells", None)])
def test_other_cells_of_the_shipped_showers(experiment, few_showers, name, grid):
    """Sums keep the energy; a crop keeps the cells that it holds."""
    module = experiment("sweeps.calorimeters")
    args = module.make_parser().parse_args([f"--source={few_showers}"])
    found, shipped = module.CASES[name](args, "test"), load_split(str(few_showers), "test")
    assert found.grid == (grid or module.CROP) and len(found) == len(shipped)
    if grid:
        np.testing.assert_allclose(found.energy.sum((1, 2)), shipped.energy.sum((1, 2)), rtol=1e-4)
    else:
        np.testing.assert_array_equal(found.energy, shipped.energy[:, 3:27, 5:25])


def test_the_showers_in_depth_are_those_that_ship(experiment):
    module = experiment("sweeps.calorimeters")
    found = module.CASES["layered, in depth"](module.make_parser().parse_args([]), "test")
    assert found.grid == LAYERED and len(found) == 1_600


@pytest.mark.slow
def test_a_calorimeter_is_trained_and_judged(experiment, measures, quick_judge, tmp_path):
    """Of a file of its own: 5 x 5 x 5 sums of the shipped showers in depth."""
    module, path = experiment("sweeps.calorimeters"), tmp_path / "x.json"
    fine, grid = next(iter_showers(sample_path("electron_layered"), 400)), Grid((5, 5, 5), (2.55, 2.55, 1.45), 2.75)
    energy = fine.energy.reshape(-1, *3 * (5, 5)).sum((2, 4, 6))
    save_showers(tmp_path / "mine.npz", dataclasses.replace(fine, energy=energy, grid=grid))
    main = functools.partial(module.SWEEP.main, module.make_parser().parse_args([
        "--preset=test", "--showers=60", "--only=layered, in depth", f"--layered={tmp_path / 'mine.npz'}",
        f"--workdir={tmp_path}", f"--results={path}"]))
    main()
    result = experiment("sweeps.engine").read(path)
    run, = result["runs"]
    assert run["grid"] == str(grid) and run["training_showers"] == 288 and run["milliseconds_per_shower"] > 0
    assert set(run["seconds"]) == {"prior"} and run["showers"] == 60
    assert set(run["auc"]) == set(run["real_against_real"]["auc"]) == {"observables", "images"}
    main()  # holds the run already
    assert experiment("sweeps.engine").read(path) == result
