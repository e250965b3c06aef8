"""The legacy statistics against those that the original public scoring program gave."""
import json
import pathlib

import jax
import numpy as np
import pytest

from ecalgen.data.grid import SHASHLIK
from ecalgen.evaluation.metrics.published import legacy_statistics

PINNED = np.array(json.loads((pathlib.Path(__file__).parent / "published_statistics.json").read_text())["values"])


@pytest.fixture
def first(showers):
    return showers[:len(PINNED)]


def test_pinned_values_in_float64(first):
    with jax.enable_x64(True):
        columns = first.energy, first.momentum, first.point
        values = legacy_statistics(*(column.astype(np.float64) for column in columns), SHASHLIK)
        assert values.dtype == np.float64
    np.testing.assert_allclose(values, PINNED, rtol=0, atol=1e-9)


def test_pinned_values_in_float32(first):
    values = legacy_statistics(first.energy, first.momentum, first.point, SHASHLIK)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, PINNED, rtol=1e-5, atol=1e-5)


def test_without_transverse_momentum_or_energy(first):
    straight = first.momentum * np.array([0, 0, 1], np.float32)
    values = legacy_statistics(first.energy, straight, first.point, SHASHLIK)
    np.testing.assert_allclose(values[:, :4], np.tile([1, 1, 0, 0], (len(first), 1)), atol=1e-5)
    assert (legacy_statistics(first.energy * 0, first.momentum, first.point, SHASHLIK) == 0).all()
