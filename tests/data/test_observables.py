"""Observables against hand-made showers, an independent NumPy loop and the symmetries of the square."""
import math

import jax
import numpy as np
import pytest

from ecalgen.data.grid import Grid
from ecalgen.data.observables import DEPTH_OBSERVABLES, OBSERVABLES, observables

PITCH, DEPTH = 2.02, 15.0
STRAIGHT = np.array([[0.0, 0.0, 10.0]], np.float32)
CENTRE = np.zeros((1, 2), np.float32)


def shower(cells):
    """One shower with the given `{(ix, iy): MeV}`."""
    energy = np.zeros((1, 30, 30), np.float32)
    for cell, value in cells.items():
        energy[(0, *cell)] = value
    return energy


def of_one(cells, momentum=STRAIGHT, point=CENTRE):
    momentum, point = np.asarray(momentum, np.float32), np.asarray(point, np.float32)
    return {name: np.asarray(value)[0] for name, value in observables(shower(cells), momentum, point).items()}


def by_loop(energy, momentum, point):
    """Every observable of one shower with float64 loops over cells, from the definitions alone."""
    px, py, pz = map(float, momentum)
    angle = math.atan2(py, px)
    axes = {"longitudinal": (math.cos(angle), math.sin(angle)), "transverse": (-math.sin(angle), math.cos(angle))}
    x0, y0 = ((float(point[i]) + DEPTH * (px, py)[i] / pz) / PITCH for i in (0, 1))
    cells = [(i - 14.5 - x0, j - 14.5 - y0, float(energy[i, j])) for i in range(30) for j in range(30)]
    total = sum(e for _, _, e in cells)
    values = {"delta_x": sum(x * e for x, _, e in cells) / total, "delta_y": sum(y * e for _, y, e in cells) / total,
              "visible_fraction": total / 1000 / math.sqrt(px**2 + py**2 + pz**2)}
    for name, (nx, ny) in axes.items():
        along = [(x * nx + y * ny, e) for x, y, e in cells]
        mean = sum(s * e for s, e in along) / total
        values[f"{name}_asymmetry"] = sum(e if s >= 0 else -e for s, e in along) / total
        values[f"{name}_width"] = math.sqrt(sum(s * s * e for s, e in along) / total - mean**2)
    values["sparsity"] = [sum(e >= 10 ** (-5 + 4 * k / 19) * total for *_, e in cells) / 900 for k in range(20)]
    boxes = [float(energy[14 - k:16 + k, 14 - k:16 + k].sum(dtype=np.float64)) for k in range(4)]
    values["ring_energies"] = np.diff([0, *boxes])
    return values


def test_one_cell_has_its_place_and_no_width():
    values = of_one({(17, 12): 200.0}, point=[[1.01, -2.02]])
    assert values["delta_x"] == pytest.approx(2.5 - 0.5)
    assert values["delta_y"] == pytest.approx(-2.5 + 1.0)
    assert values["longitudinal_width"] == values["transverse_width"] == 0
    assert values["longitudinal_asymmetry"] == 1
    assert values["transverse_asymmetry"] == -1
    assert values["visible_fraction"] == pytest.approx(0.02)
    assert values["sparsity"] == pytest.approx(np.full(20, 1 / 900))
    assert values["ring_energies"] == pytest.approx([0, 0, 200, 0])


def test_two_cells_along_the_direction():
    """Cells (16, 14) and (14, 16) lie on the diagonal that (-1, 1) points along, 2 sqrt(2) apart, shared 3 to 1."""
    values = of_one({(16, 14): 30.0, (14, 16): 10.0}, [[-1e-3, 1e-3, 10.0]])
    assert values["longitudinal_width"] == pytest.approx(math.sqrt(3) / 4 * 2 * math.sqrt(2), rel=1e-5)
    assert values["transverse_width"] == pytest.approx(0, abs=1e-3)
    assert values["longitudinal_asymmetry"] == pytest.approx((10 - 30) / 40)


def test_reference_point_follows_the_track():
    """A slope of 0.202 over 15 cm moves the track by 3.03 cm, one and a half cells."""
    values = of_one({(16, 14): 1.0}, [[2.02, 0, 10.0]])
    assert values["delta_x"] == pytest.approx(1.5 - 1.5, abs=1e-6)
    assert values["delta_y"] == pytest.approx(-0.5, abs=1e-6)


@pytest.mark.parametrize("name", OBSERVABLES)
def test_agrees_with_a_loop(showers, name):
    for i in range(10):
        value = OBSERVABLES[name](showers.energy[i:i + 1], showers.momentum[i:i + 1], showers.point[i:i + 1])
        expected = by_loop(showers.energy[i], showers.momentum[i], showers.point[i])[name]
        np.testing.assert_allclose(value[0], expected, rtol=2e-5, atol=2e-5)


def test_all_at_once_is_one_by_one(showers):
    few = showers[:20]
    together = observables(few.energy, few.momentum, few.point)
    assert set(together) == set(OBSERVABLES)
    for name, function in OBSERVABLES.items():
        alone = function(few.energy, few.momentum, few.point)
        assert alone.dtype == np.float32
        np.testing.assert_allclose(together[name], alone, rtol=1e-5, atol=1e-5)


def test_no_transverse_momentum_takes_the_x_axis():
    cells = {(16, 14): 30.0, (12, 16): 10.0}
    straight, along_x = of_one(cells), of_one(cells, [[1e-6, 0, 10.0]])
    for name, value in straight.items():
        np.testing.assert_allclose(value, along_x[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", OBSERVABLES)
@pytest.mark.parametrize("cells", [{}, {(14, 14): 5.0}, {(14, 14): 5.0, (15, 16): 1.0}])
@pytest.mark.parametrize("momentum", [STRAIGHT, np.array([[1.0, -2.0, 10.0]], np.float32)])
def test_finite_values_and_gradients_at_the_guards(name, cells, momentum):
    value, gradient = jax.value_and_grad(lambda *shower: OBSERVABLES[name](*shower).sum(), argnums=(0, 1, 2))(
        shower(cells), momentum, CENTRE)
    assert np.isfinite(value)
    assert all(np.isfinite(part).all() for part in gradient)
    if not cells:
        assert value == 0


def test_gradient_of_the_width_is_a_difference_quotient(showers):
    energy, momentum, point = showers.energy[:1], showers.momentum[:1], showers.point[:1]
    width = OBSERVABLES["transverse_width"]
    gradient = jax.grad(lambda energy: width(energy, momentum, point)[0])(energy)
    step = np.zeros_like(energy)
    step[0, 12, 18] = 50
    quotient = (width(energy + step, momentum, point) - width(energy - step, momentum, point))[0] / 100
    assert gradient[0, 12, 18] == pytest.approx(float(quotient), rel=0.02)


def test_mirror_in_x(showers):
    """x -> -x on cells, momentum and point: delta_x and what is across the direction change sign, the rest stays."""
    mirror = np.array([-1, 1, 1], np.float32)
    plain = observables(showers.energy, showers.momentum, showers.point)
    flipped = observables(showers.energy[:, ::-1], showers.momentum * mirror, showers.point * mirror[:2])
    for name, value in plain.items():
        sign = -1 if name in ("delta_x", "transverse_asymmetry") else 1
        np.testing.assert_allclose(flipped[name], sign * value, rtol=1e-4, atol=1e-4, err_msg=name)


def test_swap_of_x_and_y(showers):
    plain = observables(showers.energy, showers.momentum, showers.point)
    swapped = observables(showers.energy.swapaxes(1, 2), showers.momentum[:, [1, 0, 2]], showers.point[:, ::-1])
    np.testing.assert_allclose(swapped["delta_x"], plain["delta_y"], rtol=1e-4, atol=1e-4)
    for name in ("longitudinal_asymmetry", "longitudinal_width", "transverse_width", "ring_energies", "sparsity"):
        np.testing.assert_allclose(swapped[name], plain[name], rtol=1e-4, atol=1e-4, err_msg=name)


def test_real_showers_look_like_geant4(showers):
    """Figures that an independent analysis of the same Geant4 sample gave."""
    mean = {name: float(value.mean()) for name, value in observables(showers.energy, showers.momentum,
                                                                     showers.point).items()}
    assert mean["visible_fraction"] == pytest.approx(0.173, abs=0.002)
    assert (mean["longitudinal_width"] + mean["transverse_width"]) / 2 == pytest.approx(1.2, abs=0.05)
    assert abs(mean["delta_x"]) < 0.06 and abs(mean["delta_y"]) < 0.06
    assert abs(mean["transverse_asymmetry"]) < 0.06
    assert (showers.energy > 0).mean() == pytest.approx(0.16, abs=0.02)


@pytest.mark.parametrize("changes, message", [
    (dict(energy=np.ones((1, 900))), r"energy has shape \[1, 900\], not \[N, 30, 30\]"),
    (dict(momentum=np.ones((2, 3))), r"momentum has shape \[2, 3\], not \[N, 3\], with one N for all three"),
    (dict(energy=np.ones((30, 30))), r"energy has shape \[30, 30\]"),
    (dict(point=np.zeros((1, 3))), r"point has shape \[1, 3\], not \[N, 2\]")])
def test_other_shapes_are_refused_by_name(changes, message):
    given = dict(energy=np.ones((1, 30, 30)), momentum=STRAIGHT, point=CENTRE) | changes
    with pytest.raises(ValueError, match=message):
        observables(**given)


def test_observables_in_depth_by_hand():
    """Three cells at depths of 0.25, 0.75 and 1.25 cm with 60, 20 and 20 MeV."""
    grid = Grid((3, 3, 3), (1.0, 1.0, 0.5), 1.0)
    energy = np.zeros((2, 3, 3, 3), np.float32)
    energy[0, 1, 1, 0], energy[0, 1, 1, 1], energy[0, 2, 1, 2] = 60, 20, 20
    momentum, point = np.repeat(STRAIGHT, 2, axis=0), np.repeat(CENTRE, 2, axis=0)
    values = {name: np.asarray(value) for name, value in observables(energy, momentum, point, grid).items()}
    assert set(values) == {*OBSERVABLES, *DEPTH_OBSERVABLES}
    assert values["mean_depth"] == pytest.approx([0.6 * 0.25 + 0.2 * 0.75 + 0.2 * 1.25, 0])
    assert values["depth_width"] == pytest.approx([math.sqrt(0.6 * 0.3**2 + 0.2 * 0.2**2 + 0.2 * 0.7**2), 0])
    np.testing.assert_allclose(values["layer_shares"], [[0.6, 0.2, 0.2], [0, 0, 0]], rtol=1e-6)
    assert values["cell_sparsity"][0, 0] == pytest.approx(3 / 27) and not values["cell_sparsity"][1].any()
    assert values["sparsity"][0, 0] == pytest.approx(2 / 9)
    assert values["delta_x"] == pytest.approx([0.2, 0])


def test_observables_of_the_face_are_those_of_the_sums_over_depth(showers):
    """Real showers, their energy shared among four layers."""
    deep = Grid((30, 30, 4), (PITCH, PITCH, 9.9), DEPTH)
    share = np.array([0.4, 0.3, 0.2, 0.1], np.float32)
    momentum, point = showers.momentum[:20], showers.point[:20]
    values = observables(showers.energy[:20, :, :, None] * share, momentum, point, deep)
    for name, value in observables(showers.energy[:20], momentum, point).items():
        np.testing.assert_allclose(values[name], value, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(values["layer_shares"], np.tile(share, (20, 1)), rtol=1e-5)
