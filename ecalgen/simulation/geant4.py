"""Showers in real Geant4, from the wheel `geant4-pybind` (extra `geant4`).

The reference physics is `standard`, the electromagnetic part of FTFP_BERT. The active tiles are thin, so the visible
energy depends on how electrons cross from the absorber into them. The steps of multiple scattering of option 1 are too
long for such tiles and lose a sixth of the signal. `fast` is option 1 with the steps of `standard`.

Python is entered twice an event, to start its particle and to read its cells. A process can build Geant4 once, so
several calorimeters or beams mean several processes (`production.py`).
"""
import dataclasses
import importlib.util
import os
import pathlib
from collections.abc import Callable

import numpy as np

from ecalgen.errors import UserError
from ecalgen.simulation.beam import PARTICLES, Beam
from ecalgen.simulation.calorimeter import AIR, SHASHLIK, Calorimeter
from ecalgen.simulation.geometry import Block, make_material

THIN_TILE_STEPS = ("/process/msc/StepLimit UseSafety", "/process/msc/RangeFactor 0.04")
"""The multiple-scattering steps of `standard`, as commands."""

PHYSICS = {
    "standard": ("G4EmStandardPhysics", ()),
    "fast": ("G4EmStandardPhysics_option1", THIN_TILE_STEPS),
    "option1": ("G4EmStandardPhysics_option1", ()),
    "option2": ("G4EmStandardPhysics_option2", ()),
}
"""Name -> (Geant4's physics constructor, commands before its initialisation)."""

DOWNLOADED = pathlib.Path("~/.geant4_pybind")
"""Folder into which the wheel downloads its data."""


class NoGeant4(UserError):
    """Geant4 or its data are not installed; the message says what to install or to set."""


@dataclasses.dataclass(frozen=True)
class Setup:
    """Everything that an event depends on besides its index.

    Args:
      calorimeter: the calorimeter.
      beam: the particles that enter it.
      seed: of the sequence of events.
      physics: one of `PHYSICS`.
      cut: range below which secondary particles are not followed, mm.
      repeat: 0 for the first simulation of the particles, k for the k-th repetition with other random numbers.

    Raises:
      UserError: for an unknown physics list, a seed, repetition or cut out of range, or a beam that misses the
        calorimeter.
    """

    calorimeter: Calorimeter = SHASHLIK
    beam: Beam = Beam()
    seed: int = 0
    physics: str = "standard"
    cut: float = 0.7
    repeat: int = 0

    def __post_init__(self):
        if self.physics not in PHYSICS:
            raise UserError(f"no physics list is called {self.physics!r}; there are {', '.join(PHYSICS)}")
        if not 0 <= self.seed < 2**32:
            raise UserError(f"the seed is {self.seed}; give a whole number from 0 to {2**32 - 1}")
        if not 0 <= self.repeat < 2**32:
            raise UserError(f"the repetition is {self.repeat}; give a whole number from 0 to {2**32 - 1}")
        if not 0 < self.cut < np.inf:
            raise UserError(f"the production cut is {self.cut:g} mm; give a positive length, such as 0.7")
        entry = np.subtract(self.beam.track, np.multiply(self.beam.track_depth, self.beam.slope))
        if (np.abs(entry) > self.calorimeter.width / 2).any():
            raise UserError(f"the beam enters at ({entry[0] / 10:g}, {entry[1] / 10:g}) cm, beside the front face of "
                            f"the {self.calorimeter.name} calorimeter, {self.calorimeter.width / 10:g} cm wide; change "
                            "its slope or its track")


def start(setup: Setup, data: os.PathLike | str | None = None, score_absorber: bool = False) -> Callable:
    """Build Geant4 in this process, which can be done once.

    Args:
      setup: calorimeter, beam's particle and physics.
      data: folder of Geant4's data, see `find_data`.
      score_absorber: also sum the energy deposited in the absorber.

    Returns:
      run(momentum `[N, 3]` GeV, point `[N, 2]` mm, seeds `[N]`) -> (energy `[N, *calorimeter.shape]` float32 MeV,
      absorbed `[N]` float32 MeV or zeros).

    Raises:
      NoGeant4: the wheel or the data are missing.
    """
    g4 = import_geant4(data)
    calorimeter, events = setup.calorimeter, _Events()
    constructor, commands = PHYSICS[setup.physics]
    manager = g4.G4RunManagerFactory.CreateRunManager(g4.G4RunManagerType.Serial)
    manager.SetVerboseLevel(0)
    parts = (_detector(g4, calorimeter, score_absorber), physics_list(g4, constructor),
             _actions(g4, PARTICLES[setup.beam.particle], -calorimeter.length / 2, events, score_absorber))
    for part in parts:
        manager.SetUserInitialization(part)
    interface = g4.G4UImanager.GetUIpointer()
    for command in ("/process/em/verbose 0", *commands):
        interface.ApplyCommand(command)
    manager.Initialize()
    interface.ApplyCommand(f"/run/setCut {setup.cut} mm")  # SetDefaultCutValue() has no effect here
    manager.BeamOn(0)  # builds the tables of the physics

    def run(momentum, point, seeds):
        events.load(momentum, point, seeds, int(np.prod(calorimeter.shape)))
        manager.BeamOn(len(momentum))
        return events.energy.reshape(-1, *calorimeter.shape), events.absorbed

    run.parts = parts  # Geant4 keeps pointers to them
    return run


def import_geant4(data: os.PathLike | str | None = None):
    """The module `geant4_pybind`, pointed at its data, without its prompt.

    Raises:
      NoGeant4: the wheel or the data are missing.
    """
    os.environ.update(check_installed(data))
    import geant4_pybind
    return geant4_pybind


def check_installed(data: os.PathLike | str | None = None) -> dict[str, str]:
    """The environment that Geant4 needs, without importing it; argument and errors are those of `import_geant4`."""
    if importlib.util.find_spec("geant4_pybind") is None:
        raise NoGeant4("Geant4 is not installed; pip install 'ecalgen[geant4]', or simulate with gflash")
    return find_data(data)


def find_data(folder: os.PathLike | str | None = None) -> dict[str, str]:
    """The environment variables that point Geant4 at its data.

    Args:
      folder: of an installation (with `G4EMLOW*` in it), or one that itself holds the low-energy tables and an
        `ENSDFSTATE.dat`; when not given `$GEANT4_DATA_DIR`, that of `$G4LEDATA`, or where the wheel downloads to.

    Raises:
      NoGeant4: there are no such data.
    """
    tables = os.environ.get("G4LEDATA")
    folder = folder or os.environ.get("GEANT4_DATA_DIR") or (pathlib.Path(tables).parent if tables else DOWNLOADED)
    folder = pathlib.Path(folder).expanduser().absolute()
    if list(folder.glob("G4EMLOW*")) and list(folder.glob("G4ENSDFSTATE*")):
        return {"GEANT4_DATA_DIR": str(folder)}
    if (folder / "epics2017").is_dir() and (folder / "ENSDFSTATE.dat").is_file():
        names = ("GEANT4_DATA_DIR", "G4LEDATA", "G4ENSDFSTATEDATA", "G4LEVELGAMMADATA")
        return dict.fromkeys(names, str(folder))
    raise NoGeant4(f"no Geant4 data in {folder}: set GEANT4_DATA_DIR or --data to the folder that holds G4EMLOW and "
                   "G4ENSDFSTATE, or let the wheel download them: python -c 'import geant4_pybind', and answer y")


def tables(data: os.PathLike | str | None = None) -> list[str]:
    """Names in the folder of Geant4's data, which say which tables its physics reads.

    Raises:
      NoGeant4: the errors of `find_data`.
    """
    return sorted(path.name for path in pathlib.Path(find_data(data)["GEANT4_DATA_DIR"]).iterdir())


class _Events:
    """Particles of the current run, and the energies that they deposit."""

    def load(self, momentum, point, seeds, cells):
        self.momentum, self.point, self.seeds = momentum, point, seeds
        self.energy = np.zeros((len(momentum), cells), np.float32)
        self.absorbed = np.zeros(len(momentum), np.float32)


def _detector(g4, calorimeter, score_absorber):
    """A world of air around the calorimeter, whose cells are scored."""
    class Detector(g4.G4VUserDetectorConstruction):
        def Construct(self):
            self.block = Block(g4, calorimeter)
            sides = (0.525 * calorimeter.width, 0.525 * calorimeter.width, 0.525 * calorimeter.length)
            self.box = g4.G4Box("World", *(side * g4.mm for side in sides))
            self.world = g4.G4LogicalVolume(self.box, make_material(g4, AIR), "World")
            self.placed = [g4.G4PVPlacement(None, g4.G4ThreeVector(), volume, str(volume.GetName()), mother, False, 0)
                           for volume, mother in ((self.world, None), (self.block.volume, self.world))]
            return self.placed[0]

        def ConstructSDandField(self):
            self.block.score("active")
            if score_absorber:
                self.block.score_absorber("absorber")

    return Detector()


def physics_list(g4, constructor=PHYSICS["standard"][0]):
    """The physics list that holds one of Geant4's physics constructors alone."""
    class Physics(g4.G4VModularPhysicsList):
        def __init__(self):
            super().__init__()
            self.SetVerboseLevel(0)
            self.RegisterPhysics(getattr(g4, constructor)())

    return Physics()


def _actions(g4, pdg, front, events, score_absorber):
    """Start the particle of an event at the front face (z in mm), and read its cells at the end."""
    keep = []

    class Gun(g4.G4VUserPrimaryGeneratorAction):
        # G4ParticleGun makes its G4PrimaryVertex in C++; one made in Python is freed while the event points at it.
        def __init__(self):
            super().__init__()
            self.gun = g4.G4ParticleGun(1)
            self.particle = g4.G4ParticleTable.GetParticleTable().FindParticle(pdg)
            self.gun.SetParticleDefinition(self.particle)

        def GeneratePrimaries(self, event):
            i = event.GetEventID()
            g4.G4Random.setTheSeed(int(events.seeds[i]))
            momentum, mass = events.momentum[i] * g4.GeV, self.particle.GetPDGMass()
            square = float(momentum @ momentum)
            self.gun.SetParticlePosition(g4.G4ThreeVector(*(events.point[i] * g4.mm), front * g4.mm))
            self.gun.SetParticleMomentumDirection(g4.G4ThreeVector(*(momentum / square**0.5)))
            self.gun.SetParticleEnergy((square + mass * mass) ** 0.5 - mass)
            self.gun.GeneratePrimaryVertex(event)

    class Reader(g4.G4UserEventAction):
        def EndOfEventAction(self, event):
            i, hits, find = event.GetEventID(), event.GetHCofThisEvent(), g4.G4SDManager.GetSDMpointer().GetCollectionID
            for cell, energy in hits.GetHC(find("active/energy")):
                events.energy[i, cell] = energy
            if score_absorber:
                events.absorbed[i] = sum(energy for _, energy in hits.GetHC(find("absorber/energy")))

    class Actions(g4.G4VUserActionInitialization):
        def Build(self):
            keep.extend((Gun(), Reader()))
            for action in keep:
                self.SetUserAction(action)

    return Actions()
