"""A Geant4 application with two calorimeters, whose showers a generator makes.

    python examples/inside_geant4.py --events=3 --electrons=100 --full=1

Electrons fly from the origin through a plate of aluminium into two arms. The left arm is displaced, the right one is
rotated, too. Each event prints the energy that the cells of both arms see, read from their hits collections. The last
`--full` events are simulated in full.
"""
import argparse

import numpy as np

import ecalgen
from ecalgen.simulation.calorimeter import AIR, SHASHLIK
from ecalgen.simulation.fast import FastSimulation
from ecalgen.simulation.geant4 import import_geant4, physics_list
from ecalgen.simulation.geometry import Block, make_material

g4 = import_geant4()
ARMS = {"left": (-25.0, 0.0), "right": (25.0, 25.0)}
"""Name -> (angle under which its centre is seen, angle by which it is turned), degrees from the z to the x axis."""
DISTANCE = 2000.0
"""mm, from the origin to the centre of an arm."""
AIM = 100.0
"""mm, half width of the area around the centre of an arm that electrons aim at."""


class Detector(g4.G4VUserDetectorConstruction):
    """A world of air, a plate of aluminium of some thickness (mm, 0 for none), and two arms."""

    def __init__(self, sampler, seed, thickness):
        super().__init__()
        self.sampler, self.seed, self.thickness = sampler, seed, thickness

    def Construct(self):
        self.box = g4.G4Box("World", 3 * g4.m, 3 * g4.m, 3 * g4.m)
        self.world = g4.G4LogicalVolume(self.box, make_material(g4, AIR), "World")
        self.top = g4.G4PVPlacement(None, g4.G4ThreeVector(), self.world, "World", None, False, 0)
        if self.thickness:
            self.plate_box = g4.G4Box("Plate", 1.5 * g4.m, 0.5 * g4.m, 0.5 * self.thickness * g4.mm)
            aluminium = g4.G4NistManager.Instance().FindOrBuildMaterial("G4_Al")
            self.plate = g4.G4LogicalVolume(self.plate_box, aluminium, "Plate")
            position = g4.G4ThreeVector(0, 0, 500 * g4.mm)
            self.placed_plate = g4.G4PVPlacement(None, position, self.plate, "Plate", self.world, False, 0)
        self.blocks, self.placed, self.turns, self.fast = {}, {}, {}, {}
        for name, (_, turned) in ARMS.items():
            block, turn = Block(g4, SHASHLIK, name), g4.G4RotationMatrix()
            turn.rotateY(-turned * g4.deg)  # Geant4 takes the rotation of the frame
            placed = g4.G4PVPlacement(turn, g4.G4ThreeVector(*centre(name)), block.volume, name, self.world, False, 0)
            self.blocks[name], self.turns[name], self.placed[name] = block, turn, placed
            # electrons and positrons of 1 to 100 GeV; all cells are alike, so they may enter anywhere
            self.fast[name] = FastSimulation({"e-": self.sampler, "e+": self.sampler}, placed, self.seed, uniform=True)
        return self.top

    def ConstructSDandField(self):
        for name, block in self.blocks.items():
            block.score(name)


class Actions(g4.G4VUserActionInitialization):
    """Electrons of 1 to 100 GeV into both arms, and the energies of their cells by run, event and arm."""

    def __init__(self, electrons, seed):
        super().__init__()
        self.electrons, self.seed, self.energy = electrons, seed, {}

    def Build(self):
        actions = self

        class Gun(g4.G4VUserPrimaryGeneratorAction):
            def __init__(self):
                super().__init__()
                self.gun = g4.G4ParticleGun(1)
                self.gun.SetParticleDefinition(g4.G4ParticleTable.GetParticleTable().FindParticle("e-"))
                self.gun.SetParticlePosition(g4.G4ThreeVector(0, 0, 0))

            def GeneratePrimaries(self, event):
                run = g4.G4RunManager.GetRunManager().GetCurrentRun().GetRunID()
                rng = np.random.default_rng([actions.seed, event.GetEventID()])  # the same particles in every run
                g4.G4Random.setTheSeed(int(rng.integers(2**31)) + run)
                for number in range(actions.electrons):
                    arm = list(ARMS)[number % 2]
                    aim = centre(arm) + rotated(ARMS[arm][1], [*rng.uniform(-AIM, AIM, 2), -SHASHLIK.length / 2])
                    self.gun.SetParticleMomentumDirection(g4.G4ThreeVector(*(aim / np.linalg.norm(aim))))
                    self.gun.SetParticleEnergy(100 ** rng.random() * g4.GeV)
                    self.gun.GeneratePrimaryVertex(event)

        class Reader(g4.G4UserEventAction):
            def EndOfEventAction(self, event):
                run = g4.G4RunManager.GetRunManager().GetCurrentRun().GetRunID()
                find = g4.G4SDManager.GetSDMpointer().GetCollectionID
                for arm in ARMS:
                    cells = np.zeros(SHASHLIK.shape, np.float32)
                    for cell, energy in event.GetHCofThisEvent().GetHC(find(f"{arm}/energy")):
                        cells.flat[cell] = energy / g4.MeV
                    actions.energy[run, event.GetEventID(), arm] = cells
                    print(f"run {run}, event {event.GetEventID()}, {arm}: {cells.sum() / 1000:.2f} GeV in "
                          f"{(cells > 0).sum()} cells")

        self.gun, self.reader = Gun(), Reader()
        for action in (self.gun, self.reader):
            self.SetUserAction(action)


def rotated(angle, vector):
    """A vector turned by an angle in degrees from the z axis to the x axis."""
    sine, cosine = np.sin(np.radians(angle)), np.cos(np.radians(angle))
    return np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]) @ vector


def centre(arm):
    """Position of the centre of an arm, mm."""
    return rotated(ARMS[arm][0], [0, 0, DISTANCE])


def run(args, full_runs=1):
    """Simulate a run of fast events, and runs of full ones of the same particles.

    Returns:
      (manager, detector, physics, actions), which Geant4 points at.
    """
    detector = Detector(ecalgen.load_sampler(args.model), args.seed, args.plate)
    actions = Actions(args.electrons, args.seed)
    manager, physics = g4.G4RunManagerFactory.CreateRunManager(g4.G4RunManagerType.Serial), physics_list(g4)
    manager.SetVerboseLevel(0)
    for part in (detector, physics, actions):
        manager.SetUserInitialization(part)
    g4.G4UImanager.GetUIpointer().ApplyCommand("/process/em/verbose 0")
    manager.Initialize()
    manager.BeamOn(args.events)
    for fast in detector.fast.values():
        fast.active = False
    for _ in range(full_runs):
        manager.BeamOn(args.full)
    return manager, detector, physics, actions


def make_parser():
    """The options; `--help` explains them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--events", type=int, default=3)
    parser.add_argument("--electrons", type=int, default=100, help="in an event (100)")
    parser.add_argument("--full", type=int, default=0, help="events in full simulation, after the others (0)")
    parser.add_argument("--plate", type=float, default=2.0, help="thickness of the aluminium, mm (2)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="anchored", help="shipped model, or the folder of a run (anchored)")
    return parser


def main(argv=None):
    """Simulate, and print what was replaced and where the time went."""
    kept = run(make_parser().parse_args(argv))
    for arm, fast in kept[1].fast.items():
        print(f"\n{arm} arm\n{fast.statistics}")


if __name__ == "__main__":
    main()
