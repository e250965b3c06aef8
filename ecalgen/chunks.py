"""Many showers from a program for a few: a chunk after the other."""
import numpy as np

FULL = 0.75
"""Share of a power of two from which rows are padded to it, rather than made in two pieces."""
FEW = 8
"""Rows up to which they are padded in any case."""


def in_chunks(make, size, shape, *columns):
    """What `make` makes of the rows of some columns, so many at a time: float32 `[N, *shape]`.

    Args:
      make: (a chunk of each column, index of its first row) -> `[rows, *shape]`.
      size: rows at a time, a power of two.
      shape: of a shower.
      columns: arrays `[N, ...]`.
    """
    made = np.empty((len(columns[0]), *shape), np.float32)
    for start, rows, padded in pieces(len(made), size):
        padding = padded - rows
        chunk = (np.pad(column[start:start + rows], [(0, padding)] + [(0, 0)] * (column.ndim - 1), mode="edge")
                 for column in columns)
        made[start:start + rows] = make(*chunk, start)[:rows]
    return made


def pieces(count, size):
    """(first row, rows, rows with padding) of each piece: powers of two, so that there are few programs to compile.

    Args:
      count: rows in all.
      size: rows of a piece at most, a power of two.
    """
    start = 0
    while start < count:
        rows = min(size, count - start)
        padded = 1 << (rows - 1).bit_length()
        if rows < FULL * padded and padded > FEW:
            rows = padded = padded // 2
        yield start, rows, padded
        start += rows
