"""What the experiments share: their measure of a generator, from any variables of it."""
import importlib
import pathlib

import jax
import numpy as np
import pytest

from ecalgen.models.anchored import AnchoredGenerator


@pytest.fixture
def judging(monkeypatch):
    monkeypatch.syspath_prepend(pathlib.Path(__file__).parents[1])
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
    generator = AnchoredGenerator(shape=2, correction=False)
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 5))
    variables = generator.init(jax.random.key(0), noise, showers.momentum[:5], showers.point[:5])
    whole = judging.make_showers(fields, {"name": "none"}, variables, showers[:50], seed=3)
    monkeypatch.setattr(judging, "CHUNK", 20)
    parts = judging.make_showers(fields, {"name": "none"}, variables, showers[:50], seed=3)
    np.testing.assert_allclose(whole.energy, parts.energy, rtol=1e-3, atol=1e-3)
