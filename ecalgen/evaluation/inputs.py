"""The files of an evaluation: units and axes of each are found, and what was done about them is told."""
import warnings

from ecalgen.data.formats import load_showers
from ecalgen.data.showers import BadShowers


def load_sets(real, generated, reference=None):
    """The showers of two or three files, of any of the formats and not necessarily the same one.

    Args:
      real, reference: paths of real showers, in any units and axes that the showers themselves prove.
      generated: path of generated ones. Where these contradict their particles in all units and axes, as those of a
        poor generator may, they are judged as they are.

    Returns:
      (real, generated, reference or None) and a list of what was converted, or could not be known.

    Raises:
      BadShowers: for a file that cannot be read, or real showers that contradict their particles.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        sets = load_showers(real), _load_generated(generated), load_showers(reference) if reference else None
    return sets, [str(warning.message) for warning in caught if issubclass(warning.category, UserWarning)]


def _load_generated(path):
    try:
        return load_showers(path)
    except BadShowers:
        showers = load_showers(path, conventions="as_is")
        warnings.warn(f"{path}: the generated showers follow their particles in no units and axes; judged as they are, "
                      "taken for MeV, GeV, cm and cells [ix, iy]", stacklevel=2)
        return showers
