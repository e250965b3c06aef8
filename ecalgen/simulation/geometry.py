"""A `Calorimeter` as volumes of Geant4, to be placed in any application.

Its cells are replicas, and their energy is summed in C++: layers > active plate > columns along x > cells along y.
"""
import types

from ecalgen.simulation.calorimeter import Calorimeter


class Block:
    """The volumes of a calorimeter. Its centre is the origin, and its front face lies at -z.

    Geant4 keeps pointers to them, so keep the block as long as Geant4 runs.

    Args:
      g4: the module of `simulation.geant4.import_geant4`.
      calorimeter: a `Calorimeter`.
      name: of its volumes; another one for each block of an application.

    Attributes:
      volume: its logical volume, for a `G4PVPlacement`.
      cell: that of a cell, for a sensitive detector of your own in place of `score`.
    """

    def __init__(self, g4: types.ModuleType, calorimeter: Calorimeter, name: str = "Calorimeter"):
        self._g4, self._keep, self._name, self.calorimeter = g4, [], name, calorimeter
        active, absorber = (make_material(g4, made) for made in (calorimeter.active, calorimeter.absorber))
        width, pitch, length = calorimeter.width, calorimeter.pitch, calorimeter.length
        thick, thin = calorimeter.absorber_thickness, calorimeter.active_thickness
        self.volume = self._box("", width, width, length, absorber)
        layer = self._box("Layer", width, width, calorimeter.layer, absorber)
        self._absorber = self._box("Absorber", width, width, thick, absorber)
        plate = self._box("Active", width, width, thin, active)
        column = self._box("Column", pitch, width, thin, active)
        self.cell = self._box("Cell", pitch, pitch, thin, active)
        self._replicate(layer, self.volume, g4.kZAxis, calorimeter.layers, calorimeter.layer)
        self._place(self._absorber, layer, -0.5 * thin)
        self._place(plate, layer, 0.5 * thick)
        self._replicate(column, plate, g4.kXAxis, calorimeter.cells, pitch)
        self._replicate(self.cell, column, g4.kYAxis, calorimeter.cells, pitch)

    def score(self, detector: str):
        """Sum the energy of each cell, MeV, into the collection `detector/energy`; call it in `ConstructSDandField`.

        The key of a cell is its index in the flattened `Calorimeter.shape`.
        """
        # levels above a cell: 0 itself (iy), 1 column (ix), 2 plate (one copy), 3 layer
        cells, layers = self.calorimeter.cells, self.calorimeter.layers
        copies, level = (layers, 3) if self.calorimeter.read_depth else (1, 2)
        self._score(detector, self.cell, self._g4.G4PSEnergyDeposit3D("energy", cells, cells, copies, 1, 0, level))

    def score_absorber(self, detector: str):
        """Sum the energy of the absorber, MeV, into the collection `detector/energy`."""
        self._score(detector, self._absorber, self._g4.G4PSEnergyDeposit("energy", 0))

    def _box(self, part, x, y, z, material):
        solid = self._g4.G4Box(self._name + part, *(0.5 * side * self._g4.mm for side in (x, y, z)))
        logical = self._g4.G4LogicalVolume(solid, material, self._name + part)
        self._keep.extend((solid, logical))
        return logical

    def _place(self, logical, mother, z):
        self._keep.append(self._g4.G4PVPlacement(None, self._g4.G4ThreeVector(0, 0, z * self._g4.mm), logical,
                                                 str(logical.GetName()), mother, False, 0))

    def _replicate(self, logical, mother, axis, count, step):
        self._keep.append(self._g4.G4PVReplica(str(logical.GetName()), logical, mother, axis, count,
                                               step * self._g4.mm))

    def _score(self, name, volume, scorer):
        detector = self._g4.G4MultiFunctionalDetector(name)
        detector.RegisterPrimitive(scorer)
        self._g4.G4SDManager.GetSDMpointer().AddNewDetector(detector)
        volume.SetSensitiveDetector(detector)
        self._keep.extend((detector, scorer))


def make_material(g4, description):
    """The `G4Material` of a `Material`; one of the same name that exists already is taken."""
    if known := g4.G4Material.GetMaterial(description.name, False):
        return known
    made = g4.G4Material(description.name, description.density * g4.g / g4.cm3, len(description.composition))
    for symbol, amount in description.composition:
        made.AddElement(g4.G4NistManager.Instance().FindOrBuildElement(symbol), amount)
    return made
