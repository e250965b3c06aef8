"""Generated showers inside a Geant4 application, in place of the particles that enter its calorimeter.

A plate of a micrometre lies in front of the calorimeter. A particle that crosses it inwards stops there if the
generator knows such particles. At the end of the event one call makes the showers of all of them. The energies of their
cells are then handed to the calorimeter's own sensitive detectors, before `EndOfEventAction` reads the hits. Everything
else stays with Geant4.
"""
import collections
import dataclasses
import math
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ecalgen.errors import UserError
from ecalgen.machine.seeds import SEEDS, whole
from ecalgen.simulation.acceptance import Acceptance, add_at, event_seed
from ecalgen.simulation.beam import PARTICLES
from ecalgen.simulation.deposits import Cells

PLATE = 1e-3
"""mm, thickness of the plate in front of the calorimeter."""


@dataclasses.dataclass
class Statistics:
    """What became of the particles that entered a calorimeter, and how long it took.

    Attributes:
      events: number of events.
      replaced: number of particles whose showers were generated.
      energy: their energy in all, GeV.
      left: {reason: number of particles that stayed with Geant4}, by kind, energy, direction or position.
      tracking, sampling, depositing: seconds in Geant4 for the whole event, in this calorimeter's generator, and for
        handing over its cells.
      full_events, full_energy, full_seconds: number, energy and duration of the events in full simulation; the energy
        is that of the particles which would have been replaced, in all calorimeters of the process.
    """

    events: int = 0
    replaced: int = 0
    energy: float = 0.0
    left: dict[str, int] = dataclasses.field(default_factory=dict)
    tracking: float = 0.0
    sampling: float = 0.0
    depositing: float = 0.0
    full_events: int = 0
    full_energy: float = 0.0
    full_seconds: float = 0.0

    @property
    def in_full(self) -> float:
        """Seconds that the replaced energy would have taken, as in the events in full simulation; NaN without any."""
        return self.energy * self.full_seconds / self.full_energy if self.full_energy else math.nan

    def __str__(self):
        left = ", ".join(f"{number:,} for their {reason}" for reason, number in sorted(self.left.items())) or "none"
        lines = [f"{self.events:,} events, {self.replaced:,} particles replaced, of {self.energy:,.0f} GeV in all",
                 f"left to Geant4: {left}",
                 f"seconds: {self.tracking:.2f} tracking of the whole events, {self.sampling:.2f} sampling, "
                 f"{self.depositing:.2f} handing over the cells"]
        if self.full_energy:
            lines.append(f"in full simulation: about {self.in_full:,.1f} s, from {self.full_events:,} such events")
        return "\n".join(lines)


class FastSimulation:
    """A calorimeter of a Geant4 application whose showers are generated. Make it in `Construct`, and keep it.

    Making it compiles the sampler's programs, which takes half a minute unless `ecalgen warmup` has compiled them. It
    takes position and rotation from the placement, also where the mother volume is itself placed several times. The
    mother volume must be empty for a micrometre in front of the front face. Showers depend only on their particles, the
    seed, the name of the calorimeter, the numbers of run and event, and the order in which particles enter. Particles
    that would leave the calorimeter are not generated.

    Args:
      samplers: {one of `beam.PARTICLES`: a `Sampler` trained on it}. One trained on electrons serves positrons, too;
        photons need one of their own. All have the same cells.
      placed: the `G4PVPlacement` of the calorimeter, a `G4Box` with the front face at -z. Its cells touch, fill it
        along x and y, and have sensitive detectors. A cell of the generator is hit in the first sensitive volume behind
        its front.
      seed: whole number from 0 to 2^64 - 1.
      uniform: whether all cells are alike, so that showers may be moved by whole cells. Particles may then enter
        anywhere, and the calorimeter may have more cells than the generator, or fewer. Otherwise it has the same cells.

    Attributes:
      statistics: the `Statistics`.
      active: whether particles are replaced. Without it, Geant4 simulates them in full, and the statistics measure how
        long that takes.

    Raises:
      UserError: samplers or a volume that cannot be; and, at the end of an event, cells without a sensitive detector.
    """

    _ending = 0.0
    """Seconds for which calorimeters of this process have made showers; none of them counts these as tracking."""
    _statistics: ClassVar[list[Statistics]] = []
    """Of all calorimeters of this process."""

    def __init__(self, samplers: Mapping, placed: Any, seed: int = 0, uniform: bool = False):
        import geant4_pybind as g4
        self._g4, self._seed, self._name = g4, whole("seed", seed, SEEDS), str(placed.GetName())
        solid, self._samplers = _box_of(placed), dict(samplers)
        _check(self._samplers)
        self._depth = 2 * solid.GetZHalfLength() / g4.cm
        sides = [2 * half / g4.cm for half in (solid.GetXHalfLength(), solid.GetYHalfLength())]
        self._accepted = {name: Acceptance(sampler.card["trained_on"], sampler.grid, sides, uniform)
                          for name, sampler in self._samplers.items()}
        for sampler in self._different():
            sampler.compile()
        self.statistics, self.active = Statistics(), True
        FastSimulation._statistics.append(self.statistics)
        self._places, self._waiting, self._step = {}, [], None
        self._keep = self._watch_front(placed, solid)

    def _different(self):
        """The samplers, each once."""
        return list({id(sampler): sampler for sampler in self._samplers.values()}.values())

    def _watch_front(self, placed, solid):
        """Place the plate in front of the calorimeter, and see what crosses it."""
        g4, fast, mother, name = self._g4, self, placed.GetMotherLogical(), f"{self._name}Front"
        box = g4.G4Box(name, solid.GetXHalfLength(), solid.GetYHalfLength(), PLATE / 2)
        plate = g4.G4LogicalVolume(box, mother.GetMaterial(), name)
        shift = placed.GetObjectRotationValue().colZ() * (-solid.GetZHalfLength() - PLATE / 2)  # along its axis
        front = g4.G4PVPlacement(placed.GetRotation(), placed.GetTranslation() + shift, plate, name, mother, False,
                                 placed.GetCopyNo())

        class Front(g4.G4VSensitiveDetector):
            def Initialize(self, hits):
                fast._begin()

            def ProcessHits(self, step, history):
                return fast._enter(step)

            def EndOfEvent(self, hits):
                fast._end()

        detector = Front(f"ecalgen/{name}")  # detectors in a folder end before the others, which so see all hits
        g4.G4SDManager.GetSDMpointer().AddNewDetector(detector)
        plate.SetSensitiveDetector(detector)
        return box, plate, front, detector

    def _begin(self):
        self._waiting, self._step = [], None
        self._started = time.perf_counter() - FastSimulation._ending

    def _enter(self, step):
        """Keep a particle that enters for the end of the event, and stop it, if the generator knows such particles."""
        g4, before, track = self._g4, step.GetPreStepPoint(), step.GetTrack()
        inwards = before.GetTouchable().GetHistory().GetTopTransform()  # from the world to the plate
        momentum, point = inwards.TransformAxis(before.GetMomentum()), inwards.TransformPoint(before.GetPosition())
        if momentum.z <= 0 or before.GetStepStatus() != g4.G4StepStatus.fGeomBoundary:
            return False
        momentum = [component / g4.GeV for component in (momentum.x, momentum.y, momentum.z)]
        point = point.x / g4.cm, point.y / g4.cm
        name, first = str(track.GetDefinition().GetParticleName()), None
        reason = "kind" if name not in self._samplers or before.GetWeight() != 1 else ""
        if not reason:
            reason, first, point = self._accepted[name].place(momentum, point)
        if reason:
            if self.active:
                self.statistics.left[reason] = self.statistics.left.get(reason, 0) + 1
            return False
        self._waiting.append((name, self._place(inwards), first, momentum, point))
        if self.active:
            if self._step is None:
                self._step = g4.G4Step()
                self._step.InitializeStep(track)
            track.SetTrackStatus(g4.G4TrackStatus.fStopAndKill)
        return True

    def _place(self, inwards):
        """The `Cells` behind a plate, of which a mother volume that is placed several times has several."""
        centre = inwards.NetTranslation()
        key = centre.x, centre.y, centre.z
        if key not in self._places:
            accepted = next(iter(self._accepted.values()))
            self._places[key] = Cells(self._g4, inwards.Inverse(), accepted.shape, accepted.grid.pitch, self._depth,
                                      self._name)
        return self._places[key]

    def _end(self):
        """Make the showers of an event, and hand over their cells."""
        counts, ended = self.statistics, time.perf_counter()
        tracking = ended - FastSimulation._ending - self._started
        energy = sum(math.hypot(*momentum) for _, _, _, momentum, _ in self._waiting)
        if not self.active:
            counts.full_events += 1
            for every in FastSimulation._statistics:
                every.full_energy += energy
            counts.full_seconds += tracking
            return
        deposits = self._generate() if self._waiting else {}
        made = time.perf_counter()
        for place, cells in deposits.items():
            place.hit(cells, self._step)
        counts.events += 1
        counts.replaced += len(self._waiting)
        counts.energy += energy
        counts.tracking += tracking
        counts.sampling += made - ended
        counts.depositing += time.perf_counter() - made
        FastSimulation._ending += time.perf_counter() - ended

    def _generate(self):
        """{`Cells`: their energies, MeV}; one call for each sampler."""
        manager, number = self._g4.G4RunManager.GetRunManager(), 0
        run, event = manager.GetCurrentRun().GetRunID(), manager.GetCurrentEvent().GetEventID()
        seed = event_seed(self._seed, run, event, self._name)
        shape = next(iter(self._accepted.values())).shape
        deposits = collections.defaultdict(lambda: np.zeros(shape))
        for sampler in self._different():
            entered = [entry for entry in self._waiting if self._samplers[entry[0]] is sampler]
            if entered:
                _, places, firsts, momentum, point = zip(*entered, strict=True)
                showers = sampler(np.array(momentum), np.array(point), seed=seed, first=number)
                for place, first, shower in zip(places, firsts, showers, strict=True):
                    add_at(deposits[place], shower, first)
                number += len(entered)
        return deposits


def _box_of(placed):
    """The box that the calorimeter is."""
    if placed.GetMotherLogical() is None:
        raise UserError(f"{placed.GetName()} is the world itself; place the calorimeter inside another volume, from "
                        "which particles enter it")
    solid = placed.GetLogicalVolume().GetSolid()
    if not hasattr(solid, "GetXHalfLength"):
        raise UserError(f"{placed.GetName()} is a {type(solid).__name__}; give a volume that is a G4Box")
    return solid


def _check(samplers):
    """Refuse samplers that cannot serve one calorimeter."""
    if not samplers:
        raise UserError("no sampler is given; give {'e-': sampler}")
    if unknown := set(samplers) - set(PARTICLES):
        raise UserError(f"no particle is called {sorted(unknown)[0]!r}; there are {', '.join(PARTICLES)}")
    if len(cells := {(sampler.grid.shape, sampler.grid.pitch) for sampler in samplers.values()}) > 1:
        raise UserError(f"the samplers have {len(cells)} kinds of cells; give samplers of one calorimeter")
