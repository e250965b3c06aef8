"""Frechet and kernel physics distances against JetNet's own values, closed forms and SciPy."""
import numpy as np
import pytest
from scipy.linalg import sqrtm

from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.physics_distance import (
    frechet_distance,
    frechet_physics_distance,
    kernel_distance,
    kernel_physics_distance,
    physics_distances,
    standardised,
)

JETNET = {"shifted": {"fpd": (0.0010395602306282755, 3.7754543029520227e-05), "kpd": 0.00043918960444244703},
          "same": {"fpd": (8.099726434660722e-05, 2.4322142502704886e-05), "kpd": -5.582871701692582e-05}}
"""JetNet's own fpd(min_samples=5000, max_samples=25000) with its error and kpd(batch_size=2000, num_batches=5) of the
sets in `normal`, whose features it first divides by their largest absolute values in the real set."""


@pytest.fixture(scope="module")
def normal():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(30000, 4))
    shifted = rng.normal(size=(30000, 4)) * [1, 1.1, 1, 1] + [0, 0, 0.1, 0]
    scale = np.abs(real).max(axis=0)
    return {"real": real / scale, "shifted": shifted / scale, "same": rng.normal(size=(30000, 4)) / scale}


@pytest.mark.parametrize("name", ["shifted", "same"])
def test_frechet_physics_distance_is_that_of_jetnet(normal, name):
    """Both agree within their errors, since JetNet draws other batches."""
    theirs, their_error = JETNET[name]["fpd"]
    ours, error = frechet_physics_distance(normal["real"], normal[name], 5000, 25000)
    assert ours == pytest.approx(theirs, abs=2 * (error + their_error))
    assert 0.2 < error / their_error < 2


@pytest.mark.parametrize("name", ["shifted", "same"])
def test_kernel_distance_is_that_of_jetnet(normal, name):
    """The same batches as those of JetNet give the same number."""
    values = []
    for batch in range(5):
        rng = np.random.RandomState(42 + 1000 * batch)
        values.append(kernel_distance(*(normal[kind][rng.choice(30000, 2000)] for kind in ("real", name))))
    assert np.median(values) == pytest.approx(JETNET[name]["kpd"], rel=1e-6)


def test_frechet_distance_of_scipy():
    rng = np.random.default_rng(1)
    real, other = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3)), rng.normal(0.3, 2, (70, 3))
    first, second = np.cov(real, rowvar=False), np.cov(other, rowvar=False)
    shift = real.mean(0) - other.mean(0)
    expected = shift @ shift + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet_distance(real, other) == pytest.approx(expected, rel=1e-9)


def test_a_shift_costs_its_square_also_without_full_rank():
    real = np.random.default_rng(0).normal(size=(100, 2))
    real = np.hstack([real, real])
    assert frechet_distance(real, real + [1, 2, 0, 0]) == pytest.approx(5)
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-9)


def test_kernel_distance_by_hand():
    """One feature; 0, 1 against 1, 2: means 1 (k(0, 1)), 3^4 (k(1, 2)) and (1 + 1 + 2^4 + 3^4) / 4."""
    assert kernel_distance(np.array([[0.0], [1]]), np.array([[1.0], [2]])) == pytest.approx(1 + 81 - 2 * 99 / 4)


def test_kernel_physics_distance_is_a_median_with_an_error(normal):
    value, error = kernel_physics_distance(normal["real"], normal["shifted"], 2000, 20)
    assert value == pytest.approx(JETNET["shifted"]["kpd"], abs=3 * error)
    assert 0 < error < value


def test_standardised_by_the_real_set():
    real = np.column_stack([[1.0, 3, 5], np.full(3, 0.1)])
    scaled = standardised(np.array([[3.0, 0.1], [5, 7]]), real)
    np.testing.assert_allclose(scaled, [[0, 0], [2 / np.sqrt(8 / 3), 0]])


def test_real_showers_are_closer_than_others(showers):
    brighter = Showers(1.05 * showers.energy[100:200], showers.momentum[100:200], showers.point[100:200])
    result = physics_distances(showers[:100], brighter, showers[200:300], bootstrap=5)
    assert result["fpd"]["value"] > result["fpd"]["reference_interval"][1]
    assert set(result["kpd"]) == {"batch_size", "batches", "kernel", "value", "error", "interval", "reference",
                                  "reference_error", "reference_interval"}
    assert (result["fpd"]["min_samples"], result["fpd"]["max_samples"]) == (40, 100)
    assert len(result["features"]) == 31
    assert physics_distances(showers[:100], brighter, showers[200:300], bootstrap=5) == result
