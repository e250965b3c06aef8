"""Pieces of C: numbers, indices of arrays and loops over them."""
import numpy as np

from ecalgen.export.c_mathematics import LARGEST

TYPES = {"f": "float", "i": "int", "b": "int"}
"""Kind of a NumPy type -> the type in C."""


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
