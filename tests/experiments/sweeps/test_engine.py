"""Sweeps: their runs, their files of results, and what a rerun does."""
import concurrent.futures
import functools
import time

import pytest
from dask_cluster import workers


def sweep(engine, **fields):
    """A sweep called `x` without variants."""
    return engine.Sweep("", "x", **dict(variants=lambda _: {}, judge=lambda *_: {}) | fields)


def test_variants_are_run_once_each_and_gone_on_with(experiment, tmp_path):
    engine = experiment("sweeps.engine")
    args = sweep(engine).make_parser().parse_args(["--seeds=0,1", f"--results={tmp_path / 'x.json'}"])
    made = []

    def run(name, seed, result):
        made.append((name, seed, len(result["runs"])))
        if len(made) == 2:
            raise KeyboardInterrupt
        return {"value": seed}

    with pytest.raises(KeyboardInterrupt):
        engine.run_all(args, ["a", "b"], lambda: {"head": 1}, run)
    engine.run_all(args, ["a", "b"], lambda: pytest.fail("the head is made once"), run)
    assert made == [("a", 0, 0), ("b", 0, 1), ("b", 0, 1), ("a", 1, 2), ("b", 1, 3)]
    result = engine.read(args.results)
    assert result["head"] == 1
    last = result["runs"][-1]
    assert (last["variant"], last["seed"], last["value"], last["provenance"]["seed"]) == ("b", 1, 1, 1)


def test_results_of_other_settings_are_not_taken_for_these(experiment, tmp_path, capsys):
    engine = experiment("sweeps.engine")
    parse = lambda *flags: sweep(engine).make_parser().parse_args(
        ["--seeds=0", f"--results={tmp_path / 'x.json'}", *flags])
    run_all = lambda args: engine.run_all(args, ["a", "b"], dict, lambda *_: {"value": 1})
    with pytest.raises(SystemExit, match="error: --only=c is not one of a, b"):
        run_all(parse("--only=c"))
    assert not (tmp_path / "x.json").exists()
    run_all(parse("--showers=200"))
    with pytest.raises(SystemExit, match="holds runs of other settings .showers=200 there, 300 here.; give those"):
        run_all(parse("--showers=300", "--seeds=0,1"))
    run_all(parse("--showers=200", "--only=b"))
    assert "x.json holds all of these runs" in capsys.readouterr().out


def slow_run(name, seed, _result, log):
    """A run that takes its time, and says when it begins and when it ends."""
    for what in ("begins", "ends"):
        with open(log, "a") as file:
            file.write(f"{what} {name} {seed}\n")
        time.sleep(0.2)
    return {"value": seed}


@pytest.mark.slow
def test_a_sweep_on_a_cluster_outlives_a_killed_worker(experiment, tmp_path):
    engine, log = experiment("sweeps.engine"), tmp_path / "log"
    run, names = functools.partial(slow_run, log=log), ["a", "b", "c"]
    lines = lambda: log.read_text().splitlines() if log.exists() else []
    with workers(2) as (address, kill_one), concurrent.futures.ThreadPoolExecutor(1) as thread:
        args = sweep(engine).make_parser().parse_args(
            ["--seeds=0,1", f"--results={tmp_path / 'x.json'}", f"--workdir={tmp_path}", f"--scheduler={address}"])

        def interfere():
            while len(lines()) < 3:
                time.sleep(0.05)
            kill_one()

        killing = thread.submit(interfere)
        engine.run_all(args, names, lambda: {"head": 1}, run, needs={"c": "a"})
        killing.result()
    result = engine.read(args.results)
    assert sorted((row["variant"], row["seed"]) for row in result["runs"]) == [
        (name, seed) for name in names for seed in (0, 1)]
    ended = [line for line in lines() if line.startswith("ends")]
    began = [line for line in lines() if line.startswith("begins")]
    assert len(began) == 7 and len(set(ended)) == 6  # one was begun again
    assert all(lines().index(f"ends a {seed}") < lines().index(f"begins c {seed}") for seed in (0, 1))
    engine.run_all(args, names, lambda: pytest.fail("the head is made once"), lambda *_: pytest.fail("done already"))


@pytest.mark.parametrize("name", ["steps", "gan_steps"])
def test_variants_that_are_new_in_a_sweep_get_their_steps(experiment, tmp_path, monkeypatch, recipe, name):
    """The steps of the others stay; older results call them `gan_steps`."""
    engine = experiment("sweeps.engine")
    monkeypatch.setattr(engine, "equal_steps", lambda missing, usual, steps: dict.fromkeys(missing, 2 * steps))
    made = sweep(engine, variants=lambda _: {part: recipe("baseline:test") for part in "ab"},
                 usual=lambda _: recipe("baseline:test"), steps=100)
    args = made.make_parser().parse_args([f"--results={tmp_path / 'x.json'}"])
    engine.write(args.results, {name: {"a": 70}, "runs": [
        {"variant": variant, "seed": seed} for variant in "ab" for seed in (0, 1, 2)]})
    made.main(args)
    assert engine.read(args.results)["steps"] == {"a": 70, "b": 200}


def test_every_sweep_knows_its_variants_and_their_configs(experiment):
    for name in ("search", "ablation", "objective", "table1", "weight_sweep", "targets", "auxiliary_anchored",
                 "lineage", "figure3", "regressors", "multitask"):
        module = experiment(f"sweeps.{name}")
        configs = module.SWEEP.variants(module.make_parser().parse_args([]))
        assert len(configs) > 1 and set(module.SWEEP.needs) <= set(configs), name
        distinct = {config and config.to_json() for config in configs.values()}
        assert len(distinct) == len(configs) or name == "lineage", name
