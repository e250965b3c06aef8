"""Matrix products and convolutions as C, with their sums in registers."""
import numpy as np

from ecalgen.export.c_mathematics import WIDEST
from ecalgen.export.c_text import flat, loops
from ecalgen.export.function import ExportError

PIXELS = 4
"""Neighbouring pixels whose sums are made together, so that each weight is read once for all of them."""
BLOCKS = (3, 2, 1)
"""Vectors of features whose sums are made together, the first that fits; so each pixel is read once for all of them."""


def write_product(writer, equation):
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
    writer.say(loops(output.shape[:-1], outer, _summed_row(width, step.strip(), place)))
    writer.stored[output] = name


def write_convolution(writer, equation):
    """Convolution over [1, height, width, channels] with a constant kernel [rows, columns, channels, features]."""
    value, kernel = equation.inputs
    numbers = equation.params["dimension_numbers"]
    layout = (tuple(numbers.lhs_spec), tuple(numbers.rhs_spec), tuple(numbers.out_spec))
    if layout != ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2)) or equation.params["feature_group_count"] != 1:
        raise ExportError("only plain convolutions over [showers, height, width, channels] can be written in C yet")
    dense = {*equation.params["lhs_dilation"], *equation.params["rhs_dilation"]} == {1}
    write = _dense if dense and isinstance(kernel, np.ndarray) else _spread
    writer.stored[equation.outputs[0]] = write(writer, equation)


def _dense(writer, equation):
    """Several pixels and features at once; a window's columns and channels follow one another in the padded rows."""
    (value, kernel), output, params = equation.inputs, equation.outputs[0], equation.params
    (_, height, width, channels), (rows, columns, _, features) = value.shape, kernel.shape
    ((top, bottom), (left, right)), (down, across) = params["padding"], params["window_strides"]
    _, high, wide, _ = output.shape
    full = -(-features // WIDEST) * WIDEST
    weights = writer.array(np.pad(kernel, [(0, 0)] * 3 + [(0, full - features)]))
    source, row = writer.array(value), (left + width + right) * channels
    if top or bottom or left or right:
        padded = writer.reserve_floats((top + height + bottom) * row)
        writer.say(f"    for (int i = 0; i < {(top + height + bottom) * row}; ++i) {padded}[i] = 0.0f;")
        writer.say(f"    for (int y = 0; y < {height}; ++y) for (int i = 0; i < {width * channels}; ++i) "
                   f"{padded}[(y + {top}) * {row} + {left * channels} + i] = {source}[y * {width * channels} + i];")
        source = padded
    name, blocks = writer.reserve(output), next(blocks for blocks in BLOCKS if full % (WIDEST * blocks) == 0)
    pixels = lambda text, between=" ": between.join(text.format(q=q) for q in range(PIXELS))
    every = lambda text, between=" ": between.join(text.format(q=q, m=m) for m in range(blocks) for q in range(PIXELS))
    lanes = lambda text: " ".join(text.format(m=m) for m in range(blocks))
    writer.say(
        f"    for (int y = 0; y < {high}; ++y) for (int x = 0; x < {wide}; x += {PIXELS}) {{ "
        + pixels(f"const int x{{q}} = x + {{q}} < {wide} ? x + {{q}} : {wide - 1};")
        + f" for (int f = 0; f < {features}; f += {blocks} * ECALGEN_LANES) {{ lanes " + every("s{m}{q} = {{0}}", ", ")
        + f"; for (int k0 = 0; k0 < {rows}; ++k0) {{ "
        + f"const float *const a = {source} + (y * {down} + k0) * {row}; "
        + pixels(f"const float *const a{{q}} = a + x{{q}} * {across * channels};")
        + f" const float *const w = {weights} + k0 * {columns * channels * full} + f; "
        + f"for (int k = 0; k < {columns * channels}; ++k) {{ "
        + lanes(f"const lanes b{{m}} = *(const loose_lanes *)(w + k * {full} + {{m}} * ECALGEN_LANES);")
        + " " + every("s{m}{q} += a{q}[k] * b{m};") + " } } float sum[ECALGEN_LANES]; "
        + every(f"*(loose_lanes *)sum = s{{m}}{{q}}; for (int j = 0, at = f + {{m}} * ECALGEN_LANES; "
                f"j < ECALGEN_LANES && at < {features}; ++j, ++at) "
                f"{name}[(y * {wide} + x{{q}}) * {features} + at] = sum[j];") + " } }")
    return name


def _spread(writer, equation):
    """Pixel by pixel, for spread images or windows."""
    (value, kernel), output, params = equation.inputs, equation.outputs[0], equation.params
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
    writer.say(loops(output.shape[1:3], ["i1", "i2"], _summed_row(features, step, place)))
    return name


def _summed_row(width, step, place):
    """A row of sums: `step` adds to `sum[j]`, and `place` is the destination of element j."""
    every = f"for (int j = 0; j < {width}; ++j)"
    return f"float sum[{width}]; {every} sum[j] = 0.0f; {step} {every} {place} = sum[j];"
