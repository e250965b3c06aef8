"""Wasserstein distances against SciPy and known shifts, separation powers against hand calculations."""
import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.stats import norm
from scipy.stats import wasserstein_distance as scipy_wasserstein

from ecalgen.data.ecal_shashlik import load_split, sample_path
from ecalgen.data.observables import ring_energies
from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.distances import (
    BINS,
    bin_indices,
    observable_distances,
    separation_power,
    wasserstein_distance,
)
from ecalgen.evaluation.metrics.features import observable_columns


def test_is_that_of_scipy_in_deviations():
    rng = np.random.default_rng(0)
    real, other = rng.gamma(2, 1, (300, 3)), rng.normal(2, 1, (300, 3))
    expected = np.mean([scipy_wasserstein(real[:, k], other[:, k]) / np.std(real[:, k]) for k in range(3)])
    assert wasserstein_distance(real, other) == pytest.approx(expected, rel=1e-12)


def test_shift_by_one_deviation_is_one():
    real = np.random.default_rng(0).normal(5, 3, (100, 1))
    assert wasserstein_distance(real, real + real.std()) == pytest.approx(1)


def test_constant_column_keeps_its_unit():
    assert wasserstein_distance(np.zeros((10, 1)), np.full((10, 1), 0.25)) == 0.25


def test_a_column_that_is_constant_but_for_rounding_keeps_its_unit():
    real = np.full((10, 1), 3.0)
    real[0] += 3e-7
    assert wasserstein_distance(real, real + 0.25) == pytest.approx(0.25)


def test_each_observable(showers):
    real, generated = observable_columns(showers[:200]), observable_columns(showers[200:])
    result = observable_distances(real, generated, bootstrap=40)
    assert set(result) == set(real)
    for name, values in result.items():
        low, high = values["w1_interval"]
        assert 0 <= low < values["w1"] < high, name
    width = result["longitudinal_width"]
    assert width["real_mean"] == pytest.approx(real["longitudinal_width"].mean())
    assert width["generated_std"] == pytest.approx(generated["longitudinal_width"].std())


def test_a_tenth_more_energy_in_a_ring_is_seen_in_its_share_and_not_in_its_mev():
    """A distance is seen if its interval lies above that of two real sets of 3,000 showers each."""
    sample = load_split(str(sample_path()), "test", None, 6000)
    real, other = sample[:3000], sample[3000:]
    ring = np.maximum(*np.abs(np.meshgrid(*2 * [np.arange(30) - 14.5]))) == 1.5
    spoiled = Showers(other.energy * np.where(ring, 1.1, 1), other.momentum, other.point)
    share = lambda showers: observable_columns(showers)["ring_shares"][:, [1]]
    mev = lambda showers: np.asarray(ring_energies(showers.energy, showers.momentum, showers.point))[:, [1]]
    for columns, seen in ((share, True), (mev, False)):
        of = lambda showers, columns=columns: {"ring": columns(showers)}
        same, off = (observable_distances(of(real), of(showers), bootstrap=50)["ring"] for showers in (other, spoiled))
        assert (off["w1_interval"][0] > same["w1_interval"][1]) == seen


def test_interval_covers_a_known_distance():
    """Two normal distributions half a deviation apart, whose distance is exactly 0.5."""
    rng = np.random.default_rng(0)
    result = observable_distances({"x": rng.normal(0, 1, (500, 1))}, {"x": rng.normal(0.5, 1, (500, 1))})
    low, high = result["x"]["w1_interval"]
    assert low < 0.5 < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(2 / 500), rel=0.3)


def test_separation_by_hand():
    """Shares 1/2, 1/2, 0 and 1/4, 1/4, 1/2: 1/2 (1/16 / (3/4) twice + 1/4 / (1/2)) = 1/3."""
    real, other = np.array([[1], [1], [2], [2]]), np.array([[1], [2], [3], [3]])
    assert separation_power(real, other) == pytest.approx(1 / 3)
    assert separation_power(np.hstack([real, real]), np.hstack([other, real])) == pytest.approx(1 / 6)
    assert separation_power(real, real + 2) == 1 and separation_power(real, real) == 0


def test_bins_are_those_of_numpy():
    rng = np.random.default_rng(0)
    real, other = rng.normal(0, 1, (5000, 2)), rng.normal(0.2, 2, (300, 2))
    for k in range(2):
        edges = np.linspace(*np.quantile(real[:, k], [0.001, 0.999]), BINS + 1)
        counts = np.bincount(bin_indices(other, real)[:, k], minlength=BINS + 2)
        np.testing.assert_array_equal(counts[1:-1], np.histogram(other[:, k], edges)[0])
        assert (counts[0], counts[-1]) == ((other[:, k] < edges[0]).sum(), (other[:, k] > edges[-1]).sum())
    zeros = np.zeros((5, 1))
    assert separation_power(bin_indices(zeros, zeros), bin_indices(zeros + 1, zeros)) == 1


def test_separation_of_normal_distributions():
    """Half a deviation apart: 1/2 int (f - g)^2 / (f + g) = 0.0597, by quadrature; equal ones leave sampling noise."""
    rng = np.random.default_rng(1)
    sets = [{"x": rng.normal(shift, 1, (20000, 1))} for shift in (0, 0.5, 0)]
    x = np.linspace(-8, 8, 4001)
    f, g = norm.pdf(x), norm.pdf(x, 0.5)
    expected = trapezoid(0.5 * (f - g) ** 2 / (f + g), x)
    near, same = (observable_distances(sets[0], other, bootstrap=20)["x"] for other in sets[1:])
    assert near["separation"] == pytest.approx(expected, rel=0.1)
    assert near["separation_interval"][0] < near["separation"] < near["separation_interval"][1]
    assert same["separation"] < 0.003
