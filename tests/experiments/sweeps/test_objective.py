"""The sweep of objectives: sound recipes, and how their runs are judged."""
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


def test_runs_are_judged_by_both_classifiers_and_both_prd_aucs(experiment, measures, showers):
    """Runs themselves are those of every sweep (test_judge.py), and their steps those of tests/training."""
    module = experiment("sweeps.objective")
    found = module.SWEEP.judge(showers[:60], showers[60:120])
    assert set(found["auc"]) == set(module.CLASSIFIERS) and set(found["prd"]) == {"raw", "physics"}
    assert found["prd"]["raw"]["clusters"] == 5
