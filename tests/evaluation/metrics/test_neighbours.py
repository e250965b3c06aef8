"""Precision, recall, density and coverage: by hand, by brute force, and for distributions whose values are known."""
import numpy as np
import pytest

from ecalgen.evaluation.metrics import neighbours
from ecalgen.evaluation.metrics.neighbours import log_cells, radii, shares, squared_distances


def test_by_hand():
    """Real showers at 0, 1, 3, 10, others at 0.5, 2, 30; one neighbour, so balls of 1, 1, 2, 7 and of 1.5, 1.5, 28."""
    real, generated = np.array([[0.0], [1], [3], [10]]), np.array([[0.5], [2], [30]])
    np.testing.assert_allclose(np.sqrt(radii(real, 1)), [1, 1, 2, 7])
    found = shares(real, generated, neighbours=1)
    np.testing.assert_array_equal(found.precision, [1, 1, 0])
    np.testing.assert_array_equal(found.density, [2, 2, 0])  # 0.5 in the balls of 0 and 1, 2 in those of 1 and 3
    np.testing.assert_array_equal(found.coverage, [1, 1, 1, 0])
    np.testing.assert_array_equal(found.recall, [1, 1, 1, 1])  # 10 lies within 28 of 30


def test_brute_force(monkeypatch):
    monkeypatch.setattr(neighbours, "ROWS", 7)
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(40, 3)), rng.normal(0.5, 1, (30, 3))
    apart = lambda x, y: np.linalg.norm(x - y)
    ball = lambda rows, i: sorted(apart(rows[i], other) for other in rows)[5]
    inside = np.array([[apart(x, y) <= ball(real, i) for i, x in enumerate(real)] for y in generated])
    reached = np.array([[apart(x, y) <= ball(generated, j) for x in real] for j, y in enumerate(generated)])
    expected = inside.any(1), reached.any(0), inside.sum(1) / 5, inside.any(0)
    for values, wanted in zip(shares(real, generated), expected, strict=True):
        np.testing.assert_allclose(values, wanted)


def test_equal_distributions_and_distant_ones():
    """Density is 1 on average, and coverage 1 - 2^-k (Naeem et al., equation 7 for many showers)."""
    rng = np.random.default_rng(1)
    real, other = rng.normal(size=(2, 2000, 5))
    same = shares(real, other)
    assert same.density.mean() == pytest.approx(1, abs=0.06)
    assert same.coverage.mean() == pytest.approx(1 - 2.0**-5, abs=0.015)
    assert not any(values.any() for values in shares(real, other + 100))


def test_distances_do_not_fall_below_zero():
    rows = np.float32(np.random.default_rng(2).normal(50, 1e-3, (20, 900)))
    assert (squared_distances(rows, rows) >= 0).all()


def test_cells_are_compared_as_logarithms(showers):
    rows = log_cells(showers[:3])
    assert rows.shape == (3, 900) and rows.dtype == np.float32
    assert rows.max() == pytest.approx(np.log(1 + 10 * showers.energy[:3].max()))
