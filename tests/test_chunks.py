"""Chunks: every row once, in order, whatever the size, from padded pieces of few sizes."""
import numpy as np
import pytest

from ecalgen.chunks import in_chunks


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (5, [8]), (8, [8]), (21, [8, 8, 8]), (19, [8, 8, 4])])
def test_rows_of_any_number(count, sizes):
    seen = []

    def make(pairs, numbers, start):
        seen.append(len(pairs))
        return (pairs.sum(axis=1) + 100 * start + numbers)[:, None] * np.ones(3)

    pairs, numbers = np.arange(2 * count).reshape(count, 2), np.ones(count)
    made = in_chunks(make, 8, (3,), pairs, numbers)
    expected = pairs.sum(axis=1) + 100 * (np.arange(count) // 8 * 8) + 1
    assert made.shape == (count, 3) and made.dtype == np.float32 and seen == sizes
    np.testing.assert_array_equal(made[:, 1], expected)
