"""Many showers through a program that takes a limited number of them in a call."""
import jax
import numpy as np

PART = 8
"""Share of a large piece in a small one."""
FULL = 0.75
"""Rows that fill at least this share of a large piece are padded to it; fewer are made in small pieces."""
SINGLES = 3
"""Largest number of rows that are made one by one."""


def slices(count, size):
    """Slices of at most `size` rows that cover `count` rows in order."""
    return [slice(first, min(first + size, count)) for first in range(0, count, size)]


def mapped(function, size, *columns):
    """Apply a function to the columns in chunks of at most `size` rows, and join the results.

    Args:
      function: (a chunk of each column) -> an array `[rows, ...]`, or a tree of them.
      size: largest number of rows in a chunk.
      columns: arrays `[N, ...]`.
    """
    parts = [function(*(column[rows] for column in columns)) for rows in slices(len(columns[0]), size)]
    return jax.tree.map(lambda *values: np.concatenate(values), *parts)


def in_chunks(make, size, shape, *columns):
    """Apply `make` to the columns in chunks of `sizes(size)` rows, and join the results: float32 `[N, *shape]`.

    Args:
      make: (a chunk of each column, index of its first row) -> `[rows, *shape]`.
      size: largest number of rows in a chunk.
      shape: of a shower.
      columns: arrays `[N, ...]`.
    """
    made = np.empty((len(columns[0]), *shape), np.float32)
    for start, rows, padded in pieces(len(made), size):
        chunk = (_padded(column[start:start + rows], padded - rows) for column in columns)
        made[start:start + rows] = np.asarray(make(*chunk, start))[:rows]
    return made


def _padded(rows, padding):
    """The rows of an array, and the last one `padding` times more."""
    return np.pad(rows, [(0, padding)] + [(0, 0)] * (rows.ndim - 1), mode="edge") if padding else rows


def sizes(size):
    """Numbers of rows in a call, the smallest first: one, a small piece and a large one of `size` rows.

    There are no others, so a program compiles at most three times for any number of rows.
    """
    return sorted({1, max(1, size // PART), size})


def pieces(count, size):
    """Yield (first row, rows, rows with padding) of each piece; the rows with padding are one of `sizes(size)`.

    Args:
      count: number of all rows.
      size: largest number of rows in a piece.
    """
    small = max(1, size // PART)
    start = 0
    while start < count:
        left = count - start
        padded = size if left >= FULL * size else 1 if left <= SINGLES else small
        rows = min(padded, left)
        yield start, rows, padded
        start += rows
