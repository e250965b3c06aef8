"""A JAX function as a list of primitive equations, from which programs in other languages are written."""
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

FREE = 8191
"""Placeholder of a free number of showers: a prime that is no width of a network.

A multiple of it is the length of an axis over the cells, or other numbers, of all showers.
"""
PASSING = ("stop_gradient", "copy", "copy_p", "optimization_barrier")
"""Primitives whose output is their input."""


class Value:
    """The result of an equation: an array of this shape and dtype."""

    def __init__(self, aval):
        self.shape, self.dtype = aval.shape, np.dtype(aval.dtype)


class Equation(NamedTuple):
    """outputs = primitive(inputs): inputs are `Value`s, or arrays where they are constant."""

    primitive: str
    inputs: tuple
    outputs: tuple
    params: dict[str, Any]


class Program(NamedTuple):
    """Equations in the order in which they are computed, from the inputs to the one output."""

    inputs: tuple
    equations: tuple
    output: Value


def trace(function, *shapes):
    """The `Program` of a function of float32 arrays with one output.

    Calls are inlined. What depends on no input is computed now, equal equations are computed once, and equations that
    the output does not depend on are dropped.

    Args:
      function: traceable by JAX.
      *shapes: of its arguments; `FREE` where a dimension is to stay free.
    """
    closed = jax.make_jaxpr(function)(*(jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes))
    inputs = tuple(Value(var.aval) for var in closed.jaxpr.invars)
    equations = {}
    (output,) = _inline(closed, inputs, equations)
    return Program(inputs, tuple(_needed(equations.values(), output)), output)


def taken_axis(equation):
    """The axis of a gather along one axis, such as `x[:, indices]`; None for any other gather."""
    numbers, sizes = equation.params["dimension_numbers"], equation.params["slice_sizes"]
    axes = tuple(numbers.start_index_map)
    whole = all(size == full for axis, (size, full) in enumerate(
        zip(sizes, equation.inputs[0].shape, strict=True)) if axis not in axes)
    alone = len(axes) == 1 and tuple(numbers.collapsed_slice_dims) == axes and not numbers.operand_batching_dims
    return axes[0] if alone and whole else None


def _inline(closed, arguments, equations):
    """Values of a closed jaxpr's outputs, its equations added to `equations` by what they compute."""
    known = dict(zip(closed.jaxpr.constvars, map(np.asarray, closed.consts), strict=True))
    known |= dict(zip(closed.jaxpr.invars, arguments, strict=True))
    read = lambda var: np.asarray(var.val, var.aval.dtype) if isinstance(var, Literal) else known[var]
    for eqn in closed.jaxpr.eqns:
        inputs = tuple(map(read, eqn.invars))
        if eqn.primitive.name == "concatenate":
            inputs = tuple(value for value in inputs if 0 not in value.shape)
        inner = next((value for value in eqn.params.values() if hasattr(value, "jaxpr")), None)
        if inner is not None:
            outputs = _inline(inner, inputs, equations)
        elif eqn.primitive.name in PASSING:
            outputs = inputs
        elif _is_constant(eqn, inputs):
            outputs = eqn.primitive.bind(*map(jnp.asarray, inputs), **eqn.params)
            outputs = list(map(np.asarray, outputs if eqn.primitive.multiple_results else [outputs]))
        else:
            key = (eqn.primitive.name, tuple(map(_identity, inputs)), str(eqn.params))
            if key not in equations:
                made = tuple(Value(var.aval) for var in eqn.outvars)
                equations[key] = Equation(eqn.primitive.name, inputs, made, eqn.params)
            outputs = equations[key].outputs
        known |= dict(zip(eqn.outvars, outputs, strict=True))
    return tuple(map(read, closed.jaxpr.outvars))


def _is_constant(eqn, inputs):
    free = any(FREE in var.aval.shape for var in eqn.outvars)
    return not free and not any(isinstance(value, Value) for value in inputs)


def _identity(value):
    return value if isinstance(value, Value) else (value.shape, value.dtype.str, value.tobytes())


def _needed(equations, output):
    """The equations on which the output depends."""
    needed, kept = {output}, []
    for equation in reversed(equations):
        if needed.intersection(equation.outputs):
            kept.append(equation)
            needed.update(value for value in equation.inputs if isinstance(value, Value))
    return reversed(kept)
