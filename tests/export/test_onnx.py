"""ONNX against JAX, through onnxruntime."""
import jax
import jax.numpy as jnp
import numpy as np
import onnxruntime
import pytest
from exporting import FUNCTIONS, GENERATORS, check_hostile, difference, draw, save_run

from ecalgen.export.files import write_onnx
from ecalgen.export.function import ExportError, load_function
from ecalgen.export.onnx import to_onnx
from ecalgen.export.program import FREE, trace


def session(graph):
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("count", [1, 3])
def test_each_operator(name, count):
    function, shape = FUNCTIONS[name]
    graph = to_onnx(trace(function, (FREE, *shape)), ["given"], "cells").SerializeToString()
    given = np.random.default_rng(0).normal(size=(count, *shape)).astype("f4")
    (made,) = session(graph).run(None, {"given": given})
    np.testing.assert_allclose(made, function(given), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", GENERATORS)
def test_both_signatures_of_every_generator(name, tmp_path):
    """To 1e-4 of the largest cell, for one shower and for a few."""
    make_cells, latent, _ = load_function(save_run(tmp_path, name))
    files, _ = write_onnx(make_cells, latent, "test", None)
    apart, joined = session(files["test.onnx"]), session(files["test_joined.onnx"])
    for count in (1, 20):
        noise, conditions = draw(latent, count)
        expected = jax.jit(make_cells)(noise, conditions)
        (made,) = apart.run(["cells"], {"noise": noise, "conditions": conditions})
        assert expected.max() > 0 and difference(made, expected) < 1e-4
        both = np.concatenate([noise, conditions], axis=1)
        np.testing.assert_array_equal(joined.run(["cells"], {"noise_and_conditions": both})[0], made)


@pytest.mark.parametrize("name", ["anchored", "anchored_light"])
def test_the_shipped_generators(name):
    make_cells, latent, _ = load_function(name)
    files, _ = write_onnx(make_cells, latent, name, None)
    noise, conditions = draw(latent, 50)
    run = session(files[f"{name}.onnx"]).run
    (made,) = run(None, {"noise": noise, "conditions": conditions})
    assert difference(made, jax.jit(make_cells)(noise, conditions)) < 1e-4
    shares = check_hostile(lambda noise, given: run(None, {"noise": noise, "conditions": given})[0], latent)
    assert (shares < 1.05).all()


def test_a_primitive_without_a_writing_is_named():
    with pytest.raises(ExportError, match="sort cannot be written as ONNX"):
        to_onnx(trace(jnp.sort, (FREE, 3)), ["given"], "cells")
