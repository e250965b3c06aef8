"""Energies of cells, handed to the sensitive detectors of a Geant4 geometry as if particles had deposited them.

A cell gets one step without length, whose touchable is that of its sensitive volume. A hits collection does not tell it
from a step of a particle. Its time and track are those of the first particle that was replaced in the event.
"""
import itertools

import numpy as np

from ecalgen.errors import UserError

DEPTHS = {2: 4000, 3: 400}
"""Axes of a grid -> number of depths at which the sensitive volume of a cell is searched."""


class Cells:
    """The cells of a calorimeter at one place of the world.

    Args:
      g4: the module `geant4_pybind`.
      outwards: `G4AffineTransform` from the centre of the front face, with z into the calorimeter, to the world.
      shape: of the cells, `[nx, ny]` or `[nx, ny, nz]`.
      pitch: of the cells along each axis, cm.
      depth: of the calorimeter, cm.
      name: of the calorimeter, for messages.
    """

    def __init__(self, g4, outwards, shape, pitch, depth, name):
        self._g4, self._outwards, self._shape, self._name = g4, outwards, shape, name
        self._pitch, self._thickness = pitch, pitch[2] if len(shape) == 3 else depth
        self._along = outwards.TransformAxis(g4.G4ThreeVector(0, 0, 1))
        self._navigator = g4.G4Navigator()
        self._navigator.SetWorldVolume(
            g4.G4TransportationManager.GetTransportationManager().GetNavigatorForTracking().GetWorldVolume())
        self._found = []

    def hit(self, energy, step):
        """Hit the cells above 0 MeV.

        Args:
          energy: `[*shape]` MeV.
          step: a `G4Step` of the application's own, whose touchable this changes.

        Raises:
          UserError: a cell without a sensitive detector.
        """
        touchable = step.GetPreStepPoint().GetTouchable()
        if not self._found:
            self._found = self._find(touchable)
        flat = energy.ravel()
        for cell in np.flatnonzero(flat > 0).tolist():
            position, detector = self._found[cell]
            self._navigator.LocateGlobalPointAndUpdateTouchable(position, self._along, touchable, False)
            step.SetTotalEnergyDeposit(flat[cell] * self._g4.MeV)
            detector.Hit(step)

    def _find(self, touchable):
        """(position in the world, sensitive detector) of each of the flattened cells."""
        columns = [((np.arange(count) - (count - 1) / 2) * pitch).tolist()
                   for count, pitch in zip(self._shape[:2], self._pitch, strict=False)]
        layers = self._shape[2] if len(self._shape) == 3 else 1
        guess, found = [0.0] * layers, []
        for x in columns[0]:
            for y in columns[1]:
                for layer in range(layers):
                    guess[layer], cell = self._sensitive(x, y, layer, guess[layer], touchable)
                    found.append(cell)
        return found

    def _sensitive(self, x, y, layer, guess, touchable):
        """(depth, cell) at the guessed depth, else at the first sensitive one of the layer; lengths in cm."""
        count = DEPTHS[len(self._shape)]
        depths = (self._thickness * (layer + (step + 0.5) / count) for step in range(count))
        for depth in itertools.chain([guess], depths):
            position = self._outwards.TransformPoint(self._g4.G4ThreeVector(x, y, depth) * self._g4.cm)
            self._navigator.LocateGlobalPointAndUpdateTouchable(position, self._along, touchable, False)
            detector = touchable.GetVolume().GetLogicalVolume().GetSensitiveDetector()
            if detector is not None and depth:
                return depth, (position, detector)
        raise UserError(f"the cell of {self._name} at x = {x:g} cm, y = {y:g} cm has no sensitive volume "
                        f"from {self._thickness * layer:g} to {self._thickness * (layer + 1):g} cm of depth; set the "
                        "sensitive detectors of all its cells")
