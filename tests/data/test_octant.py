"""The octant: exact, there and back, and physics looks the same from it."""
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.grid import PAPERS, SHASHLIK
from ecalgen.data.observables import observables
from ecalgen.data.octant import fold, fold_cells, under_symmetries, unfold_cells
from ecalgen.data.showers import conditions


def test_there_and_back_is_exact(showers):
    folded = fold_cells(showers.energy, showers.momentum, SHASHLIK)
    np.testing.assert_array_equal(unfold_cells(folded, showers.momentum, SHASHLIK), showers.energy)
    assert (folded != showers.energy).any(axis=(1, 2)).mean() == pytest.approx(7 / 8, abs=0.05)


def test_directions_lie_in_the_octant(showers):
    momentum, _ = fold(showers.momentum, showers.point, SHASHLIK)
    assert (momentum[:, 0] >= momentum[:, 1]).all() and (momentum[:, 1] >= 0).all()
    np.testing.assert_array_equal(momentum[:, 2], showers.momentum[:, 2])


@pytest.mark.parametrize("momentum, expected, cell", [
    ([3.0, 2.0, 9.0], ([3, 2], [0.1, -0.2]), (20, 4)),
    ([-3.0, 2.0, 9.0], ([3, 2], [-0.1, -0.2]), (9, 4)),
    ([3.0, -2.0, 9.0], ([3, 2], [0.1, 0.2]), (20, 25)),
    ([2.0, 3.0, 9.0], ([3, 2], [-0.2, 0.1]), (4, 20)),
    ([-2.0, -3.0, 9.0], ([3, 2], [0.2, -0.1]), (25, 9)),
])
def test_by_hand(momentum, expected, cell):
    """The point (0.1, -0.2) and the cell (20, 4) go where their particle's direction goes."""
    momentum = jnp.array([momentum])
    folded, point = fold(momentum, jnp.array([[0.1, -0.2]]), SHASHLIK)
    np.testing.assert_allclose(folded[0, :2], expected[0])
    np.testing.assert_allclose(point[0], expected[1])
    cells = fold_cells(jnp.zeros((1, 30, 30)).at[0, 20, 4].set(1), momentum, SHASHLIK)
    assert tuple(int(i) for i in np.argwhere(np.asarray(cells[0]))[0]) == cell


def test_observables_look_the_same(showers):
    """All but the transverse asymmetry, whose sign a mirror turns, and the centres, which x <-> y exchanges."""
    momentum, point = fold(showers.momentum, showers.point, SHASHLIK)
    before = observables(showers.energy, showers.momentum, showers.point)
    after = observables(fold_cells(showers.energy, showers.momentum, SHASHLIK), momentum, point)
    for name in ("longitudinal_asymmetry", "longitudinal_width", "transverse_width", "sparsity", "ring_energies",
                 "visible_fraction"):
        np.testing.assert_allclose(before[name], after[name], rtol=1e-4, atol=1e-4, err_msg=name)
    np.testing.assert_allclose(np.abs(before["transverse_asymmetry"]), np.abs(after["transverse_asymmetry"]), atol=1e-4)
    centre = lambda values: np.sort(np.abs([values["delta_x"], values["delta_y"]]), axis=0)
    np.testing.assert_allclose(centre(before), centre(after), atol=1e-4)
    np.testing.assert_allclose(conditions(momentum, point, PAPERS)[:, 0],
                               conditions(showers.momentum, showers.point, PAPERS)[:, 0], atol=1e-6)


def test_the_eight_symmetries_by_numpy():
    cells = np.arange(2 * 3 * 3 * 2).reshape(2, 3, 3, 2)
    for which in range(8):
        expected = cells[:, ::-1] if which & 1 else cells
        expected = expected[:, :, ::-1] if which & 2 else expected
        expected = expected.swapaxes(1, 2) if which & 4 else expected
        np.testing.assert_array_equal(under_symmetries(cells, np.array([which, which])), expected)
    oblong = np.arange(6).reshape(1, 2, 3)
    np.testing.assert_array_equal(under_symmetries(oblong, np.array([3])), oblong[:, ::-1, ::-1])
