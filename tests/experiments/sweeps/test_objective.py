"""The sweep of objectives: sound recipes, of which one is trained and judged."""
import pytest

from ecalgen import runs
from ecalgen.training.checks import check_used


@pytest.mark.parametrize("flags", [[], ["--steps=700"], ["--preset=test", "--steps=20"]])
def test_every_variant_is_sound_and_all_its_fields_have_an_effect(experiment, flags):
    module = experiment("sweeps.objective")
    args = module.make_parser().parse_args(flags)
    assert (args.split, args.seeds) == ("validation", [0, 1, 2])
    for name, config in module.variants(args).items():
        steps = args.steps or config.train.steps
        config.train.steps = steps
        runs.check_config(config)
        check_used(config, module.OBJECTIVES[name.split(", ", 1)[1]])
        assert config.train.warmup == ("warm-up" in name) * (steps // 10)
        assert (config.train.r1 == 0.004) == (name.startswith("plain") or "R1" in name or "both" in name)
        assert config.train.r2 == ("hinge" not in name and "energy" not in name) * 0.004


@pytest.mark.slow
def test_a_variant_is_trained_and_judged(experiment, measures, tmp_path):
    module = experiment("sweeps.objective")
    path = tmp_path / "x.json"
    args = module.make_parser().parse_args([
        "--preset=test", "--steps=10", "--showers=60", "--seeds=0", "--only=plain, both, warm-up",
        f"--workdir={tmp_path}", f"--results={path}"])
    module.SWEEP.main(args)
    run, = experiment("sweeps.engine").read(path)["runs"]
    assert (run["variant"], run["seed"], run["steps"]) == ("plain, both, warm-up", 0, 10)
    assert set(run["auc"]) == set(module.CLASSIFIERS) and set(run["prd"]) == {"raw", "physics"}
