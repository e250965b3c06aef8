"""Layouts: which columns are read for which names, how rows become cells, and names that cannot be."""
import itertools

import numpy as np
import pytest

from ecalgen.data.files.layout import Found, Layout, fields_of, find_columns, ordered, shown_names
from ecalgen.data.grid import GRIDS, SHASHLIK, Grid
from ecalgen.data.showers import BadShowers
from ecalgen.errors import ConfigError

OURS = {"EnergyDeposit", "ParticleMomentum", "ParticlePoint"}
RINGS = Grid((4, 3, 5), (1.0, 1.0, 0.5), 1.0, radii=(0.0, 1.0, 2.0, 3.0))


@pytest.mark.parametrize("columns, message", [
    ({"energi": "x"}, "the field 'energi'; the fields are energy, momentum, incident_energy, direction, point, pdg"),
    ({"momentum": ("px", "py")}, r"\('px', 'py'\) for momentum; give the name of one column, or of 3 columns"),
    ({"energy": ("a", "b")}, r"\('a', 'b'\) for energy; give the name of one column$"), ({"energy": ""}, "for energy"),
    ({"energy": 5}, r"\(5,\) for energy"), ({"pdg": ()}, r"\(\) for pdg"), ({"point": "a\nb"}, "for point; give the"),
    ({"momentum": "p", "incident_energy": "E"}, "names a momentum and an incident_energy; give one of them"),
    ({"direction": "d"}, "a direction without an incident_energy")])
def test_names_that_cannot_be(columns, message):
    with pytest.raises(ConfigError, match=message):
        Layout(columns=columns)


def test_a_layout_can_be_made_again_of_its_fields():
    layout = Layout(SHASHLIK, {"momentum": ["px", "py", "pz"], "energy": "cells"}, "events")
    assert Layout(**vars(layout)) == layout and hash(layout) == hash(Layout(**vars(layout)))
    assert dict(layout.columns) == {"energy": ("cells",), "momentum": ("px", "py", "pz")}


@pytest.mark.parametrize("held, told, fields", [
    (OURS, {}, {"energy": "EnergyDeposit", "momentum": "ParticleMomentum", "point": "ParticlePoint"}),
    (OURS | {"energy", "ParticlePDG"}, {}, {"energy": "EnergyDeposit", "momentum": "ParticleMomentum",
                                            "point": "ParticlePoint", "pdg": "ParticlePDG"}),
    ({"EnergyDeposit", "incident_energy"}, {}, {"energy": "EnergyDeposit", "incident_energy": "incident_energy"}),
    (OURS | {"incident_energy"}, {}, {"energy": "EnergyDeposit", "momentum": "ParticleMomentum",
                                      "point": "ParticlePoint"}),
    (OURS | {"E"}, {"incident_energy": "E"}, {"energy": "EnergyDeposit", "incident_energy": "E",
                                              "point": "ParticlePoint"}),
    ({"showers", "incident_energies"}, {}, {"energy": "showers", "incident_energy": "incident_energies"}),
    ({"showers", "incident_energies", "ParticleMomentum", "ParticlePoint"}, {},
     {"energy": "showers", "momentum": "ParticleMomentum", "point": "ParticlePoint"}),
    ({"ECAL", "energy"}, {}, {"energy": "ECAL", "incident_energy": "energy"}),
    ({"ECAL", "energy", "pid"}, {"pdg": "pid"}, {"energy": "ECAL", "incident_energy": "energy", "pdg": "pid"}),
    ({"showers", "num_points", "energies", "directions", "pdg"}, {},
     {"energy": "showers", "count": "num_points", "incident_energy": "energies", "direction": "directions",
      "pdg": "pdg"}),
    ({"cells", "energy"}, {"energy": "cells"},  # what `energy` means is not known
     {"energy": "cells", "momentum": "ParticleMomentum", "point": "ParticlePoint"}),
    (set(), {}, {"energy": "EnergyDeposit", "momentum": "ParticleMomentum", "point": "ParticlePoint"}),
    ({"showers"}, {}, {"energy": "showers", "incident_energy": "incident_energies"})])
def test_the_columns_that_are_read(held, told, fields):
    expected = {field: (name,) for field, name in fields.items()}
    assert find_columns(Layout(columns=told), held) == expected


@pytest.mark.parametrize("held, fields", [
    ({"energy"}, {"incident_energy": "energy"}), ({"incident_energies"}, {"incident_energy": "incident_energies"}),
    ({"EnergyDeposit", "energy"}, {"momentum": "ParticleMomentum", "point": "ParticlePoint"}),
    (OURS, {"momentum": "ParticleMomentum", "point": "ParticlePoint"})])
def test_particles_alone(held, fields):
    """`energy` beside EnergyDeposit may be anything, such as the sum of the cells."""
    expected = {field: (name,) for field, name in fields.items()}
    assert find_columns(Layout(), held, cells=False) == expected
    told = Layout(columns={"energy": "cells", "pdg": "code"})  # of a file of showers, which a file of particles lacks
    assert find_columns(told, {"ParticleMomentum", "ParticlePoint"}, cells=False).keys() == {"momentum", "point"}


def test_rows_of_rings_are_in_the_order_of_the_challenge():
    """Layer by layer, in it sector by sector, in it from the innermost ring."""
    rows = np.arange(2 * 60.0).reshape(2, 60)
    cells = ordered(rows, RINGS)
    assert cells.shape == (2, 4, 3, 5)
    for number, (layer, sector, ring) in enumerate(itertools.product(range(5), range(4), range(3))):
        assert cells[1, sector, ring, layer] == rows[1, number]


def test_rows_of_other_cells_are_in_the_order_of_their_axes():
    box = Grid((2, 3, 4), (1.0, 1.0, 1.0), 1.0)
    rows = np.arange(48.0).reshape(2, 24)
    np.testing.assert_array_equal(ordered(rows, box), rows.reshape(2, 2, 3, 4))
    np.testing.assert_array_equal(ordered(rows.reshape(2, 2, 3, 4), box), rows.reshape(2, 2, 3, 4))


def test_particles_of_known_energy_fly_along_their_direction():
    """Directions of any length: 10 GeV along (3, 0, 4)."""
    names = {"incident_energy": ("E",), "direction": ("x", "y", "z")}
    rows = {"E": np.array([[10.0], [2.0]]), "x": np.array([3, 0]), "y": np.array([0, 0]), "z": np.array([4, 5])}
    made = fields_of(rows, Found(names, SHASHLIK))
    np.testing.assert_allclose(made["momentum"], [[6, 0, 8], [0, 0, 2]])
    np.testing.assert_array_equal(made["point"], np.zeros((2, 2)))


def test_public_columns_in_other_units():
    """float16 GeV would end at 65 MeV, if it were not widened."""
    names = {"energy": ("ECAL",), "incident_energy": ("incident_energies",)}
    cells = np.full((1, 30, 30), 100.0, np.float16)
    made = fields_of({"ECAL": cells, "incident_energies": np.array([2000])}, Found(names, SHASHLIK))
    assert (made["energy"] == 1e5).all() and made["momentum"].tolist() == [[0, 0, 2]]


@pytest.mark.parametrize("rows, message", [
    ({"E": np.ones((2, 2))}, r"E has shape \[2, 2\], not \[N\] or \[N, 1\]; write one energy"),
    ({"E": np.ones(())}, r"E has shape \[\], not"), ({"E": np.array(["a", "b"])}, "E holds <U1, not numbers"),
    ({"x": np.ones((2, 1))}, r"x has shape \[2, 1\], not \[2\]"), ({"z": np.ones(3)}, r"z has shape \[3\], not \[2\]"),
    ({"y": np.array([None, None])}, "y holds object, not numbers"),
    ({"E": np.ones(3)}, r"x has shape \[2, 3\], not \[3, 3\]; write x, y and z")])
def test_columns_of_particles_that_cannot_be(rows, message):
    names = {"incident_energy": ("E",), "direction": ("x", "y", "z")}
    good = {"E": np.ones(2), "x": np.ones(2), "y": np.ones(2), "z": np.ones(2)}
    with pytest.raises(BadShowers, match=message):
        fields_of(good | rows, Found(names, SHASHLIK))


@pytest.mark.parametrize("shape, named, words", [
    ((2, 15, 15), True, ["cells has shape [2, 15, 15]", "30 x 30 cells of 2.02 x 2.02 cm (shashlik) are expected; ",
                         "(shashlik40 has such cells)", "--config.data.calorimeter", "load_showers(path, grid=...)",
                         "give a file of the expected cells"]),
    ((2, 6480), False, ["are expected, which are taken where no calorimeter is named; ", "(challenge2 has such cells"]),
    ((2, 7, 7, 7), False, ["cells has shape [2, 7, 7, 7]", "challenge3, or describe its cells"])])
def test_cells_of_another_grid(shape, named, words):
    names = {"energy": ("cells",), "momentum": ("p",), "point": ("r",)}
    rows = {"cells": np.ones(shape), "p": np.ones((2, 3)), "r": np.ones((2, 2))}
    with pytest.raises(BadShowers) as caught:
        fields_of(rows, Found(names, SHASHLIK, named))
    for word in words:
        assert word in str(caught.value)
    with pytest.raises(BadShowers, match="challenge3.*are expected"):
        fields_of(rows, Found(names, GRIDS["challenge3"]))


def test_messages_name_the_columns_of_the_file():
    names = shown_names({"energy": ("cells",), "momentum": ("px", "py", "pz")})
    assert names == {"EnergyDeposit": "cells", "ParticleMomentum": "ParticleMomentum (px, py, pz)",
                     "ParticlePoint": "ParticlePoint", "ParticlePDG": "ParticlePDG"}
    assert shown_names({"incident_energy": ("E",)})["ParticleMomentum"] == "the momentum of E"
