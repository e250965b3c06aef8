"""Point clouds: cells by NumPy's histogram and by hand, and rows that cannot be."""
import h5py
import numpy as np
import pytest

from ecalgen.data.files.clouds import binned, cells_of, check_cloud
from ecalgen.data.files.formats import count_showers, iter_showers, load_conditions, load_showers
from ecalgen.data.grid import Grid
from ecalgen.data.showers import BadShowers, Header

BOX = Grid((10, 8, 6), (0.5, 0.4, 0.3), 1.0)
RINGS = Grid((4, 2, 3), (1.0, 1.0, 0.5), 1.0, radii=(0.5, 1.0, 2.0))


def clouds(count=5, fields=5):
    """Points [x mm, y mm, layer, GeV, time], some of them beside the cells of `BOX`."""
    rng = np.random.default_rng(count)
    sizes = [0, *rng.integers(1, 40, count - 1)]
    return [np.column_stack([rng.normal(0, 15, (size, 2)), rng.integers(0, 8, size), rng.exponential(0.01, size),
                             rng.random(size)])[:, :fields].astype(np.float32) for size in sizes]


def write(path, points, **changes):
    """A file as `showerdata` 0.6 writes it, of particles of 5 GeV."""
    count = len(points)
    columns = {"energies": np.full((count, 1), 5.0), "directions": np.tile([0.6, 0, 0.8], (count, 1)),
               "pdg": np.full(count, 22), "shower_ids": np.arange(count), "shape": [count, 40, points[0].shape[1]],
               "num_points": [len(shower) for shower in points]} | changes
    with h5py.File(path, "w") as file:
        showers = file.create_dataset("showers", (count,), h5py.vlen_dtype(np.float32))
        for event, shower in enumerate(points):
            showers[event] = shower.ravel()
        file.update(columns)
    return path


@pytest.mark.parametrize("fields", [4, 5])
def test_points_are_summed_in_their_cells(fields):
    points = clouds(fields=fields)
    energy = binned([shower.ravel() for shower in points], [len(shower) for shower in points], BOX)
    edges = np.linspace(-2.5, 2.5, 11), np.linspace(-1.6, 1.6, 9), np.arange(7) - 0.5
    for event, shower in enumerate(points):
        expected, _ = np.histogramdd(shower[:, :3] * [0.1, 0.1, 1], bins=edges, weights=1000 * shower[:, 3])
        np.testing.assert_allclose(energy[event], expected, rtol=1e-5, atol=1e-6)
    flat = Grid((10, 8), (0.5, 0.4), 1.0)
    wide = [np.concatenate([shower, np.zeros((0, fields))]) for shower in points]
    assert (binned([w.ravel() for w in wide], [len(w) for w in wide], flat) >= energy.sum(3) - 1e-4).all()


def test_sectors_and_rings_by_hand():
    """Radius 0.7 cm is in ring 0 and 1.5 cm in ring 1; sectors are quarters from angle 0."""
    x, y = np.array([7.0, -7.0, -15.0, 1.0, 15.0, 4.0, 25.0]), np.array([1.0, 1.0, -1.0, -7.0, -1e-30, 0.0, 0.0])
    (sector, ring, layer), inside = cells_of(x, y, np.array([0, 1, 2, 0, 1, 0, 0.0]), RINGS)
    assert inside.tolist() == [True, True, True, True, True, False, False]
    assert sector[:4].tolist() == [0, 1, 2, 3] and sector[4] in (0, 3)
    assert ring[:5].tolist() == [0, 0, 1, 0, 1] and layer[:5].tolist() == [0, 1, 2, 0, 1]


def test_the_centre_of_a_cell_is_in_that_cell():
    x, y = (10 * RINGS.unit * centre.ravel() for centre in RINGS.centres())
    (sector, ring, _), inside = cells_of(x, y, np.zeros(8), RINGS)
    assert inside.all() and (2 * sector + ring).tolist() == list(range(8))


def test_a_file_of_points(tmp_path):
    path = write(tmp_path / "a.h5", clouds())
    showers = load_showers(path, grid=BOX, conventions="as_is")
    assert showers.energy.shape == (5, 10, 8, 6) and showers.pdg.tolist() == [22] * 5
    np.testing.assert_allclose(showers.momentum[0], [3, 0, 4], rtol=1e-6)
    np.testing.assert_array_equal(showers.point, np.zeros((5, 2)))
    blocks = list(iter_showers(path, 2, grid=BOX, conventions="as_is"))
    np.testing.assert_array_equal(np.concatenate([block.energy for block in blocks]), showers.energy)
    assert count_showers(path, grid=BOX) == 5 and len(load_conditions(path)[0]) == 5


def test_points_say_no_cells(tmp_path):
    path = write(tmp_path / "a.h5", clouds())
    with pytest.raises(BadShowers, match="a.h5 holds points, which say no cells; name a calorimeter or describe"):
        load_showers(path)


@pytest.mark.parametrize("changes, message", [
    ({"num_points": [0, 1, 1, 1, 1]}, r"a.h5: showers holds .* numbers in event 1, and num_points says 1 points; each"),
    ({"num_points": [1, 1, 1, 1, 1]}, "showers holds 0 numbers in event 0, and num_points says 1 points"),
    ({"num_points": [[0], [1], [1], [1], [1]]}, r"num_points has shape \[5, 1\] of int64, not \[5\] of integers; "),
    ({"num_points": np.ones(5)}, r"num_points has shape \[5\] of float64"),
    ({"directions": np.zeros((5, 3))}, "the momentum of energies is NaN or infinite in event 0"),
    ({"energies": -np.ones(5)}, "the momentum of energies has pz <= 0 in event 0")])
def test_files_that_cannot_be(tmp_path, changes, message):
    path = write(tmp_path / "a.h5", clouds(), **changes)
    with pytest.raises(BadShowers, match=message):
        load_showers(path, grid=BOX, conventions="as_is")


def test_points_that_are_nowhere():
    with pytest.raises(BadShowers, match="showers is NaN or infinite in event 0; drop"):
        binned([np.array([0, np.nan, 1, 1])], [1], BOX)


@pytest.mark.parametrize("header", [
    Header((5, 6480), np.dtype("f4")), Header((5,), np.dtype(object)), Header((5,), h5py.vlen_dtype(np.int32)),
    Header((5, 2), h5py.vlen_dtype(np.float32)), Header((5,), h5py.string_dtype())])
def test_columns_of_no_points(header):
    with pytest.raises(BadShowers, match="a row of floats of any length for each shower; write it with showerdata"):
        check_cloud("showers", header, Header((5,), np.dtype(int)))
