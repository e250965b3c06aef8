"""The binning files of the calorimeter challenge, as grids.

Such an XML file lists the layers of a calorimeter, each with the edges of its rings in mm and its number of sectors:

    <Bins><Bin pid="11" name="electron"><Layer id="0" r_edges="0,4.65,9.3" n_bin_alpha="16"/> ... </Bin></Bins>

Sectors are counted from angle 0 in a `Grid`, and from -pi in the challenge's XMLHandler.py. So our x and y are turned
by half a turn about the axis of the particles, which changes no shower. Source: code/ of CaloChallenge/homepage.
"""
import os
import pathlib
import xml.etree.ElementTree

from ecalgen.data.grid import CHALLENGE_DEPTH, CHALLENGE_LAYER, Grid
from ecalgen.errors import ConfigError

LARGEST = 10**7
"""Bytes of the largest file that is read."""
EXAMPLE = "give a binning file of the calorimeter challenge, such as binning_dataset_2.xml"


def read_binning(path: str | os.PathLike, layer: float = CHALLENGE_LAYER,
                 reference_depth: float = CHALLENGE_DEPTH) -> Grid:
    """The grid `(sectors, rings, layers)` that a binning file describes.

    Args:
      path: of the XML file.
      layer: cm, thickness of a layer, which the file does not say; that of the challenge's data sets 2 and 3.
      reference_depth: cm, of the `Grid`.

    Raises:
      ConfigError: there is no such file, it is no binning, or its layers are not alike, as those of data set 1.
    """
    path = pathlib.Path(path)
    layers = _layers(path)
    edges, sectors = layers[0]
    for number, (others, parts) in enumerate(layers):
        if (others, parts) != layers[0]:
            raise ConfigError(f"{path}: layer {number} has {len(others) - 1} rings of {parts} sectors, and layer 0 has "
                              f"{len(edges) - 1} rings of {sectors} sectors, or other edges; only layers that are all "
                              "alike make a grid, as in the challenge's data sets 2 and 3")
    if len(edges) < 2:
        raise ConfigError(f"{path}: r_edges of layer 0 has no two edges; {EXAMPLE}")
    radii = tuple(round(edge / 10, 9) for edge in edges)
    try:
        return Grid((sectors, len(edges) - 1, len(layers)), (1.0, 1.0, layer), reference_depth, name=path.stem,
                    radii=radii)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}; {EXAMPLE}") from error


def _layers(path):
    """[(edges of the rings in mm, number of sectors)] of the layers of a file, in its order."""
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigError(f"{path} has more than {LARGEST:,} bytes; {EXAMPLE}")
        bins = xml.etree.ElementTree.fromstring(path.read_bytes()).findall("Bin")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); {EXAMPLE}") from error
    except (xml.etree.ElementTree.ParseError, ValueError, LookupError) as error:
        raise ConfigError(f"{path} is no XML ({error}); {EXAMPLE}") from error
    found = bins[0].findall("Layer") if len(bins) == 1 else []
    if not found:
        raise ConfigError(f"{path} has not one Bin with Layers; {EXAMPLE}")
    return [_layer(path, number, layer) for number, layer in enumerate(found)]


def _layer(path, number, layer):
    try:
        return tuple(float(edge) for edge in layer.get("r_edges").split(",")), int(layer.get("n_bin_alpha"))
    except (AttributeError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: layer {number} has not r_edges, numbers in mm with commas between them, and "
                          f"n_bin_alpha, a whole number; {EXAMPLE}") from error
