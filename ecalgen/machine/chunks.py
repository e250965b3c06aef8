"""Many showers from a program that makes a few at a time."""
import numpy as np

FULL = 0.75
"""Rows that are at least this share of a power of two are padded to it; fewer are made in two pieces."""
FEW = 8
"""Up to so many rows are always padded to a power of two."""


def in_chunks(make, size, shape, *columns):
    """Apply `make` to the columns in chunks of at most `size` rows, and join the results: float32 `[N, *shape]`.

    Args:
      make: (a chunk of each column, index of its first row) -> `[rows, *shape]`.
      size: largest number of rows in a chunk, a power of two.
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
    """Yield (first row, rows, rows with padding) of each piece.

    The rows with padding are powers of two, so that few programs are compiled.

    Args:
      count: number of all rows.
      size: largest number of rows in a piece, a power of two.
    """
    start = 0
    while start < count:
        rows = min(size, count - start)
        padded = 1 << (rows - 1).bit_length()
        if rows < FULL * padded and padded > FEW:
            rows = padded = padded // 2
        yield start, rows, padded
        start += rows
