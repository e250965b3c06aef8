"""A traced generator as an ONNX graph with a free number of showers, of standard operators only.

The graphs are written here operator by operator, because jax2onnx 0.17.1 makes wrong graphs of the anchored generator
with a free number of showers.
"""
import numpy as np

from ecalgen.errors import UserError
from ecalgen.export.function import ExportError
from ecalgen.export.program import FREE, Value, taken_axis

OPSET = 17
SIMPLE = {
    "abs": "Abs", "add": "Add", "and": "And", "asinh": "Asinh", "div": "Div", "eq": "Equal", "erf": "Erf", "exp": "Exp",
    "ge": "GreaterOrEqual", "gt": "Greater", "le": "LessOrEqual", "log": "Log", "logistic": "Sigmoid", "lt": "Less",
    "max": "Max", "min": "Min", "mul": "Mul", "neg": "Neg", "not": "Not", "or": "Or", "pow": "Pow", "sign": "Sign",
    "sqrt": "Sqrt", "sub": "Sub", "tanh": "Tanh"}
"""Primitive -> the equivalent operator."""
REDUCTIONS = {"reduce_max": "ReduceMax", "reduce_min": "ReduceMin", "reduce_prod": "ReduceProd"}


def to_onnx(program, names, output):
    """The `onnx.ModelProto` of a `Program` whose first dimension is `FREE`.

    Args:
      program: of `export.program.trace`.
      names: of its inputs.
      output: name of its output.

    Raises:
      UserError: the package onnx is not installed.
      ExportError: a primitive without an equivalent here.
    """
    try:
        import onnx
        from onnx import helper
    except ImportError as error:
        raise UserError("writing ONNX needs the extra: pip install 'ecalgen[export]'") from error
    writer = _Writer(helper, onnx.numpy_helper)
    typed = lambda name, value: helper.make_tensor_value_info(
        name, onnx.TensorProto.FLOAT, ["showers", *value.shape[1:]])
    for name, value in zip(names, program.inputs, strict=True):
        writer.names[value] = name
    for equation in program.equations:
        write = WRITERS.get(equation.primitive)
        if write is None and equation.primitive not in SIMPLE:
            raise ExportError(f"the primitive {equation.primitive} cannot be written as ONNX yet; export to StableHLO, "
                              "which takes any generator")
        if write is None:
            results = [writer.node(SIMPLE[equation.primitive], *equation.inputs)]
        else:
            results = write(writer, equation)
        results = results if isinstance(results, list) else [results]
        writer.names |= dict(zip(equation.outputs, results, strict=True))
    writer.nodes.append(helper.make_node("Identity", [writer.names[program.output]], [output]))
    graph = helper.make_graph(
        writer.nodes, "generator", [typed(*pair) for pair in zip(names, program.inputs, strict=True)],
        [typed(output, program.output)], list(writer.constants.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="ecalgen",
                              ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


class _Writer:
    """Nodes and constants of a graph that is being built."""

    def __init__(self, helper, arrays):
        self.helper, self.arrays = helper, arrays
        self.names, self.nodes, self.constants = {}, [], {}

    def node(self, kind, *inputs, outputs=1, **attributes):
        """Append a node; the name of its output, or a list of them."""
        made = [f"{kind.lower()}{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(self.helper.make_node(kind, list(map(self.name, inputs)), made, **attributes))
        return made if outputs > 1 else made[0]

    def name(self, value):
        """The name of a value, or of an array, which becomes a constant; a name stays as it is."""
        if isinstance(value, str):
            return value
        if isinstance(value, Value):
            return self.names[value]
        value = np.asarray(value)
        key = value.shape, value.dtype.str, value.tobytes()
        if key not in self.constants:
            self.constants[key] = self.arrays.from_array(value, f"constant{len(self.constants)}")
        return self.constants[key].name

    def shape(self, shape):
        """A shape as the input of a node, the number of showers taken from the first input of the graph."""
        if FREE not in shape:
            return np.array(shape, np.int64)
        if "showers" not in self.names:
            first = self.node("Shape", next(iter(self.names.values())), start=0, end=1)
            self.names["showers"] = first
        fixed = lambda part: [np.array(part, np.int64)] if part else []
        at = shape.index(FREE)
        return self.node("Concat", *fixed(shape[:at]), self.names["showers"], *fixed(shape[at + 1:]), axis=0)


def _reshape(writer, equation):
    shape = [-1 if size and size % FREE == 0 else size for size in equation.outputs[0].shape]
    return writer.node("Reshape", equation.inputs[0], np.array(shape, np.int64))


def _broadcast(writer, equation):
    (value,), shape = equation.inputs, equation.params["shape"]
    kept = equation.params["broadcast_dimensions"]
    ones = [value.shape[kept.index(axis)] if axis in kept else 1 for axis in range(len(shape))]
    ones = [-1 if size == FREE else size for size in ones]
    if len(kept) != len(shape):
        value = writer.node("Reshape", value, np.array(ones, np.int64))
    same = all(one in (-1, size) for one, size in zip(ones, shape, strict=True))
    return value if same and isinstance(value, str) else writer.node("Expand", value, writer.shape(shape))


def _concatenate(writer, equation):
    return writer.node("Concat", *equation.inputs, axis=equation.params["dimension"])


def _stack(writer, equation):
    axis = equation.params["axis"]
    apart = [writer.node("Unsqueeze", value, np.array([axis], np.int64)) for value in equation.inputs]
    return writer.node("Concat", *apart, axis=axis)


def _split(writer, equation):
    return writer.node("Split", equation.inputs[0], np.array(equation.params["sizes"], np.int64),
                       outputs=len(equation.outputs), axis=equation.params["axis"])


def _slice(writer, equation):
    value, params = equation.inputs[0], equation.params
    steps = params["strides"] or (1,) * len(value.shape)
    cut = [axis for axis, size in enumerate(value.shape)
           if (params["start_indices"][axis], params["limit_indices"][axis], steps[axis]) != (0, size, 1)]
    pick = lambda numbers: np.array([numbers[axis] for axis in cut], np.int64)
    return writer.node("Slice", value, pick(params["start_indices"]), pick(params["limit_indices"]),
                       np.array(cut, np.int64), pick(steps))


def _reverse(writer, equation):
    axes = np.array(equation.params["dimensions"], np.int64)
    lowest = np.iinfo(np.int64).min
    return writer.node("Slice", equation.inputs[0], np.full_like(axes, -1), np.full_like(axes, lowest), axes,
                       np.full_like(axes, -1))


def _pad(writer, equation):
    config = equation.params["padding_config"]
    if any(low < 0 or high < 0 or inside for low, high, inside in config):
        raise ExportError("padding that cuts or spreads cannot be written as ONNX yet; export to StableHLO")
    pads = np.array([low for low, _, _ in config] + [high for _, high, _ in config], np.int64)
    return writer.node("Pad", equation.inputs[0], pads, equation.inputs[1])


def _transpose(writer, equation):
    return writer.node("Transpose", equation.inputs[0], perm=list(equation.params["permutation"]))


def _cast(writer, equation):
    kind = writer.helper.np_dtype_to_tensor_dtype(equation.outputs[0].dtype)
    return writer.node("Cast", equation.inputs[0], to=kind)


def _integer_pow(writer, equation):
    power = equation.params["y"]
    result = value = equation.inputs[0]
    for _ in range(abs(power) - 1):
        result = writer.node("Mul", result, value)
    return writer.node("Reciprocal", result) if power < 0 else writer.node("Identity", result)


def _sum(writer, equation):
    return writer.node("ReduceSum", equation.inputs[0], np.array(equation.params["axes"], np.int64), keepdims=0)


def _reduce(writer, equation):
    return writer.node(REDUCTIONS[equation.primitive], equation.inputs[0], axes=list(equation.params["axes"]),
                       keepdims=0)


def _select(writer, equation):
    which, no, yes = equation.inputs
    return writer.node("Where", which, yes, no)


def _gather(writer, equation):
    value, indices = equation.inputs
    axis, offset = taken_axis(equation), equation.params["dimension_numbers"].offset_dims
    if axis is None:
        raise ExportError("only indices along one axis can be written in ONNX yet")
    taken = writer.node("Gather", value, _squeezed(writer, indices, value.shape[axis] - 1), axis=axis)
    before = list(range(axis))
    between = list(range(axis, axis + len(indices.shape) - 1))
    after = list(range(axis + len(between), len(equation.outputs[0].shape)))
    source = dict(zip(offset, before + after, strict=True))
    rest = iter(between)
    order = [source[i] if i in source else next(rest) for i in range(len(equation.outputs[0].shape))]
    return taken if order == sorted(order) else writer.node("Transpose", taken, perm=order)


def _squeezed(writer, indices, last):
    """Indices without their last axis; computed ones are clipped to the array, as in XLA."""
    if isinstance(indices, Value):
        bounds = (np.asarray(bound, indices.dtype) for bound in (0, last))
        within = writer.node("Min", writer.node("Max", indices, next(bounds)), next(bounds))
        return writer.node("Squeeze", within, np.array([len(indices.shape) - 1], np.int64))
    return np.asarray(indices)[..., 0].astype(np.int64)


def _dot(writer, equation):
    """Both sides as stacks of matrices: batch axes first, the summed axes last of one and next to last of the other."""
    (left, right), ((left_sum, right_sum), (left_stack, right_stack)) = (
        equation.inputs, equation.params["dimension_numbers"])
    left_free = [axis for axis in range(len(left.shape)) if axis not in (*left_sum, *left_stack)]
    right_free = [axis for axis in range(len(right.shape)) if axis not in (*right_sum, *right_stack)]
    if len(left_sum) != 1 or len(right_free) != 1:
        raise ExportError("only matrix products with one summed axis can be written yet")
    if left_stack and len(left_free) != 1:
        raise ExportError("only stacks of matrices can be multiplied yet")
    left = writer.node("Transpose", left, perm=[*left_stack, *left_free, *left_sum])
    right = writer.node("Transpose", right, perm=[*right_stack, *right_sum, *right_free])
    return writer.node("MatMul", left, right)


def _convolution(writer, equation):
    """Convolution in the layout of ONNX: channels before height and width."""
    value, kernel = equation.inputs
    params = equation.params
    numbers = params["dimension_numbers"]
    if params["batch_group_count"] != 1:
        raise ExportError("convolutions grouped by showers cannot be written yet")
    kernel = np.asarray(kernel).transpose(numbers.rhs_spec)
    value = writer.node("Transpose", value, perm=list(numbers.lhs_spec))
    padding, spread = params["padding"], params["lhs_dilation"]
    if set(spread) != {1}:
        value = _spread(writer, value, equation, spread)
    made = writer.node("Conv", value, kernel, pads=[low for low, _ in padding] + [high for _, high in padding],
                       strides=list(params["window_strides"]), dilations=list(params["rhs_dilation"]),
                       group=params["feature_group_count"])
    return writer.node("Transpose", made, perm=np.argsort(numbers.out_spec).tolist())


def _spread(writer, value, equation, spread):
    """Zeros between the pixels of `[N, C, H, W]`, as the input of a transposed convolution."""
    spec = equation.params["dimension_numbers"].lhs_spec
    channels, height, width = (equation.inputs[0].shape[axis] for axis in spec[1:])
    apart = writer.node("Reshape", value, np.array([-1, channels, height, 1, width, 1], np.int64))
    pads = np.array([0] * 6 + [0, 0, 0, spread[0] - 1, 0, spread[1] - 1], np.int64)
    padded = writer.node("Pad", apart, pads)
    sizes = np.array([-1, channels, height * spread[0], width * spread[1]], np.int64)
    joined = writer.node("Reshape", padded, sizes)
    ends = np.array([(height - 1) * spread[0] + 1, (width - 1) * spread[1] + 1], np.int64)
    return writer.node("Slice", joined, np.zeros(2, np.int64), ends, np.array([2, 3], np.int64))


def _sum_so_far(writer, equation):
    return writer.node("CumSum", equation.inputs[0], np.array(equation.params["axis"], np.int64),
                       reverse=int(equation.params["reverse"]))


def _one(value):
    return np.array(1, value.dtype)


WRITERS = {
    "reshape": _reshape, "squeeze": _reshape, "expand_dims": _reshape, "broadcast_in_dim": _broadcast,
    "concatenate": _concatenate, "stack": _stack, "split": _split, "slice": _slice, "rev": _reverse, "pad": _pad,
    "transpose": _transpose, "convert_element_type": _cast, "integer_pow": _integer_pow, "reduce_sum": _sum,
    **dict.fromkeys(REDUCTIONS, _reduce), "select_n": _select, "gather": _gather, "dot_general": _dot,
    "conv_general_dilated": _convolution, "cumsum": _sum_so_far,
    "square": lambda writer, equation: writer.node("Mul", *equation.inputs * 2),
    "rsqrt": lambda writer, equation: writer.node("Reciprocal", writer.node("Sqrt", *equation.inputs)),
    "ne": lambda writer, equation: writer.node("Not", writer.node("Equal", *equation.inputs)),
    "erfc": lambda writer, equation: writer.node(
        "Sub", _one(equation.inputs[0]), writer.node("Erf", *equation.inputs)),
    "log1p": lambda writer, equation: writer.node(
        "Log", writer.node("Add", equation.inputs[0], _one(equation.inputs[0]))),
    "expm1": lambda writer, equation: writer.node(
        "Sub", writer.node("Exp", *equation.inputs), _one(equation.inputs[0])),
    "clamp": lambda writer, equation: writer.node(
        "Min", writer.node("Max", equation.inputs[1], equation.inputs[0]), equation.inputs[2]),
}
"""Primitive -> (writer, equation) -> the name of its result, or a list of them."""
