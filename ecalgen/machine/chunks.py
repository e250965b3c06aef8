"""Many showers through a program that takes a limited number of them in a call."""
import jax
import numpy as np

FULL = 0.75
"""A last chunk of at least this share of a power of two is padded to it; a smaller one is split in two."""
FEW = 8
"""Largest number of rows that are always padded to a power of two."""


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
