"""Streams: every shower once before any again, blocks that hang on (seed, index) alone."""
import sys

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.stream import Stream
from ecalgen.errors import UserError


class Records(list):
    """A data source as TFDS gives it, of showers whose energy in every cell is their own number."""

    def __init__(self, count):
        super().__init__({"energy": np.full((30, 30), float(i)), "momentum": np.array([0, 0, 1 + i]),
                          "point": np.zeros(2), "pdg": 11} for i in range(count))

    def __getitems__(self, rows):
        return [self[row] for row in rows]


@hypothesis.settings(deadline=None, max_examples=20)
@hypothesis.given(count=st.integers(1, 30), size=st.integers(1, 12), seed=st.integers(0, 1000))
def test_every_shower_comes_once_before_any_comes_again(count, size, seed):
    stream = Stream(Records(count), seed, size, SHASHLIK)
    assert len(stream) == count
    blocks = [stream.block(index) for index in range(-(-3 * count // size))]
    assert all(len(block) == size for block in blocks)
    numbers = np.concatenate([block.energy[:, 0, 0] for block in blocks])
    for epoch in range(3):
        np.testing.assert_array_equal(np.sort(numbers[epoch * count:(epoch + 1) * count]), np.arange(count))


def test_a_block_hangs_on_seed_and_index_alone():
    one, again, other = (Stream(Records(50), seed, 20, SHASHLIK) for seed in (1, 1, 2))
    for index in (3, 0, 2):
        np.testing.assert_array_equal(one.block(index).momentum, again.block(index).momentum)
    assert (one.block(0).momentum != one.block(1).momentum).any()
    assert (one.block(0).momentum != other.block(0).momentum).any()


def test_the_columns_stay_together():
    block = Stream(Records(50), 0, 7, SHASHLIK).block(4)
    np.testing.assert_array_equal(block.momentum[:, 2], 1 + block.energy[:, 5, 7])


def test_without_grain_the_remedy_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "grain", None)
    with pytest.raises(UserError, match=r"pip install 'ecalgen\[stream\]'.*on_device"):
        Stream(Records(5), 0, 2, SHASHLIK)
