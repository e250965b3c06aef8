"""The sweep of few showers: recipes that differ in their start alone, files of the right showers, and one run."""
import functools

import numpy as np
import pytest

from ecalgen import runs
from ecalgen.data.ecal_shashlik import load_split
from ecalgen.data.grid import GRIDS
from ecalgen.training.checks import check_used


@pytest.mark.parametrize("flags", [[], ["--size=usual"], ["--preset=test", "--steps=20", "--prior=10"]])
def test_started_and_alone_differ_in_their_start_alone(experiment, flags):
    module = experiment("sweeps.few_showers")
    args = module.make_parser().parse_args(flags)
    configs = module.variants(args)
    assert (args.split, args.seeds, len(configs)) == ("test", [0], 16)
    alone, started = (configs[f"electrons, 1000, {start}"] for start in module.STARTS)
    assert alone.init is None and started.init == module.SHIPPED[args.size]
    assert alone.to_dict() | {"init": None} == started.to_dict() | {"init": None}
    for config in configs.values():
        assert config.prior.steps == args.prior
        runs.check_config(config)
        check_used(config, ["init", "prior.steps", "train.steps"])


@pytest.mark.parametrize("size", [300, 1_000])
def test_the_file_of_a_run_has_showers_of_each_split_where_they_belong(experiment, showers, tmp_path, size):
    """Splits of 100 showers, repeated and told apart by their points."""
    module = experiment("sweeps.few_showers")
    pools = {split: showers[np.arange(size) % 100 + start]
             for split, start in (("train", 0), ("validation", 100), ("test", 200))}
    path = module.own_file(tmp_path / "mine.npz", size, pools.get)
    for split, counted in (("train", size), ("validation", size // 9), ("test", size * 5 // 18)):
        found = load_split(str(path), split)
        assert len(found) == pytest.approx(counted, abs=1)
        np.testing.assert_array_equal(found.point, pools[split].point[:len(found)])
        np.testing.assert_array_equal(found.energy, pools[split].energy[:len(found)])
    assert len(load_split(str(path), "train")) == size


def test_a_wide_cell_is_the_sum_of_four(experiment, few_showers):
    module = experiment("sweeps.few_showers")
    wide, narrow = module.pool(str(few_showers), "electrons", "test"), load_split(str(few_showers), "test")
    assert wide.grid == GRIDS["shashlik40"] and len(wide) == len(narrow)
    expected = narrow.energy[:, 0::2, 0::2] + narrow.energy[:, 1::2, 0::2] + (
        narrow.energy[:, 0::2, 1::2] + narrow.energy[:, 1::2, 1::2])
    np.testing.assert_allclose(wide.energy, expected, rtol=1e-6)
    np.testing.assert_array_equal(wide.momentum, narrow.momentum)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:conditions outside the range")
def test_a_run_from_a_shipped_generator_is_trained_and_judged(experiment, measures, quick_judge, few_showers, tmp_path):
    module, path = experiment("sweeps.few_showers"), tmp_path / "x.json"
    main = functools.partial(module.SWEEP.main, module.make_parser().parse_args([
        "--steps=10", "--prior=10", "--showers=60", "--only=electrons, 300, started", f"--source={few_showers}",
        f"--workdir={tmp_path}", f"--results={path}"]))
    main()
    result = experiment("sweeps.engine").read(path)
    run, = result["runs"]
    assert (run["variant"], run["seed"], run["steps"]) == ("electrons, 300, started", 0, 10)
    assert 0 < run["auc"]["observables"] <= 1 and run["physics_prd"]["clusters"] == 5
    assert result["showers"] == {"electrons": 60, "photons": 60} and run["provenance"]["seed"] == 0
    assert set(result["real_against_real"]) == {"electrons", "photons"}
    main()  # holds the run already
    assert experiment("sweeps.engine").read(path) == result
