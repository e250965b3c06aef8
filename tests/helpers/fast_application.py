"""A Geant4 application for the tests of `simulation.fast`: a calorimeter in two halls, and a recording sampler."""
import concurrent.futures
import multiprocessing

import numpy as np
from real_geant4 import DATA

from ecalgen.data.grid import SHASHLIK as GRID
from ecalgen.errors import UserError
from ecalgen.simulation import geant4
from ecalgen.simulation.calorimeter import AIR, SHASHLIK
from ecalgen.simulation.fast import FastSimulation
from ecalgen.simulation.geometry import Block, make_material

ANGLES = ((0.3, -0.5), (0.0, 1.2))
"""Angles about the axes x and y by which each hall is turned, in this order."""
CENTRES = ((-2000.0, 300.0, 1500.0), (2000.0, -200.0, -800.0))
"""mm, of the halls."""
INSIDE = (40.0, -30.0, 60.0)
"""mm, centre of the calorimeter in its hall; it is turned there by a quarter about z."""
TRAINED = {"energy (GeV)": [1.0, 100.0], "px/pz": [-0.7, 0.7], "py/pz": [-0.7, 0.7],
           "x at 15 cm depth (cm)": [-1.01, 1.01], "y at 15 cm depth (cm)": [-1.01, 1.01]}


class Recording:
    """A sampler whose shower i has the energies 1, 2, ... 900 MeV times its incident energy; it keeps its calls."""

    grid, card = GRID, {"trained_on": TRAINED}

    def __init__(self):
        self.calls, self.compiled = [], 0

    def compile(self):
        self.compiled += 1

    def __call__(self, momentum, point, seed, first):
        self.calls.append((momentum, point, seed, first))
        return np.linalg.norm(momentum, axis=1)[:, None, None] * np.arange(1.0, 901).reshape(30, 30)


def rotation(hall):
    """Directions of the calorimeter in a hall, as columns in the world."""
    (a, b), c = ANGLES[hall], np.pi / 2
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_y @ about_x, about_y @ about_x @ about_z


def fire(runs, active=True, scored=True):
    """Simulate runs in a process of its own.

    Args:
      runs: a list of runs, which are lists of events, which are lists of (name, kinetic energy in GeV, hall,
        (x, y, z) in mm from the centre of the calorimeter's front face, direction), in the calorimeter's directions.
      active: whether particles are replaced.
      scored: whether the cells have a sensitive detector.

    Returns:
      (energies `[event, hall, ix, iy]` MeV of all events, calls of the sampler, statistics as a dict, its text).
    """
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_fire, runs, active, scored).result()


def _fire(runs, active, scored):
    g4 = geant4.import_geant4(DATA)
    sampler, keep, events = Recording(), [], []

    def turn(*angles):
        made = g4.G4RotationMatrix()
        for axis, angle in zip("XYZ", angles, strict=True):
            getattr(made, f"rotate{axis}")(angle)
        keep.append(made.inverse())  # Geant4 takes the rotation of the frame
        return keep[-1]

    def place(volume, mother, centre, rotated, copy):
        keep.append(g4.G4PVPlacement(rotated, g4.G4ThreeVector(*centre), volume, str(volume.GetName()), mother, False,
                                     copy))
        return keep[-1]

    class Cells(g4.G4VSensitiveDetector):
        def Initialize(self, hits):
            events.append(np.zeros((2, 30, 30)))

        def ProcessHits(self, step, history):
            at = step.GetPreStepPoint().GetTouchable()  # cell, column, plate, layer, block, hall
            events[-1][at.GetReplicaNumber(5), at.GetReplicaNumber(1), at.GetReplicaNumber(0)] += (
                step.GetTotalEnergyDeposit())
            return True

    class Detector(g4.G4VUserDetectorConstruction):
        def Construct(self):
            air = make_material(g4, AIR)
            boxes = [g4.G4Box("World", 5000, 5000, 5000), g4.G4Box("Hall", 700, 700, 700)]
            world, hall = (g4.G4LogicalVolume(box, air, box.GetName()) for box in boxes)
            top = place(world, None, (0, 0, 0), None, 0)
            for copy, (angles, centre) in enumerate(zip(ANGLES, CENTRES, strict=True)):
                place(hall, world, centre, turn(*angles, 0.0), copy)
            self.block = Block(g4, SHASHLIK)
            placed = place(self.block.volume, hall, INSIDE, turn(0.0, 0.0, np.pi / 2), 0)
            self.fast = FastSimulation({"e-": sampler, "e+": sampler}, placed, seed=3, uniform=True)
            self.fast.active = active
            keep.extend((*boxes, world, hall))
            return top

        def ConstructSDandField(self):
            cells = Cells("cells")
            keep.append(cells)
            g4.G4SDManager.GetSDMpointer().AddNewDetector(cells)
            if scored:
                self.block.cell.SetSensitiveDetector(cells)

    class Gun(g4.G4VUserPrimaryGeneratorAction):
        def __init__(self):
            super().__init__()
            self.gun = g4.G4ParticleGun(1)

        def GeneratePrimaries(self, event):
            g4.G4Random.setTheSeed(event.GetEventID() + 1)
            run = g4.G4RunManager.GetRunManager().GetCurrentRun().GetRunID()
            for name, energy, hall, point, direction in runs[run][event.GetEventID()]:
                turned, turned_twice = rotation(hall)
                front = np.add(point, [0, 0, -SHASHLIK.length / 2])
                position = turned_twice @ front + turned @ np.array(INSIDE) + CENTRES[hall]
                self.gun.SetParticleDefinition(g4.G4ParticleTable.GetParticleTable().FindParticle(name))
                self.gun.SetParticlePosition(g4.G4ThreeVector(*position))
                self.gun.SetParticleMomentumDirection(g4.G4ThreeVector(*(turned_twice @ np.array(direction))))
                self.gun.SetParticleEnergy(energy * g4.GeV)
                self.gun.GeneratePrimaryVertex(event)

    class Actions(g4.G4VUserActionInitialization):
        def Build(self):
            keep.append(Gun())
            self.SetUserAction(keep[-1])

    manager = g4.G4RunManagerFactory.CreateRunManager(g4.G4RunManagerType.Serial)
    manager.SetVerboseLevel(0)
    parts = Detector(), geant4.physics_list(g4), Actions()
    for part in parts:
        manager.SetUserInitialization(part)
    g4.G4UImanager.GetUIpointer().ApplyCommand("/process/em/verbose 0")
    manager.Initialize()
    try:
        for run in runs:
            manager.BeamOn(len(run))
    except UserError as error:
        return str(error)
    statistics = parts[0].fast.statistics
    return np.array(events), sampler.calls, vars(statistics), str(statistics)
