"""Chunks: every row once, in order, whatever the size, in pieces of few sizes."""
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from ecalgen.machine.chunks import in_chunks, mapped, pieces, sizes, slices


@pytest.mark.parametrize(("count", "expected"), [
    (0, []), (1, [(0, 1, 1)]), (2, [(0, 1, 1), (1, 1, 1)]), (5, [(0, 5, 8)]), (64, [(0, 64, 64)]), (48, [(0, 48, 64)]),
    (19, [(0, 8, 8), (8, 8, 8), (16, 1, 1), (17, 1, 1), (18, 1, 1)]),
    (100, [(0, 64, 64), *((64 + 8 * i, 8, 8) for i in range(4)), (96, 4, 8)]),
    (130, [(0, 64, 64), (64, 64, 64), (128, 1, 1), (129, 1, 1)])])
def test_pieces_by_hand(count, expected):
    assert list(pieces(count, 64)) == expected


@given(st.integers(0, 3000), st.sampled_from([1, 2, 8, 64, 1024]))
def test_pieces_waste_little_and_are_of_three_sizes(count, size):
    made = list(pieces(count, size))
    assert [start for start, _, _ in made] == list(np.cumsum([0, *(rows for _, rows, _ in made)])[:-1])
    assert sum(rows for _, rows, _ in made) == count
    assert sum(padded for _, _, padded in made) <= max(count + size // 8, count / 0.75)
    assert {padded for _, _, padded in made} <= set(sizes(size)) and len(sizes(size)) <= 3
    assert all(rows <= padded for _, rows, padded in made)


@pytest.mark.parametrize("count", [0, 1, 5, 8, 21])
def test_rows_of_any_number(count):
    def make(pairs, numbers, start):
        return (pairs.sum(axis=1) + 100 * start + numbers)[:, None] * np.ones(3)

    pairs, numbers = np.arange(2 * count).reshape(count, 2), np.ones(count)
    made = in_chunks(make, 8, (3,), pairs, numbers)
    firsts = np.repeat([start for start, _, _ in pieces(count, 8)], [rows for _, rows, _ in pieces(count, 8)])
    assert made.shape == (count, 3) and made.dtype == np.float32
    np.testing.assert_array_equal(made[:, 1], pairs.sum(axis=1) + 100 * firsts + 1)


def test_slices_by_hand():
    assert slices(5, 2) == [slice(0, 2), slice(2, 4), slice(4, 5)] and slices(0, 2) == []


@pytest.mark.parametrize("size", [1, 3, 10, 11])
def test_a_tree_of_all_rows(size):
    rows, shift = np.arange(20).reshape(10, 2), np.arange(10)
    made = mapped(lambda rows, shift: {"sum": rows.sum(axis=1) + shift, "rows": rows}, size, rows, shift)
    np.testing.assert_array_equal(made["sum"], 5 * shift + 1)
    np.testing.assert_array_equal(made["rows"], rows)
