"""Sliced tests: along one direction those of SciPy, without a difference uniform p-values, and with one small ones."""
import numpy as np
import pytest
from scipy.stats import ks_2samp, kstest, wasserstein_distance

from ecalgen.evaluation.metrics.sliced import exchanged, statistics


@pytest.mark.parametrize("ties", [False, True])
def test_one_direction_is_scipys(ties):
    rng = np.random.default_rng(0)
    real, other = rng.normal(size=(60, 2)), rng.normal(0.3, 1.2, (60, 2))
    if ties:
        real, other = real.round(1), other.round(1)
    direction = np.array([[1.0, 0.0]])
    found = statistics(real, other, exchanged(60, 0, False, 0), direction)
    assert found["kolmogorov_smirnov"][0] == pytest.approx(ks_2samp(real[:, 0], other[:, 0]).statistic)
    assert found["wasserstein"][0] == pytest.approx(wasserstein_distance(real[:, 0], other[:, 0]))


def test_many_directions_are_averaged():
    rng = np.random.default_rng(1)
    real, other, directions = rng.normal(size=(30, 3)), rng.normal(size=(30, 3)), rng.normal(size=(4, 3))
    found = statistics(real, other, exchanged(30, 0, False, 0), directions)["wasserstein"][0]
    assert found == pytest.approx(np.mean([wasserstein_distance(real @ d, other @ d) for d in directions]))


@pytest.mark.parametrize("paired", [False, True])
def test_labels_are_exchanged(paired):
    labels = exchanged(50, 200, paired, 0)
    assert labels.shape == (201, 100) and (labels[0] == np.repeat([1, -1], 50)).all()
    assert not labels.sum(axis=1).any() and abs(labels[1:].mean(axis=0)).max() < 0.3
    assert (labels[:, :50] == -labels[:, 50:]).all() == paired


@pytest.mark.parametrize("paired", [False, True])
def test_p_values_without_a_difference_are_uniform(paired):
    """With pairs, the two showers of a particle are alike; the exchange within pairs allows for that."""
    rng, found = np.random.default_rng(2), []
    for seed in range(60):
        particle = rng.normal(size=(40, 3)) if paired else 0
        real, other = (particle + 0.3 * rng.normal(size=(40, 3)) for _ in range(2))
        values = statistics(real, other, exchanged(40, 99, paired, seed), np.eye(3))["wasserstein"]
        found.append((1 + np.sum(values[1:] >= values[0])) / 100)
    assert kstest(found, "uniform").pvalue > 0.01


def test_a_difference_is_found():
    rng = np.random.default_rng(3)
    real, other = rng.normal(size=(200, 3)), rng.normal(0.4, 1, (200, 3))
    for values in statistics(real, other, exchanged(200, 99, False, 0), np.eye(3)).values():
        assert values[0] > values[1:].max()
