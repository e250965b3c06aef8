"""Splits: a partition of every file, even for sorted files, and a warning where they differ."""
import warnings

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from ecalgen.data.showers import BadShowers
from ecalgen.data.splits import DifferentSplits, drawn_splits, ordered_splits, split_sizes, warn_of_differences


def test_sizes_of_the_shipped_sample():
    assert split_sizes(60_000) == {"test": 10_000, "validation": 4_000, "train": 46_000}


@hypothesis.given(count=st.integers(10, 3_000))
def test_splits_are_a_partition(count):
    for divide in (ordered_splits, drawn_splits):
        rows = divide(count)
        np.testing.assert_array_equal(np.sort(np.concatenate(list(rows.values()))), np.arange(count))
        assert {split: len(part) for split, part in rows.items()} == split_sizes(count)
        assert all(len(part) > 0 for part in rows.values()) and len(rows["train"]) >= 0.7 * count


def test_drawn_rows_are_spread_evenly_and_in_a_random_order():
    """The mean row of a random tenth of N rows is N / 2, with a standard deviation of N / sqrt(12 N / 10)."""
    rows = drawn_splits(50_000)
    for part in rows.values():
        assert abs(part.mean() / 50_000 - 0.5) < 5 / np.sqrt(12 * len(part))
        assert abs(part[:1000].mean() / 50_000 - 0.5) < 5 / np.sqrt(12 * 1000)


def test_a_file_that_grows_keeps_most_of_its_splits():
    before, after = drawn_splits(10_000)["test"], drawn_splits(10_500)["test"]
    assert len(np.intersect1d(before, after)) > 0.95 * len(before)


@pytest.mark.parametrize("count", [0, 1, 9])
def test_too_few_to_split(count):
    with pytest.raises(BadShowers, match=f"{count} showers are too few .*at least 10"):
        drawn_splits(count)


def test_splits_of_other_particles_are_warned_of(showers):
    energy = np.linalg.norm(showers.momentum, axis=1)
    ranked = np.argsort(energy)
    with pytest.warns(DifferentSplits, match="training and test showers differ in energy .GeV. .Kolmogorov"):
        warn_of_differences(showers[ranked[200:]], showers[ranked[:200]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_differences(showers[:200], showers[200:])
