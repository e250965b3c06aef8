"""A traced generator as C99 that needs nothing but the standard mathematics library."""
import math

import numpy as np

from ecalgen.export.function import ExportError
from ecalgen.export.program import Value, taken_axis

LONGEST = 300
"""Largest number of characters of an expression; the value of a longer one is stored."""
BINARY = {"add": "({} + {})", "sub": "({} - {})", "mul": "({} * {})", "div": "({} / {})", "gt": "({} > {})",
          "ge": "({} >= {})", "lt": "({} < {})", "le": "({} <= {})", "eq": "({} == {})", "ne": "({} != {})",
          "and": "({} && {})", "or": "({} || {})", "max": "larger({}, {})", "min": "smaller({}, {})",
          "pow": "powf({}, {})"}
UNARY = {"neg": "(-{})", "not": "(!{})", "abs": "fabsf({})", "sign": "sign_of({})", "exp": "expf({})",
         "log": "logf({})", "log1p": "log1pf({})", "expm1": "expm1f({})", "tanh": "tanhf({})",
         "logistic": "(1.0f / (1.0f + expf(-{})))", "sqrt": "sqrtf({})", "rsqrt": "(1.0f / sqrtf({}))",
         "square": "power({}, 2)", "asinh": "asinhf({})", "erf": "erff({})", "erfc": "erfcf({})"}
SIMPLE = BINARY | UNARY | {"select_n": "({0} ? {2} : {1})", "clamp": "smaller(larger({1}, {0}), {2})"}
"""Primitive -> the expression of one element."""
LARGEST = "3.4e38f"
"""Used in place of infinity, which compilers with fast-math options assume never to occur."""
REDUCTIONS = {"reduce_sum": ("0.0f", "{0} += {1};"), "reduce_prod": ("1.0f", "{0} *= {1};"),
              "reduce_max": (f"-{LARGEST}", "{0} = larger({0}, {1});"),
              "reduce_min": (LARGEST, "{0} = smaller({0}, {1});")}
"""Primitive -> (start, step)."""
TYPES = {"f": "float", "i": "int", "b": "int"}
HELPERS = """\
static inline float larger(float a, float b) { return a > b ? a : b; }
static inline float smaller(float a, float b) { return a < b ? a : b; }
static inline int within(int index, int last) { return index < 0 ? 0 : index > last ? last : index; }
static inline float sign_of(float x) { return (float)((x > 0.0f) - (x < 0.0f)); }
static inline float power(float x, int n) { float y = x; while (--n > 0) y *= x; return y; }
"""


def to_c(program, name, arguments, output):
    """`(constants, body, workspace)` of a C function that computes a `Program`.

    Args:
      program: of `export.program.trace`, of fixed shapes.
      name: of the model, for messages.
      arguments: C names of the inputs.
      output: C name of the array for the output.

    Returns:
      The arrays that precede the function, its statements, and the number of floats of its workspace.

    Raises:
      ExportError: a primitive without an equivalent here.
    """
    writer = _Writer(dict(zip(program.inputs, arguments, strict=True)), _counts(program))
    for equation in program.equations:
        _write(writer, equation, name)
    writer.store(program.output, output)
    offsets, workspace = _places(writer.statements)
    places = [f"    {kind} *const {buffer} = ({kind} *)(workspace + {offsets[buffer]});"
              for buffer, (kind, _) in writer.buffers.items()]
    return "\n".join(writer.constants), "\n".join([*places, *(text for text, _ in writer.statements)]), workspace


class _Writer:
    """Statements of a function that is being built; small steps stay expressions until they are stored.

    Attributes:
      buffers: name -> (C type, number of elements) of the stored values.
      statements: (text, the buffers that it uses), in order.
    """

    def __init__(self, inputs, uses):
        self.uses, self.buffers, self.statements, self.constants = uses, {}, [], []
        self.elements = {}  # Value -> (indices -> C expression)
        self.stored = dict(inputs)  # Value -> the name of an array
        self.written = {}  # bytes of a constant -> the name of its array

    def element(self, value, indices):
        """The C expression of `value[indices]`."""
        if not isinstance(value, Value):
            return self._constant_element(np.asarray(value), indices)
        if value in self.stored:
            return f"{self.stored[value]}[{flat(value.shape, indices)}]"
        return self.elements[value](indices)

    def array(self, value):
        """The name of an array that holds a value, in C order."""
        if not isinstance(value, Value):
            return self._constant(np.asarray(value))
        if value not in self.stored:
            self.store(value)
        return self.stored[value]

    def store(self, value, name=None):
        """Compute a value into a new array, or into the array of this name."""
        name = name or self.reserve(value)
        indices = [f"i{axis}" for axis in range(len(value.shape))]
        body = f"{name}[{flat(value.shape, indices)}] = {self.element(value, indices)};"
        self.say(loops(value.shape, indices, body))
        self.stored[value] = name

    def reserve(self, value):
        """The name of a new array for a value."""
        name = f"v{len(self.buffers)}"
        self.buffers[name] = TYPES[value.dtype.kind], math.prod(value.shape)
        return name

    def say(self, text):
        """Append a statement."""
        words = set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())
        self.statements.append((text, {word: self.buffers[word][1] for word in words & self.buffers.keys()}))

    def later(self, value, element):
        """Replace a value by this expression of its indices where it is used; store it if it is used often, or long."""
        self.elements[value] = element
        often = self.uses[value] > 1
        if often or len(element(["i0"] * len(value.shape))) > LONGEST:
            self.store(value)

    def _constant_element(self, array, indices):
        if array.size == 1 or (array == array.flat[0]).all():
            return literal(array.flat[0])
        return f"{self._constant(array)}[{flat(array.shape, indices)}]"

    def _constant(self, array):
        key = array.dtype.kind, array.tobytes()
        if key not in self.written:
            name = self.written[key] = f"c{len(self.written)}"
            rows = [", ".join(map(literal, array.ravel()[i:i + 8])) for i in range(0, array.size, 8)]
            self.constants.append(f"static const {TYPES[array.dtype.kind]} {name}[{array.size}] = {{\n"
                                  + ",\n".join(rows) + "};")
        return self.written[key]


def literal(number):
    """A number as C writes it."""
    if np.asarray(number).dtype.kind != "f":
        return str(int(number))
    if not np.isfinite(number):
        return "(0.0f / 0.0f)" if np.isnan(number) else (LARGEST if number > 0 else f"-{LARGEST}")
    text = f"{float(number):.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def flat(shape, indices):
    """The index of an element in C order: `[3, 4]`, `[i0, i1]` -> `i0 * 4 + i1`."""
    terms, stride = [], 1
    for size, index in zip(reversed(shape), reversed(list(indices)), strict=True):
        if size > 1 and index != "0":
            terms.append(index if stride == 1 else f"{index} * {stride}")
        stride *= size
    return " + ".join(reversed(terms)) or "0"


def stretched(shape, indices):
    """Indices of the element of an operand for an element of the result; dimensions of one are broadcast."""
    return [index if size > 1 else "0" for size, index in zip(shape, indices, strict=bool(shape))]


def loops(shape, indices, body):
    """Loops of `body` over all indices of a shape; the index of a dimension of one is 0."""
    zeros = "".join(f"const int {index} = 0; (void){index}; "
                    for size, index in zip(shape, indices, strict=True) if size == 1)
    heads = " ".join(f"for (int {index} = 0; {index} < {size}; ++{index})"
                     for size, index in zip(shape, indices, strict=True) if size != 1)
    return f"    {{ {zeros}{heads} {{ {body} }} }}"


def summed_row(width, step, place):
    """A row of sums: `step` adds to `sum[j]`, and `place` is the destination of element j."""
    every = f"for (int j = 0; j < {width}; ++j)"
    return f"float sum[{width}]; {every} sum[j] = 0.0f; {step} {every} {place} = sum[j];"


def _counts(program):
    """Number of uses of every value."""
    counts = dict.fromkeys(program.inputs, 0) | {program.output: 1}
    for equation in program.equations:
        for value in equation.outputs:
            counts.setdefault(value, 0)
        for value in equation.inputs:
            if isinstance(value, Value):
                counts[value] = counts.get(value, 0) + 1
    return counts


def _places(statements):
    """Places of the buffers in the workspace while statements use them: {buffer: offset}, and the floats needed."""
    first, last, sizes = {}, {}, {}
    for i, (_, used) in enumerate(statements):
        for buffer, size in used.items():
            first.setdefault(buffer, i)
            last[buffer], sizes[buffer] = i, (size + 15) // 16 * 16
    offsets, end = {}, 0
    for buffer in sorted(sizes, key=lambda name: (-sizes[name], first[name])):
        taken = sorted((offsets[other], offsets[other] + sizes[other]) for other in offsets
                       if first[other] <= last[buffer] and first[buffer] <= last[other])
        place = 0
        for start, stop in taken:
            if place + sizes[buffer] <= start:
                break
            place = max(place, stop)
        offsets[buffer] = place
        end = max(end, place + sizes[buffer])
    return offsets, end


def _write(writer, equation, name):
    if equation.primitive in SIMPLE:
        form, inputs = SIMPLE[equation.primitive], equation.inputs
        writer.later(equation.outputs[0], lambda indices: form.format(*(
            writer.element(value, stretched(value.shape, indices)) for value in inputs)))
    elif equation.primitive in WRITERS:
        WRITERS[equation.primitive](writer, equation)
    else:
        raise ExportError(f"the primitive {equation.primitive} of {name} cannot be written as C yet; export to "
                          "StableHLO, which takes any generator")


def _cast(writer, equation):
    value, output = equation.inputs[0], equation.outputs[0]
    form = "({} != 0)" if output.dtype.kind == "b" else f"(({TYPES[output.dtype.kind]}){{}})"
    writer.later(output, lambda indices: form.format(writer.element(value, indices)))


def _integer_pow(writer, equation):
    power, value = equation.params["y"], equation.inputs[0]
    form = f"power({{}}, {power})" if power > 0 else f"(1.0f / power({{}}, {-power}))"
    writer.later(equation.outputs[0], lambda indices: form.format(writer.element(value, indices)))


def _reshape(writer, equation):
    """Another view of the same array."""
    writer.stored[equation.outputs[0]] = writer.array(equation.inputs[0])


def _broadcast(writer, equation):
    value, output = equation.inputs[0], equation.outputs[0]
    kept = equation.params["broadcast_dimensions"]
    if isinstance(value, Value) and value not in writer.stored and math.prod(value.shape) < math.prod(output.shape):
        writer.store(value)
    writer.later(output, lambda indices: writer.element(
        value, [indices[axis] if size > 1 else "0" for axis, size in zip(kept, value.shape, strict=True)]))


def _transpose(writer, equation):
    value, order = equation.inputs[0], equation.params["permutation"]
    writer.later(equation.outputs[0], lambda indices: writer.element(
        value, [indices[order.index(axis)] for axis in range(len(order))]))


def _reverse(writer, equation):
    value, flipped = equation.inputs[0], equation.params["dimensions"]
    writer.later(equation.outputs[0], lambda indices: writer.element(
        value, [f"({size - 1} - {index})" if axis in flipped else index
                for axis, (index, size) in enumerate(zip(indices, value.shape, strict=True))]))


def _moved(index, start, step=1):
    index = index if step == 1 else f"{index} * {step}"
    return index if start == 0 else f"({index} + {start})"


def _slice(writer, equation):
    value, starts = equation.inputs[0], equation.params["start_indices"]
    steps = equation.params["strides"] or (1,) * len(starts)
    writer.later(equation.outputs[0], lambda indices: writer.element(value, list(map(_moved, indices, starts, steps))))


def _split(writer, equation):
    value, axis = equation.inputs[0], equation.params["axis"]
    starts = np.cumsum([0, *equation.params["sizes"]])
    for output, start in zip(equation.outputs, starts[:-1].tolist(), strict=True):
        writer.later(output, lambda indices, start=start: writer.element(
            value, [_moved(index, start) if at == axis else index for at, index in enumerate(indices)]))


def _gather(writer, equation):
    value, where = equation.inputs
    axis, numbers = taken_axis(equation), equation.params["dimension_numbers"]
    if axis is None:
        raise ExportError("only indices along one axis can be written in C yet")
    writer.array(value)
    if isinstance(where, Value):
        writer.array(where)

    def element(indices):
        offset = [indices[at] for at in numbers.offset_dims]
        rest = [index for at, index in enumerate(indices) if at not in numbers.offset_dims]
        chosen = f"({writer.element(where, [*rest, '0'])})"
        if isinstance(where, Value):  # of a particle far outside the training range it may be anything
            chosen = f"within({chosen}, {value.shape[axis] - 1})"
        return writer.element(value, [*offset[:axis], chosen, *offset[axis:]])

    writer.later(equation.outputs[0], element)


def _concatenate(writer, equation):
    _joined(writer, equation, equation.params["dimension"], [value.shape for value in equation.inputs])


def _stack(writer, equation):
    axis = equation.params["axis"]
    _joined(writer, equation, axis, [(*value.shape[:axis], 1, *value.shape[axis:]) for value in equation.inputs],
            lambda indices: [*indices[:axis], *indices[axis + 1:]])


def _joined(writer, equation, axis, shapes, inner=list):
    """Join parts along an axis; `inner` turns indices of the joined shape into indices of a part."""
    output, start = equation.outputs[0], 0
    name = writer.reserve(output)
    indices = [f"i{at}" for at in range(len(output.shape))]
    for value, shape in zip(equation.inputs, shapes, strict=True):
        places = [_moved(index, start) if at == axis else index for at, index in enumerate(indices)]
        writer.say(loops(shape, indices, f"{name}[{flat(output.shape, places)}] = "
                                         f"{writer.element(value, inner(indices))};"))
        start += shape[axis]
    writer.stored[output] = name


def _pad(writer, equation):
    value, fill = equation.inputs
    config, output = equation.params["padding_config"], equation.outputs[0]
    if any(low < 0 or high < 0 or inside for low, high, inside in config):
        raise ExportError("padding that cuts or spreads cannot be written as C yet; export to StableHLO")
    name, indices = writer.reserve(output), [f"i{at}" for at in range(len(output.shape))]
    places = [_moved(index, low) for index, (low, _, _) in zip(indices, config, strict=True)]
    writer.say(loops(output.shape, indices, f"{name}[{flat(output.shape, indices)}] = {writer.element(fill, [])};"))
    writer.say(loops(value.shape, indices, f"{name}[{flat(output.shape, places)}] = "
                                           f"{writer.element(value, indices)};"))
    writer.stored[output] = name


def _reduce(writer, equation):
    value, output, axes = equation.inputs[0], equation.outputs[0], equation.params["axes"]
    start, step = REDUCTIONS[equation.primitive]
    name, indices = writer.reserve(output), [f"i{axis}" for axis in range(len(value.shape))]
    outer = [axis for axis in range(len(indices)) if axis not in axes]
    pick = lambda items, axes: [items[axis] for axis in axes]
    inner = loops(pick(value.shape, axes), pick(indices, axes), step.format("sum", writer.element(value, indices)))
    kind = TYPES[output.dtype.kind]
    writer.say(loops(pick(value.shape, outer), pick(indices, outer),
                     f"{kind} sum = {start}; {inner.strip()} "
                     f"{name}[{flat(output.shape, pick(indices, outer))}] = sum;"))
    writer.stored[output] = name


def _sum_so_far(writer, equation):
    value, output, axis = equation.inputs[0], equation.outputs[0], equation.params["axis"]
    if equation.params["reverse"]:
        raise ExportError("sums from the end cannot be written as C yet; export to StableHLO")
    name, indices = writer.reserve(output), [f"i{at}" for at in range(len(value.shape))]
    outer = [at for at in range(len(indices)) if at != axis]
    pick = lambda items, axes: [items[at] for at in axes]
    inner = loops([value.shape[axis]], [indices[axis]],
                  f"sum += {writer.element(value, indices)}; {name}[{flat(output.shape, indices)}] = sum;")
    writer.say(loops(pick(value.shape, outer), pick(indices, outer), f"float sum = 0.0f; {inner.strip()}"))
    writer.stored[output] = name


def _dot(writer, equation):
    """Matrix product row by row, with the last axis of the result innermost, so that compilers vectorise it."""
    (left, right), output = equation.inputs, equation.outputs[0]
    (left_sum, right_sum), (left_stack, right_stack) = equation.params["dimension_numbers"]
    left_free = [axis for axis in range(len(left.shape)) if axis not in (*left_sum, *left_stack)]
    right_free = [axis for axis in range(len(right.shape)) if axis not in (*right_sum, *right_stack)]
    if len(right_free) != 1:
        raise ExportError("only products with one free axis on the right can be written in C yet")
    names = {("left", axis): f"k{i}" for i, axis in enumerate(left_sum)}
    names |= {("right", axis): f"k{i}" for i, axis in enumerate(right_sum)}
    names |= {("left", axis): f"i{i}" for i, axis in enumerate((*left_stack, *left_free))}
    names |= {("right", axis): f"i{i}" for i, axis in enumerate(right_stack)} | {("right", right_free[0]): "j"}
    at = lambda side, value: flat(value.shape, [names[side, axis] for axis in range(len(value.shape))])
    ours, theirs, name = writer.array(left), writer.array(right), writer.reserve(output)
    outer = [f"i{i}" for i in range(len(left_stack) + len(left_free))]
    width = right.shape[right_free[0]]
    place = f"{name}[{flat(output.shape, [*outer, 'j'])}]"
    summed = [left.shape[axis] for axis in left_sum]
    step = loops(summed, [f"k{i}" for i in range(len(summed))],
                 f"const float x = {ours}[{at('left', left)}]; "
                 f"for (int j = 0; j < {width}; ++j) sum[j] += x * {theirs}[{at('right', right)}];")
    writer.say(loops(output.shape[:-1], outer, summed_row(width, step.strip(), place)))
    writer.stored[output] = name


def _convolution(writer, equation):
    """Convolution pixel by pixel, with the channels of the result innermost."""
    (value, kernel), output, params = equation.inputs, equation.outputs[0], equation.params
    numbers = params["dimension_numbers"]
    layout = (tuple(numbers.lhs_spec), tuple(numbers.rhs_spec), tuple(numbers.out_spec))
    if layout != ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2)) or params["feature_group_count"] != 1:
        raise ExportError("only plain convolutions over [showers, height, width, channels] can be written in C yet")
    ours, weights, name = writer.array(value), writer.array(kernel), writer.reserve(output)
    (_, height, width, _), (rows, columns, channels, features) = value.shape, kernel.shape
    place = f"{name}[{flat(output.shape, ['0', 'i1', 'i2', 'j'])}]"
    (top, _), (left, _) = params["padding"]
    (down, right), (up, across) = params["window_strides"], params["lhs_dilation"]
    (far, wide) = params["rhs_dilation"]
    row, column = f"i1 * {down} + k0 * {far} - {top}", f"i2 * {right} + k1 * {wide} - {left}"
    outside = f"y < 0 || x < 0 || y % {up} || x % {across} || y / {up} >= {height} || x / {across} >= {width}"
    source = f"{ours}[((y / {up}) * {width} + x / {across}) * {channels} + k2]"
    step = (f"for (int k0 = 0; k0 < {rows}; ++k0) for (int k1 = 0; k1 < {columns}; ++k1) {{ "
            f"const int y = {row}, x = {column}; if ({outside}) continue; "
            f"for (int k2 = 0; k2 < {channels}; ++k2) {{ const float a = {source}; "
            f"const float *const w = {weights} + ((k0 * {columns} + k1) * {channels} + k2) * {features}; "
            f"for (int j = 0; j < {features}; ++j) sum[j] += a * w[j]; }} }}")
    writer.say(loops(output.shape[1:3], ["i1", "i2"], summed_row(features, step, place)))
    writer.stored[output] = name


WRITERS = {
    "convert_element_type": _cast, "integer_pow": _integer_pow, "reshape": _reshape, "squeeze": _reshape,
    "expand_dims": _reshape, "broadcast_in_dim": _broadcast, "transpose": _transpose, "rev": _reverse,
    "slice": _slice, "split": _split, "gather": _gather, "concatenate": _concatenate, "stack": _stack, "pad": _pad,
    **dict.fromkeys(REDUCTIONS, _reduce), "cumsum": _sum_so_far, "dot_general": _dot,
    "conv_general_dilated": _convolution}
"""Primitive -> the function that writes its equations."""
