"""Load the files of an evaluation, find their units and axes, and list what was converted."""
import warnings

import numpy as np

from ecalgen.data.files.formats import load_showers
from ecalgen.data.files.orientation import Conventions, energy_units, standardise
from ecalgen.data.showers import BadShowers


def load_sets(real, generated, reference=None, repeated=None):
    """The showers of two to four files, each in any of the formats.

    Args:
      real, reference, repeated: paths of real showers, whose units and axes can be inferred from the showers.
      generated: path of generated showers. If these contradict their particles in all units and axes, as those of a
        poor generator may, they are judged as they are.

    Returns:
      (real, generated, reference or None, repeated or None) and a list of what was converted, or could not be inferred.

    Raises:
      BadShowers: a file cannot be read, or real showers contradict their particles.
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
    """Showers in MeV and GeV if sums of cells and energies of particles prove the units, and what was converted."""
    try:
        total = showers.energy.reshape(len(showers), -1).sum(axis=1)
        cells, momentum = energy_units(total, np.linalg.norm(showers.momentum, axis=1))
    except BadShowers:
        return showers, ()
    return standardise(showers, Conventions(cells=cells, momentum=momentum))
