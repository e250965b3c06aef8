"""Grids: centres and faces by hand, symmetries, what is refused, and the round trip through JSON."""
import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.grid import (
    GRIDS,
    OLD,
    SHASHLIK,
    Domain,
    Grid,
    Scales,
    domain_record,
    grid_record,
    read_domain,
    read_grid,
    spread,
)
from ecalgen.errors import ConfigError
from ecalgen.machine.records import RecordError
from ecalgen.simulation.calorimeter import CALORIMETERS

ODD = Grid((15, 15), (4.04, 4.04), 15.0)
LONG = Grid((24, 20), (2.02, 2.02), 15.0)


@pytest.mark.parametrize("grid, axis, centres", [
    (ODD, 0, [-7, 0, 7]), (LONG, 0, [-11.5, 0.5, 11.5]), (LONG, 1, [-9.5, 0.5, 9.5]),
    (Grid((2, 4), (1.0, 3.0), 0.0), 1, [-4.5, 1.5, 4.5])])
def test_centres_lie_around_the_origin(grid, axis, centres):
    """First, middle and last centre, in pitches along x."""
    positions = grid.centres()[axis].take(0, axis=1 - axis)
    np.testing.assert_allclose(positions[[0, len(positions) // 2, -1]], centres)


def test_cells_of_rings():
    """Two rings of four sectors, by hand: centres at 45 degrees, areas as 1 to 3, corners on the axes."""
    rings = Grid((4, 2, 3), (9.0, 9.0, 0.5), 1.0, radii=(0.0, 2.0, 4.0))
    x, y = rings.centres()
    half = np.sqrt(0.5)
    np.testing.assert_allclose(x[:, 1], [1.5 * half, -1.5 * half, -1.5 * half, 1.5 * half], rtol=1e-6)
    np.testing.assert_allclose(y[:, 0], [0.5 * half, 0.5 * half, -0.5 * half, -0.5 * half], rtol=1e-6)
    np.testing.assert_allclose(rings.areas(), np.tile([0.5, 1.5], (4, 1)))
    np.testing.assert_allclose(np.stack(rings.corners())[:, 1, 2], [0, 4], atol=1e-9)
    np.testing.assert_allclose(rings.depths(), [0.25, 0.75, 1.25])
    assert rings.unit == 2.0 and rings.half_face == (4.0, 4.0) and rings.symmetries == 1 and not rings.square
    assert str(rings) == "4 x 2 x 3 cells, sectors of rings of 2 cm in 3 layers of 0.5 cm"
    assert read_grid(json.loads(json.dumps(grid_record(rings)))) == rings


def test_the_corners_of_square_cells():
    x, y = LONG.corners()
    assert x.shape == y.shape == (25, 21)
    np.testing.assert_allclose([x[0, 0], x[-1, 0], y[0, 0], y[0, -1]], [-24.24, 24.24, -20.2, 20.2])
    assert not LONG.deep and (LONG.areas() == 1).all()


def test_the_face_is_as_wide_as_the_cells():
    assert ODD.half_face == pytest.approx((30.3, 30.3)) and LONG.half_face == pytest.approx((24.24, 20.2))


@pytest.mark.parametrize("shape, pitch, symmetries", [
    ((15, 15), (4.0, 4.0), 8), ((24, 20), (2.0, 2.0), 4), ((20, 20), (2.0, 3.0), 4), ((5, 5, 9), (1.0, 1.0, 0.3), 8)])
def test_symmetries_follow_from_the_face(shape, pitch, symmetries):
    assert Grid(shape, pitch, 1.0).symmetries == symmetries


@pytest.mark.parametrize("fields, message", [
    (dict(shape=(4, 4.5)), "a whole number of cells .* not shape .4, 4.5."),
    (dict(reference_depth=None), "a reference depth in cm, not .* reference_depth None"),
    (dict(shape=(30,)), "two or three axes"), (dict(pitch=(2.0,)), "a pitch each"),
    (dict(shape=(0, 4)), "at least one"),
    (dict(shape=(2000, 2000)), "at most 1,000,000"), (dict(pitch=(2.0, -1.0)), "positive"),
    (dict(shape=(4, 4, 4), pitch=(1.0, 1.0, 1.0), reference_depth=0), "reference_depth above 0 cm"),
    (dict(pitch=(2.0, float("nan"))), "positive"), (dict(reference_depth=-1.0), "not negative"),
    (dict(shape=(4, 6), symmetries=8), "has 4 or 1 symmetries, not 8"), (dict(symmetries=3), "8 or 4 or 1 symmetries"),
    (dict(shape="many"), "a whole number of cells"), (dict(radii=(0.0, 1.0)), "a grid of 4 rings has 5 rising radii"),
    (dict(radii=(0.0, 1.0, 3.0, 2.0, 4.0)), "5 rising radii"), (dict(radii="wide"), "numbers in cm"),
    (dict(radii=(0.0, 1.0, 2.0, 3.0, 4.0), symmetries=8), "has 1 symmetries, not 8")])
def test_grids_that_cannot_be(fields, message):
    with pytest.raises(ConfigError, match=message):
        Grid(**dict(shape=(4, 4), pitch=(2.0, 2.0), reference_depth=5.0) | fields)


@pytest.mark.parametrize("name", CALORIMETERS)
def test_a_named_grid_is_that_of_the_simulated_calorimeter(name):
    calorimeter, grid = CALORIMETERS[name], GRIDS[name]
    depth = (calorimeter.layer / 10,) * calorimeter.read_depth
    assert calorimeter.grid == grid and grid.shape == calorimeter.shape
    np.testing.assert_allclose(grid.pitch, (calorimeter.pitch / 10, calorimeter.pitch / 10, *depth))


def test_the_other_named_grids_are_the_challenge_s():
    """Their rings are compared with the official files in files/test_binning.py; 45 layers of 3.4 mm are 15.3 cm."""
    assert GRIDS.keys() - CALORIMETERS.keys() == {"challenge2", "challenge3"}
    for name in ("challenge2", "challenge3"):
        assert GRIDS[name].depths()[-1] == pytest.approx(15.3 - 0.17) and GRIDS[name].half_face == (4.185, 4.185)


def test_a_calorimeter_of_ones_own_has_a_grid():
    calorimeter = dataclasses.replace(CALORIMETERS["shashlik"], name="mine", cells_per_module=4)
    assert calorimeter.grid.shape == (20, 20) and calorimeter.grid.reference_depth == pytest.approx(15.0, abs=0.1)


def test_the_name_is_not_part_of_a_grid():
    assert dataclasses.replace(ODD, name="mine") == ODD == GRIDS["shashlik40"]


def test_to_jax_a_domain_is_a_constant():
    compiled = jax.jit(lambda x, domain: x + domain.scales.fraction * domain.grid.shape[0])
    assert not jax.tree.leaves(OLD)
    np.testing.assert_allclose(compiled(jnp.ones(2), OLD), 1 + 30 * 0.1735)
    np.testing.assert_allclose(compiled(jnp.ones(2), Domain(ODD)), 1 + 15 * 0.1735)


def test_a_domain_survives_json():
    domain = Domain(LONG, Scales(1.5, 0.5, 0.1, 2.0, 0.4, 0.2, 0.01))
    assert read_domain(json.loads(json.dumps(domain_record(domain)))) == domain and read_domain(None) == OLD


@pytest.mark.parametrize("change, message", [
    ({"grid": {}}, "shape is missing"), ({"scales": {}}, "log_energy is missing"),
    ({"scales": dataclasses.asdict(OLD.scales) | {"slope": 0.0}}, "not positive"),
    ({"grid": grid_record(SHASHLIK) | {"symmetries": 3}}, "symmetries, not 3")])
def test_records_that_cannot_be(change, message):
    with pytest.raises(RecordError, match=message):
        read_domain(domain_record(OLD) | change)


def test_the_spread_of_equal_numbers_is_one():
    assert spread(np.zeros(5)) == 1.0 and spread(np.array([3.0, -4.0])) == pytest.approx(np.sqrt(12.5))
