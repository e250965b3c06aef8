"""Tracing: what is computed once, now, or not at all."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exporting import FUNCTIONS

from ecalgen.export.program import FREE, trace


def primitives(function, *shapes):
    return [equation.primitive for equation in trace(function, *shapes).equations]


def test_what_is_asked_for_twice_is_computed_once():
    assert primitives(lambda x: jnp.exp(x) * jax.jit(jnp.exp)(x), (3,)) == ["exp", "mul"]


def test_what_hangs_on_no_input_is_computed_now():
    program = trace(lambda x: x + jnp.exp(jnp.arange(3.0)), (3,))
    (equation,) = program.equations
    np.testing.assert_allclose(equation.inputs[1], np.exp([0, 1, 2]), rtol=1e-6)


def test_what_nothing_uses_is_dropped():
    assert primitives(lambda x: (jnp.sin(x), jax.lax.stop_gradient(-x))[1], (3,)) == ["neg"]


def test_empty_parts_are_dropped():
    program = trace(lambda x: jnp.concatenate([x[:0], x, x], axis=0), (3,))
    assert [len(equation.inputs) for equation in program.equations if equation.primitive == "concatenate"] == [2]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_free_dimension_stays_the_first_and_the_only_one(name):
    function, shape = FUNCTIONS[name]
    for equation in trace(function, (FREE, *shape)).equations:
        for value in equation.outputs:
            assert all(size < FREE for size in value.shape[1:])
