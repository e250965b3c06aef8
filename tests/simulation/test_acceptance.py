"""Which particles a generator replaces, and where their showers lie; expected values by hand."""
import numpy as np
import pytest

from ecalgen.data.grid import GRIDS, Grid
from ecalgen.errors import UserError
from ecalgen.simulation.acceptance import Acceptance, add_at, event_seed

GRID = Grid((6, 4), (2.0, 3.0), 10.0)
TRAINED = {"energy (GeV)": [1.0, 100.0], "px/pz": [-0.5, 0.5], "py/pz": [-0.4, 0.4],
           "x at 10 cm depth (cm)": [-1.0, 1.0], "y at 10 cm depth (cm)": [-1.5, 1.5]}


def alike(sides=(12.0, 12.0), uniform=False):
    return Acceptance(TRAINED, GRID, sides, uniform)


def moving(slope=(0.0, 0.0), energy=10.0):
    along = np.array([*slope, 1.0])
    return tuple(energy * along / np.linalg.norm(along))


@pytest.mark.parametrize("momentum, point, reason", [
    (moving(), (0.5, 0.5), ""), (moving(energy=0.9), (0, 0), "energy"), (moving(energy=105), (0, 0), "energy"),
    (moving(energy=101), (0, 0), ""),  # two percent beyond the range, as samplers allow
    (moving((0.6, 0)), (-6.0, 0), "direction"), (moving((0, -0.5)), (0, 5.0), "direction"),
    (moving(), (1.1, 0), "position"), (moving((0.3, 0)), (-3.0, 0), ""), (moving((0.3, 0)), (0, 0), "position")])
def test_particles_of_the_training_range_are_accepted(momentum, point, reason):
    found, first, moved = alike().place(momentum, point)
    assert found == reason and first == (0, 0)
    np.testing.assert_allclose(moved, point)


@pytest.mark.parametrize("sides, point, slope, first, moved", [
    ((12, 12), (4.5, -3.2), (0, 0), (2, -1), (0.5, -0.2)),      # the same cells: moved by two and by one
    ((20, 36), (0.3, 0.2), (0, 0), (2, 4), (0.3, 0.2)),         # more cells, an even number more: the middle stays
    ((22, 12), (0.9, 0), (0, 0), (3, 0), (-0.1, 0)),            # 11 cells: the middle of six lies at +-1 cm
    ((8, 6), (0, 0), (0, 0), (-1, -1), (0, 0)),                 # fewer cells than the generator
    ((20, 36), (-2.8, 0), (0.3, 0), (2, 4), (-2.8, 0))])        # the track at 10 cm depth decides: 0.2 cm
def test_showers_are_moved_by_whole_cells(sides, point, slope, first, moved):
    reason, found, entry = alike(sides, uniform=True).place(moving(slope), point)
    assert (reason, found) == ("", first)
    np.testing.assert_allclose(entry, moved, atol=1e-9)


def test_a_track_that_enters_beside_the_generators_cells_is_refused():
    tall = Acceptance(TRAINED | {"px/pz": [-1.0, 1.0]}, GRID, (40.0, 12.0), True)
    assert tall.place(moving((-0.7, 0)), (10.0, 0))[0] == "position"  # r0 = 3 cm, 7 cm from the entry; half a face is 6
    assert tall.place(moving((-0.5, 0)), (8.0, 0))[0] == ""


@pytest.mark.parametrize("sides, uniform, words", [
    ((12.5, 12), True, "12.5 x 12 cm, which are no whole cells of 2 x 3 cm"),
    ((14, 12), False, "7 x 4 cells and the generator 6 x 4; give uniform=True")])
def test_calorimeters_that_do_not_fit(sides, uniform, words):
    with pytest.raises(UserError, match=words):
        alike(sides, uniform)


def test_cells_in_rings_are_refused():
    with pytest.raises(UserError, match="inside Geant4 its cells must lie along x and y"):
        Acceptance(TRAINED, GRIDS["challenge2"], (8.0, 8.0), False)


def test_the_depth_stays():
    deep = Grid((6, 4, 5), (2.0, 3.0, 1.0), 10.0)
    assert Acceptance(TRAINED, deep, (20.0, 36.0), True).shape == (10, 12, 5)


@pytest.mark.parametrize("first, inside", [
    ((0, 0), 6), ((-1, 0), 3), ((2, 2), 3), ((1, 3), 4), ((-1, -2), 1), ((-2, 0), 0), ((-5, 1), 0), ((9, 9), 0)])
def test_cells_beyond_the_edges_are_dropped(first, inside):
    cells, shower = np.zeros((3, 5)), np.arange(1.0, 7).reshape(2, 3)
    add_at(cells, shower, first)
    add_at(cells, shower, first)
    assert np.count_nonzero(cells) == inside
    for ix, iy in np.argwhere(cells):
        assert cells[ix, iy] == 2 * shower[ix - first[0], iy - first[1]]


def test_seeds_differ_by_seed_run_event_and_calorimeter():
    numbers = (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (2**64 - 1, 0, 0)
    seeds = {event_seed(*each, "left") for each in numbers}
    seeds.add(event_seed(0, 0, 0, "right"))
    assert len(seeds) == 6 and all(0 <= seed < 2**64 for seed in seeds)
