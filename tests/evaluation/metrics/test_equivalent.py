"""Equivalent showers: of a bias that is known, of a library, and of no bias at all."""
import math

import numpy as np
import pytest

from ecalgen.evaluation.metrics.equivalent import bias, binned, worth

COUNT = 200_000


def test_bins_hold_equal_numbers_and_ties_share_one():
    rng = np.random.default_rng(0)
    real = rng.normal(size=4000)
    ours, theirs, bins = binned(real, real)
    assert bins == 40 and np.bincount(ours).tolist() == 40 * [100]
    np.testing.assert_array_equal(ours, theirs)
    whole = rng.integers(0, 3, 4000)
    ours, theirs, bins = binned(whole, np.array([-5, 0, 1, 2, 9]))
    assert bins == 3 and theirs.tolist() == [0, 0, 1, 2, 2]
    np.testing.assert_array_equal(ours, whole)
    assert binned(np.ones(10), np.ones(10))[2] == 1
    assert binned(np.arange(50.0), np.arange(50.0))[2] == 5  # ten showers in each


def test_a_known_bias():
    """Four bins with p = 1/4 and q = (0.3, 0.2, 0.25, 0.25): sum (q - p)^2 / p / 3 = 1/150."""
    rng = np.random.default_rng(1)
    ours, theirs = rng.integers(0, 4, COUNT), rng.choice(4, COUNT, p=[0.3, 0.2, 0.25, 0.25])
    assert bias(ours, theirs, np.full(4, 1 / 4)) == pytest.approx(1 / 150, rel=0.1)
    assert worth(bias(ours, theirs, np.full(4, 1 / 4))) == pytest.approx(150, rel=0.1)


@pytest.mark.parametrize("paired", [False, True])
def test_without_a_bias_it_is_zero_on_average(paired):
    """Also where the showers of a particle mostly share their bins; without the correction it would be 2 / 500."""
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        ours, theirs = rng.integers(0, 8, (2, 500))
        if paired:
            theirs = np.where(rng.random(500) < 0.7, ours, theirs)
        found.append(bias(ours, theirs, np.full(8, 1 / 8)))
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(200) < 1 / 1000


def test_a_library_is_worth_its_showers():
    """Showers drawn again and again from 500 real ones; the mean over libraries."""
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        real, library = rng.normal(size=20_000), rng.normal(size=500)
        *codes, bins = binned(real, rng.choice(library, 20_000))
        found.append(bias(*codes, np.full(bins, 1 / bins)))
    assert worth(np.mean(found)) == pytest.approx(500, rel=0.1)


def test_no_bias_is_worth_any_number():
    assert worth(0.0) == worth(-1e-9) == math.inf and bias(np.zeros(5, int), np.zeros(5, int), np.ones(1)) == 0
