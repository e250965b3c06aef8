"""The feed: resident showers stay, blocks change when as many showers have been drawn as they hold."""
import numpy as np
import pytest

from ecalgen.training.feed import feed


class Blocks:
    """Blocks of 100 showers that hold their own number, and which were read."""

    size = 100

    def __init__(self):
        self.read = []

    def __getitem__(self, index):
        self.read.append(index)
        return {"cells": np.full(3, index)}


def test_resident_arrays_are_put_on_the_devices_once():
    draw = feed({"cells": np.arange(3)}, 10, 1)
    assert draw(0) is draw(1000)
    np.testing.assert_array_equal(draw(0)["cells"], [0, 1, 2])


@pytest.mark.parametrize("batch_size, per_call, steps", [
    (10, 1, 10), (10, 5, 10), (10, 4, 8), (10, 25, 25), (300, 1, 1)])
def test_a_block_lasts_as_long_as_it_is_large(batch_size, per_call, steps):
    draw = feed(Blocks(), batch_size, per_call)
    for step in range(0, 4 * steps, per_call):
        assert draw(step)["cells"][0] == step // steps


def test_going_on_in_the_middle_reads_from_there():
    blocks = Blocks()
    draw = feed(blocks, 10, 1)
    assert draw(57)["cells"][0] == 5 and draw(60)["cells"][0] == 6
    assert set(blocks.read) <= {5, 6, 7} and blocks.read[0] == 5


def test_a_fault_of_the_reader_reaches_the_loop():
    class Broken(Blocks):
        def __getitem__(self, index):
            raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        feed(Broken(), 10, 1)(0)
