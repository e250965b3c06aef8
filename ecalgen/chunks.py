"""Many showers from a program for a few: a chunk after the other."""
import numpy as np


def in_chunks(make, size, shape, *columns):
    """What `make` makes of the rows of some columns, so many at a time: float32 `[N, *shape]`.

    The last chunk is padded, to a power of two, by its last row, so that there are few programs to compile.

    Args:
      make: (a chunk of each column, index of its first row) -> `[rows, *shape]`.
      size: rows at a time.
      shape: of a shower.
      columns: arrays `[N, ...]`.
    """
    count = len(columns[0])
    made = np.empty((count, *shape), np.float32)
    for start in range(0, count, size):
        rows = min(size, count - start)
        padding = (1 << (rows - 1).bit_length()) - rows
        chunk = (np.pad(column[start:start + rows], [(0, padding)] + [(0, 0)] * (column.ndim - 1), mode="edge")
                 for column in columns)
        made[start:start + rows] = make(*chunk, start)[:rows]
    return made
