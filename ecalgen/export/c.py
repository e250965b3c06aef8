"""A traced generator as C99 that needs nothing but the standard mathematics library."""
import math

import numpy as np

from ecalgen.export.c_mathematics import LARGEST, SIMPLE
from ecalgen.export.c_products import write_convolution, write_product
from ecalgen.export.c_text import TYPES, flat, literal, loops, stretched
from ecalgen.export.function import ExportError
from ecalgen.export.program import Value, taken_axis

LONGEST = 300
"""Largest number of characters of an expression; the value of a longer one is stored."""
REDUCTIONS = {"reduce_sum": ("0.0f", "{0} += {1};"), "reduce_prod": ("1.0f", "{0} *= {1};"),
              "reduce_max": (f"-{LARGEST}", "{0} = larger({0}, {1});"),
              "reduce_min": (LARGEST, "{0} = smaller({0}, {1});")}
"""Primitive -> (start, step)."""


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
        return self.reserve_floats(math.prod(value.shape), TYPES[value.dtype.kind])

    def reserve_floats(self, count, kind="float"):
        """The name of a new array of this many elements."""
        name = f"v{len(self.buffers)}"
        self.buffers[name] = kind, count
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


def _select(writer, equation):
    """Both values are computed, which vectorises; a choice of whole numbers stays one of C."""
    condition, no, yes = equation.inputs
    form = "chosen({}, {}, {})" if equation.outputs[0].dtype.kind == "f" else "({} ? {} : {})"
    writer.later(equation.outputs[0], lambda indices: form.format(*(
        writer.element(value, stretched(value.shape, indices)) for value in (condition, yes, no))))


def _integer_pow(writer, equation):
    power, value = equation.params["y"], equation.inputs[0]
    raised = "square({})" if abs(power) == 2 else f"power({{}}, {abs(power)})"
    form = raised if power > 0 else f"(1.0f / {raised})"
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


WRITERS = {
    "convert_element_type": _cast, "integer_pow": _integer_pow, "reshape": _reshape, "squeeze": _reshape,
    "expand_dims": _reshape, "broadcast_in_dim": _broadcast, "transpose": _transpose, "rev": _reverse,
    "slice": _slice, "split": _split, "gather": _gather, "concatenate": _concatenate, "stack": _stack, "pad": _pad,
    **dict.fromkeys(REDUCTIONS, _reduce), "cumsum": _sum_so_far, "dot_general": write_product,
    "conv_general_dilated": write_convolution, "select_n": _select}
"""Primitive -> the function that writes its equations."""
