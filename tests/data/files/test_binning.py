"""Binning files of the calorimeter challenge: those of data sets 2 and 3 are the named grids, others are refused."""
import numpy as np
import pytest

from ecalgen.data.files.binning import read_binning
from ecalgen.data.grid import GRIDS
from ecalgen.errors import ConfigError

EDGES = {
    "challenge2": "0,4.65,9.3,13.95,18.6,23.25,27.9,32.55,37.2,41.85",
    "challenge3": "0,2.325,4.65,6.975,9.3,11.625,13.95,16.275,18.6,20.925,23.25,25.575,27.9,30.225,32.55,34.875,37.2,"
                  "39.525,41.85"}
"""r_edges in binning_dataset_2.xml and binning_dataset_3.xml of CaloChallenge/homepage."""
SECTORS = {"challenge2": 16, "challenge3": 50}


def write(path, *layers):
    """A file of one Bin with layers of (r_edges, n_bin_alpha)."""
    lines = (f'<Layer id="{number}" r_edges="{edges}" n_bin_alpha="{sectors}" />'
             for number, (edges, sectors) in enumerate(layers))
    path.write_text(f'<Bins>\n <Bin pid="11" name="electron">\n{"".join(lines)}\n </Bin>\n</Bins>\n')
    return path


@pytest.mark.parametrize("name, cells", [("challenge2", 6480), ("challenge3", 40500)])
def test_the_named_grids_are_those_of_the_official_files(tmp_path, name, cells):
    """The challenge's README: 9 x 16 x 45 and 18 x 50 x 45 cells; 41.85 mm is the outer edge of both."""
    grid = read_binning(write(tmp_path / "a.xml", *[(EDGES[name], SECTORS[name])] * 45))
    assert grid == GRIDS[name] and np.prod(grid.shape) == cells
    assert grid.shape == (SECTORS[name], EDGES[name].count(","), 45) and grid.radii[-1] == 4.185
    assert grid.pitch[2] == 0.34 and grid.name == "a"


def test_the_thickness_of_a_layer_may_be_given(tmp_path):
    grid = read_binning(write(tmp_path / "a.xml", ("1,2,4", 8), ("1,2,4", 8)), layer=0.5, reference_depth=2.0)
    assert (grid.shape, grid.radii, grid.pitch[2], grid.reference_depth) == ((8, 2, 2), (0.1, 0.2, 0.4), 0.5, 2.0)


@pytest.mark.parametrize("layers, message", [
    ([("0,5,10", 1), ("0,2,4,6", 10)], "layer 1 has 3 rings of 10 sectors, and layer 0 has 2 rings of 1 sectors"),
    ([("0,5", 1), ("0,6", 1)], "or other edges; only layers that are all alike make a grid"),
    ([("0", 1)], "no two edges"), ([("0,2,1", 4)], "rising radii"), ([("0,nan", 4)], "rising radii"),
    ([("0,1", 0)], "at least one cell"), ([("0,x", 4)], "layer 0 has not r_edges, numbers in mm"),
    ([("0,1", "many")], "n_bin_alpha, a whole number"), ([], "not one Bin with Layers")])
def test_layers_that_are_no_grid(tmp_path, layers, message):
    with pytest.raises(ConfigError, match=f"a.xml.*{message}") as caught:
        read_binning(write(tmp_path / "a.xml", *layers))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content, message", [
    (b"", "is no XML"), (b"<Bins><Bin></Bins>", "is no XML"), (b"\x00\xff" * 10, "is no XML"),
    (b"<Bins/>", "not one Bin"), (b"<Bins><Bin><Layer/></Bin></Bins>", "layer 0 has not r_edges"),
    (b'<?xml version="1.0" encoding="none"?><Bins/>', "is no XML"), (b"<a><Bin/><Bin/></a>", "not one Bin")])
def test_files_of_no_binning(tmp_path, content, message):
    (tmp_path / "a.xml").write_bytes(content)
    with pytest.raises(ConfigError, match=f"a.xml.*{message}.*; give a binning file of the calorimeter challenge"):
        read_binning(tmp_path / "a.xml")


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match="none.xml cannot be read .No such file"):
        read_binning(tmp_path / "none.xml")
    with pytest.raises(ConfigError, match="cannot be read .Is a directory"):
        read_binning(tmp_path)
