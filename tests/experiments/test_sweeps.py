"""What the experiments share: their measure of a generator, from any variables of it."""
import concurrent.futures
import functools
import importlib
import pathlib
import time

import jax
import numpy as np
import pytest
from dask_cluster import workers

from ecalgen.models.anchored import AnchoredGenerator
from ecalgen.sampling import sampler


@pytest.fixture
def judging(monkeypatch):
    monkeypatch.syspath_prepend(pathlib.Path(__file__).parents[2])
    module = importlib.import_module("experiments.judging")
    monkeypatch.setattr(module, "CLUSTERS", 20)
    return module


def test_real_showers_are_judged_real(judging, showers):
    result = judging.judged(showers[:200], showers[200:], ("observables", "observables_and_conditions"), runs=2)
    assert set(result) == {"showers", "auc", "physics_prd", "bins"} and result["showers"] == 200
    assert all(0.35 < auc < 0.65 for auc in result["auc"].values())
    assert {"clusters": 20, "runs": 2, "n": 200}.items() <= result["physics_prd"].items()
    assert result["physics_prd"]["auc"] > 0.8


def test_showers_of_a_generator_do_not_depend_on_the_chunk(judging, showers, monkeypatch):
    fields = dict(name="anchored", shape=2, correction=False)
    generator = AnchoredGenerator(shape_latents=2, correction=False)
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 5))
    variables = generator.init(jax.random.key(0), noise, showers.momentum[:5], showers.point[:5])
    whole = judging.make_showers(fields, {"name": "none"}, variables, showers[:50], seed=3)
    monkeypatch.setitem(sampler.CHUNKS, jax.default_backend(), 20)
    parts = judging.make_showers(fields, {"name": "none"}, variables, showers[:50], seed=3)
    np.testing.assert_allclose(whole.energy, parts.energy, rtol=1e-3, atol=1e-3)


@pytest.fixture
def experiment(monkeypatch):
    monkeypatch.syspath_prepend(pathlib.Path(__file__).parents[2])
    return lambda name: importlib.import_module(f"experiments.{name}")


def test_variants_are_run_once_each_and_gone_on_with(experiment, tmp_path):
    variants = experiment("variants")
    args = variants.make_parser("", "x").parse_args(["--seeds=0,1", f"--results={tmp_path / 'x.json'}"])
    made = []

    def run(name, seed, result):
        made.append((name, seed, len(result["runs"])))
        if len(made) == 2:
            raise KeyboardInterrupt
        return {"value": seed}

    with pytest.raises(KeyboardInterrupt):
        variants.run_all(args, ["a", "b"], lambda: {"head": 1}, run)
    variants.run_all(args, ["a", "b"], lambda: pytest.fail("the head is made once"), run)
    assert made == [("a", 0, 0), ("b", 0, 1), ("b", 0, 1), ("a", 1, 2), ("b", 1, 3)]
    result = variants.read(args.results)
    assert result["head"] == 1
    last = result["runs"][-1]
    assert (last["variant"], last["seed"], last["value"], last["provenance"]["seed"]) == ("b", 1, 1, 1)


def test_results_of_other_settings_are_not_taken_for_these(experiment, tmp_path, capsys):
    variants = experiment("variants")
    parse = lambda *flags: variants.make_parser("", "x").parse_args(
        ["--seeds=0", f"--results={tmp_path / 'x.json'}", *flags])
    run_all = lambda args: variants.run_all(args, ["a", "b"], dict, lambda *_: {"value": 1})
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
        time.sleep(0.5)
    return {"value": seed}


def test_a_sweep_on_a_cluster_outlives_a_killed_worker(experiment, tmp_path):
    variants, log = experiment("variants"), tmp_path / "log"
    run, names = functools.partial(slow_run, log=log), ["a", "b", "c"]
    lines = lambda: log.read_text().splitlines() if log.exists() else []
    with workers(2) as (address, kill_one), concurrent.futures.ThreadPoolExecutor(1) as thread:
        args = variants.make_parser("", "x").parse_args(
            ["--seeds=0,1", f"--results={tmp_path / 'x.json'}", f"--workdir={tmp_path}", f"--scheduler={address}"])

        def interfere():
            while len(lines()) < 3:
                time.sleep(0.05)
            kill_one()

        killing = thread.submit(interfere)
        variants.run_all(args, names, lambda: {"head": 1}, run, needs={"c": "a"})
        killing.result()
    result = variants.read(args.results)
    assert sorted((row["variant"], row["seed"]) for row in result["runs"]) == [
        (name, seed) for name in names for seed in (0, 1)]
    ended = [line for line in lines() if line.startswith("ends")]
    began = [line for line in lines() if line.startswith("begins")]
    assert len(began) == 7 and len(set(ended)) == 6  # one was begun again
    assert all(lines().index(f"ends a {seed}") < lines().index(f"begins c {seed}") for seed in (0, 1))
    variants.run_all(args, names, lambda: pytest.fail("the head is made once"), lambda *_: pytest.fail("done already"))


def test_quantities_without_a_gradient_by_hand(experiment):
    """Two clusters: 60 MeV in the first cell beyond the centre, and 40 MeV spread over two cells three further on."""
    module = experiment("auxiliary_anchored")
    energy = np.zeros((1, 30, 30), np.float32)
    energy[0, 15, 15], energy[0, 18, 15], energy[0, 18, 16] = 60, 39, 1
    straight, centre = np.array([[0, 0, 10.0]], np.float32), np.zeros((1, 2), np.float32)
    assert module.maxima(energy, straight, centre).tolist() == [2]
    assert module.brightest_nine(energy, straight, centre).tolist() == [1]
    expected = np.hypot(3.5, 0.5)  # 60 % lie within 0.7 cells, 99 % within this
    np.testing.assert_allclose(module.radius_90(energy, straight, centre), [expected], rtol=1e-5)


def test_rank_correlation_of_a_perfect_order(experiment):
    module = experiment("auxiliary_figures")
    runs = [{"mean_unexplained": error, "prd": {"raw": {"auc": 1 - error**3}}} for error in (0.1, 0.2, 0.5, 0.3, 0.4)]
    assert module.rank_correlation(runs, "raw")["value"] == pytest.approx(-1)
    assert module.rank_correlation(runs, "raw")["interval"] == pytest.approx([-1, -1])
    assert module.rank_correlation(runs[:3], "raw") is None


def test_equal_time_is_equal_steps_for_the_same_recipe_and_fewer_for_a_slower_one(experiment, monkeypatch):
    module, anchored = experiment("equal_time"), importlib.import_module("configs.anchored")
    usual, slower, alone = (anchored.get_config("cpu") for _ in range(3))
    slower.generator.latent = 3 * usual.generator.latent
    alone.stages = ("prior",)
    monkeypatch.setattr(module, "make_steps", lambda config: lambda: config.generator.latent)
    monkeypatch.setattr(module, "_timed", lambda step: step())
    variants = {"full": anchored.get_config("cpu"), "slower": slower, "alone": alone}
    assert module.equal_steps(variants, usual, 1_200) == {"full": 1_200, "slower": 400, "alone": 1_200}
