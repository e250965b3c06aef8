"""Calorimeters: their sizes, by hand from the papers' tables."""
import pytest

from ecalgen.simulation.calorimeter import CALORIMETERS, LAYERED, SHASHLIK


def test_the_shashlik_has_the_public_sizes():
    assert SHASHLIK.shape == (30, 30)
    assert SHASHLIK.pitch == pytest.approx(20.2)
    assert SHASHLIK.width == pytest.approx(606)
    assert SHASHLIK.length == pytest.approx(396)


@pytest.mark.parametrize("name, cells, pitch", [
    ("shashlik", 30, 20.2), ("shashlik40", 15, 40.4), ("shashlik60", 10, 60.6)])
def test_lhcb_cells_fill_the_same_modules(name, cells, pitch):
    calorimeter = CALORIMETERS[name]
    assert calorimeter.name == name
    assert (calorimeter.cells, calorimeter.width) == (cells, SHASHLIK.width)
    assert calorimeter.pitch == pytest.approx(pitch)


def test_the_layered_one_is_read_out_in_depth():
    assert LAYERED.shape == (25, 25, 25)
    assert LAYERED.pitch == pytest.approx(5.1)
    assert LAYERED.length == pytest.approx(25 * 2.9)
