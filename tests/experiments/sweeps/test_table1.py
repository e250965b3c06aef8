"""Table 1 of the auxiliary papers: results of older versions, and the figures of a regressor."""
import json

import numpy as np
import pytest


@pytest.mark.parametrize("settings", [
    None, dict(recipe="paper", split="test"), dict(recipe="paper", split="selection"), dict(recipe="found")])
def test_a_rerun_continues_results_of_older_versions(experiment, monkeypatch, tmp_path, capsys, settings):
    """Older results name the same settings; a setting that they lack has the value of that time."""
    table1, path = experiment("sweeps.table1"), tmp_path / "x.json"
    runs = [{"variant": name, "seed": 0} for name in table1.MODELS]
    given = dict(showers=10_000, source="ecal_shashlik/electron_5d", preset="cpu", steps=12_000)
    path.write_text(json.dumps({"runs": runs} | ({"settings": given | settings} if settings else {})))
    args = table1.make_parser().parse_args(["--recipe=paper", "--steps=12000", "--seeds=0", f"--results={path}"])
    if settings is None or {"recipe": "paper", "split": "test"}.items() <= settings.items():
        table1.SWEEP.main(args)
        assert "holds all of these runs" in capsys.readouterr().out
    else:
        with pytest.raises(SystemExit, match="holds runs of other settings"):
            table1.SWEEP.main(args)


def test_the_tuned_models_start_from_the_multitask_run_of_their_seed(experiment):
    table1 = experiment("sweeps.table1")
    args = table1.make_parser().parse_args(["--workdir=/x"])
    for name, config in table1.variants(args).items():
        table1.name_multitask(config, args, name, 3)
        tuned = name in table1.SWEEP.needs
        assert tuned == ("multitask" in config.stages) and (not tuned or config.regressor.multitask == "/x/multitask-3")


def test_the_figures_of_a_regressor_by_hand(experiment, monkeypatch):
    table1 = experiment("sweeps.table1")
    true, predicted = np.array([-0.5, 0.5, -0.5, 0.5]), np.array([-0.5, 0.5, -0.5, 1.5])
    monkeypatch.setattr(table1, "load_material", lambda config, workdir: None)
    monkeypatch.setattr(table1.readout, "regression", lambda *_: {"longitudinal_asymmetry": (true, predicted)})
    found = table1.regression(None, None, None)
    assert found["mse"] == {"longitudinal_asymmetry": 0.25} and found["mean_unexplained"] == 1  # the variance is 0.25
    counts = np.array(found["true_against_read"]["longitudinal_asymmetry"])
    assert counts.sum() == 4 and counts[15, -1] == 1  # 1.5 is counted in the last bin
