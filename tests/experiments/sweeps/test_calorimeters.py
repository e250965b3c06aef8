"""The sweep of calorimeters: their cells, their recipes, and one run to its end."""
import functools

import numpy as np
import pytest

from ecalgen import runs
from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.grid import GRIDS, LAYERED


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
def test_a_calorimeter_is_trained_and_judged(experiment, measures, quick_judge, few_showers, tmp_path):
    module, path = experiment("sweeps.calorimeters"), tmp_path / "x.json"
    main = functools.partial(module.SWEEP.main, module.make_parser().parse_args([
        "--preset=test", "--steps=10", "--showers=60", "--only=60 mm cells", f"--source={few_showers}",
        f"--workdir={tmp_path}", f"--results={path}"]))
    main()
    result = experiment("sweeps.engine").read(path)
    run, = result["runs"]
    assert run["grid"] == str(GRIDS["shashlik60"]) and run["steps"] == 10 and run["milliseconds_per_shower"] > 0
    assert set(run["auc"]) == set(run["real_against_real"]["auc"]) == {"observables", "images"}
    main()  # holds the run already
    assert experiment("sweeps.engine").read(path) == result
