"""Reconstruction by hand, and on real showers."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.reconstruction import aggregated, cluster_energy, log_position
from ecalgen.data.showers import reference_point


def lit(**cells):
    """One shower with energies at `i_j=...`."""
    energy = np.zeros((1, 30, 30), "f4")
    for place, value in cells.items():
        energy[0][tuple(map(int, place[1:].split("_")))] = value
    return energy


def test_groups_of_cells_by_hand():
    energy = np.arange(900, dtype="f4").reshape(1, 30, 30)
    assert aggregated(energy, 2)[0, 0, 0] == 0 + 1 + 30 + 31
    assert aggregated(energy, 3)[0, 9, 9] == sum(energy[0, 27:, 27:].ravel())
    np.testing.assert_array_equal(aggregated(energy, 1), energy)


@pytest.mark.parametrize("factor", [0, 4, -3])
def test_groups_that_do_not_divide_are_refused(factor):
    with pytest.raises(ValueError, match=f"factor is {factor}; .* divide the 30"):
        aggregated(np.zeros((1, 30, 30), "f4"), factor)


def test_logarithmic_position_by_hand():
    """Cells at x = 0.5 and 1.5 pitches with shares 3/4 and 1/4, and one below exp(-4) that does not count."""
    energy = lit(c15_14=75.0, c16_14=25.0, c29_0=0.5)
    weights = 4 + np.log(np.array([75, 25]) / 100.5)
    expected = 2.02 * np.array([weights @ [0.5, 1.5] / weights.sum(), -0.5])
    np.testing.assert_allclose(log_position(energy)[0], expected, rtol=1e-5)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_position_of_real_showers(showers, factor):
    """Within the cells that measure it: half a cell, of 20, 40 or 60 mm."""
    found = log_position(aggregated(showers.energy, factor))
    off = np.asarray(found - reference_point(showers.momentum, showers.point, SHASHLIK))
    assert np.abs(np.median(off, axis=0)).max() < 0.1 and np.median(np.abs(off)) < 0.5 * factor * 2.02


def test_cluster_by_hand():
    assert cluster_energy(lit(c0_5=9.0, c1_6=2.0, c0_4=1.0, c2_5=4.0, c29_29=3.0))[0] == 12.0
    assert cluster_energy(lit(c10_10=5.0, c11_11=1.0))[0] == 6.0


def test_coarser_clusters_hold_more(showers):
    fine, coarse = (np.asarray(cluster_energy(aggregated(showers.energy, factor))) for factor in (1, 3))
    assert (fine <= showers.energy.sum((1, 2)) * 1.001).all() and coarse.mean() > fine.mean()


def test_they_can_be_differentiated(showers):
    slope = jax.grad(lambda energy: log_position(aggregated(energy, 2)).sum() + cluster_energy(energy).sum())(
        jnp.asarray(showers.energy[:4]))
    assert np.isfinite(slope).all() and (slope != 0).any()
