"""The sweep before the judge with much data: sound recipes, and one run to its end."""
import json

import pytest

from ecalgen import runs
from ecalgen.training.checks import check_used


def test_every_variant_is_sound_and_all_its_fields_have_an_effect(experiment):
    module = experiment("sweeps.much_data")
    args = module.make_parser().parse_args([])
    assert (args.split, args.seeds, args.training) == ("selection", [0, 1, 2], 46_000)
    for name, config in module.variants(args).items():
        runs.check_config(config)
        check_used(config, module.VARIANTS[name])
        assert config.generator.by_hits == ("by hits" in name) and config.train.energy_score == ("score" in name)


@pytest.mark.slow
def test_a_run_is_trained_and_judged(experiment, monkeypatch, tmp_path):
    module = experiment("sweeps.much_data")
    monkeypatch.setattr(module, "judge_largely", lambda real, *sets, **settings: {
        "trees": dict(auc=0.5, interval=[0.4, 0.6], floor=0.5, seconds=1.0, curve=[], n=[len(real), *map(len, sets)])})
    path = tmp_path / "much_data.json"
    args = module.make_parser().parse_args([
        "--preset=test", "--steps=4", "--showers=60", "--training=80", "--seeds=0", "--only=pairs, score, by hits",
        f"--workdir={tmp_path / 'runs'}", f"--results={path}"])
    module.SWEEP.main(args)
    (row,) = json.loads(path.read_text())["runs"]
    assert row["training"] == 80 and row["steps"] == 4 and row["judges"]["trees"]["auc"] == 0.5
    assert set(row["w1"]) > {"sparsity", "visible_fraction"}
