"""Sampling calorimeters to simulate, each described by one small dataclass. Lengths in mm, as in Geant4."""
import dataclasses

from ecalgen.data.grid import GRIDS, Grid


@dataclasses.dataclass(frozen=True)
class Material:
    """A material of the calorimeter.

    Args:
      name: its name in Geant4.
      density: g/cm3.
      composition: ((element, amount), ...); ints are numbers of atoms, floats are mass fractions.
    """

    name: str
    density: float
    composition: tuple[tuple[str, int | float], ...]


AIR = Material("Air", 1.29e-3, (("N", 0.7), ("O", 0.3)))
LEAD = Material("Lead", 11.35, (("Pb", 1.0),))
TUNGSTEN = Material("Tungsten", 19.3, (("W", 1.0),))
SCINTILLATOR = Material("Scintillator", 1.032, (("C", 9), ("H", 10)))
SILICON = Material("Silicon", 2.33, (("Si", 1.0),))


@dataclasses.dataclass(frozen=True)
class Calorimeter:
    """A square block of equal layers, absorber then active material, read out in square cells.

    Its centre is the origin, the beam flies along +z, and its front face lies at z = -length / 2.

    Args:
      name: for messages and bookkeeping.
      modules: along x and along y; they touch, without a wall between them.
      cells_per_module: along x and along y.
      module_width: mm.
      layers: along z.
      absorber: its material.
      absorber_thickness: mm in each layer.
      active: material whose deposited energy is read out.
      active_thickness: mm in each layer.
      read_depth: whether each layer is read out by itself, rather than summed over depth.
    """

    name: str
    modules: int
    cells_per_module: int
    module_width: float
    layers: int
    absorber: Material
    absorber_thickness: float
    active: Material
    active_thickness: float
    read_depth: bool = False

    @property
    def cells(self) -> int:
        """Cells along x, and along y."""
        return self.modules * self.cells_per_module

    @property
    def width(self) -> float:
        """Width along x and along y, mm."""
        return self.modules * self.module_width

    @property
    def pitch(self) -> float:
        """Width of a cell, mm."""
        return self.width / self.cells

    @property
    def layer(self) -> float:
        """Thickness of a layer, mm."""
        return self.absorber_thickness + self.active_thickness

    @property
    def length(self) -> float:
        """Length along z, mm."""
        return self.layers * self.layer

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a shower's energies: `[ix, iy]`, or `[ix, iy, layer]` where the depth is read out."""
        return (self.cells, self.cells) + (self.layers,) * self.read_depth

    @property
    def grid(self) -> Grid:
        """Its cells: those of `GRIDS` for a named calorimeter, else with the reference plane where it is in them."""
        pitch = (self.pitch / 10, self.pitch / 10) + (self.layer / 10,) * self.read_depth
        return GRIDS.get(self.name) or Grid(self.shape, pitch, 0.038 * self.length, name=self.name)


SHASHLIK = Calorimeter(
    "shashlik", modules=5, cells_per_module=6, module_width=121.2, layers=66,
    absorber=LEAD, absorber_thickness=2.0, active=SCINTILLATOR, active_thickness=4.0)
"""The papers' LHCb-like modules in cells of 20.2 mm ("shashlik, not split"): 30 x 30 of them, 25 radiation lengths."""

LAYERED = Calorimeter(
    "layered", modules=1, cells_per_module=25, module_width=127.5, layers=25,
    absorber=TUNGSTEN, absorber_thickness=2.4, active=SILICON, active_thickness=0.5, read_depth=True)
"""The CLIC-like silicon-tungsten calorimeter of the AdaGAN paper: 25 x 25 x 25 cells of 5.1 mm."""

CALORIMETERS = {
    "shashlik": SHASHLIK,
    "shashlik40": dataclasses.replace(SHASHLIK, name="shashlik40", cells_per_module=3),
    "shashlik60": dataclasses.replace(SHASHLIK, name="shashlik60", cells_per_module=2),
    "layered": LAYERED,
}
"""Name -> calorimeter; 40 and 60 are LHCb's inner and middle cells of 40.4 and 60.6 mm."""
