"""The measures of a generator that the experiments share."""
import jax
import numpy as np

from ecalgen.data.grid import OLD
from ecalgen.models.anchored import AnchoredGenerator
from ecalgen.sampling import sampler


def test_real_showers_are_judged_real(measures, showers):
    result = measures.judged(showers[:200], showers[200:], ("observables", "observables_and_conditions"), runs=2)
    assert set(result) == {"showers", "auc", "physics_prd", "bins"} and result["showers"] == 200
    assert all(0.35 < auc < 0.65 for auc in result["auc"].values())
    assert {"clusters": 5, "runs": 2, "n": 200}.items() <= result["physics_prd"].items()
    assert result["physics_prd"]["auc"] > 0.8


def test_showers_of_a_generator_do_not_depend_on_the_chunk(measures, showers, monkeypatch):
    fields = dict(name="anchored", shape=2, correction=False)
    generator = AnchoredGenerator(shape_latents=2, correction=False)
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 5))
    variables = jax.jit(generator.init)(jax.random.key(0), noise, showers.momentum[:5], showers.point[:5])
    whole = measures.make_showers(fields, OLD, {"name": "none"}, variables, showers[:40], seed=3)
    monkeypatch.setitem(sampler.CHUNKS, jax.default_backend(), 20 * 900)
    parts = measures.make_showers(fields, OLD, {"name": "none"}, variables, showers[:40], seed=3)
    np.testing.assert_allclose(whole.energy, parts.energy, rtol=1e-3, atol=1e-3)
