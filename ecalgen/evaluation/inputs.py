"""The files of an evaluation: units and axes of each are found, and what was done about them is told."""
import warnings

import numpy as np

from ecalgen.data.files.formats import load_showers
from ecalgen.data.files.orientation import Conventions, energy_units, standardise
from ecalgen.data.showers import BadShowers


def load_sets(real, generated, reference=None, repeated=None):
    """The showers of two to four files, of any of the formats and not necessarily the same one.

    Args:
      real, reference, repeated: paths of real showers, in any units and axes that the showers themselves prove.
      generated: path of generated ones. Where these contradict their particles in all units and axes, as those of a
        poor generator may, they are judged as they are.

    Returns:
      (real, generated, reference or None, repeated or None) and a list of what was converted, or could not be known.

    Raises:
      BadShowers: for a file that cannot be read, or real showers that contradict their particles.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        others = (load_showers(path) if path else None for path in (reference, repeated))
        sets = load_showers(real), _load_generated(generated), *others
    return sets, [str(warning.message) for warning in caught if issubclass(warning.category, UserWarning)]


def _load_generated(path):
    try:
        return load_showers(path)
    except BadShowers:
        showers = load_showers(path, conventions="as_is")
        showers, converted = _by_their_sums(showers)
        done = f"{'; '.join(converted)}, and otherwise judged" if converted else "judged"
        warnings.warn(f"{path}: the generated showers follow their particles in no units and axes; {done} as they are, "
                      "taken for MeV, GeV, cm and cells [ix, iy]", stacklevel=2)
        return showers


def _by_their_sums(showers):
    """In MeV and GeV, where summed cells and the energies of the particles leave no doubt, and what was converted."""
    try:
        cells, momentum = energy_units(showers.energy.sum((1, 2)), np.linalg.norm(showers.momentum, axis=1))
    except BadShowers:
        return showers, ()
    return standardise(showers, Conventions(cells=cells, momentum=momentum))
