"""The showers that an evaluation judges: they are checked before any long work, and cut to one size."""
import numpy as np

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.showers import Showers, same_particles, slopes
from ecalgen.evaluation.metrics.features import BOUND
from ecalgen.evaluation.metrics.prd import PROTOCOLS
from ecalgen.evaluation.metrics.registry import EvaluationError, Sets

LEAST = 20
"""Smallest number of showers of a set; fewer do not suffice to train the classifiers."""
STEEPEST = 1e4
"""Largest slope of a track; steeper ones make the metrics overflow."""


def prepare_sets(real, generated, reference, repeated, clusters, protocol):
    """Check the showers and cut every set to the size of the smallest.

    Args:
      real, generated: `Showers`.
      reference, repeated: `Showers` or None. Without a reference, the second half of `real` is taken.
      clusters: of the PRD.
      protocol: whose clusters these are; empty for others.

    Returns:
      `Sets`.

    Raises:
      EvaluationError: as `evaluate` describes.
    """
    check_showers(real=real, generated=generated, reference=reference, repeated=repeated)
    training, half = reference, len(real) // 2
    if reference is None:
        real, reference = real[:half], real[half:]
    count = min(len(real), len(generated), len(reference))
    _check_count(count, clusters, protocol, real.grid, has_reference=training is not None)
    real, generated, reference = (showers[:count] for showers in (real, generated, reference))
    if repeated is not None:
        repeated = repeated[:count]
        _check_repeated(real, generated, repeated, clusters)
    return Sets(real, generated, reference, repeated, training)


def check_showers(**sets):
    """Refuse sets that cannot be judged; `reference` and `repeated` may be None."""
    for name, showers in sets.items():
        if showers is None and name in ("reference", "repeated"):
            continue
        if not isinstance(showers, Showers):
            raise EvaluationError(f"{name} is of type {type(showers).__name__}, not Showers; make them with "
                                  "ecalgen.Showers(energy, momentum, point) or ecalgen.load_showers(path)")
        if not showers.energy.any():
            raise EvaluationError(f"the {name} showers hold no energy in any cell; there is nothing to judge")
        _check_slopes(name, showers)
        if showers.grid != sets["real"].grid:
            raise EvaluationError(f"the {name} showers have {showers.grid}, and the real ones {sets['real'].grid}; "
                                  "give showers of one calorimeter, each file with its grid")


def particle_codes(sets):
    """{set: its particle codes}, with None where these are not known."""
    return {name: None if showers.pdg is None else sorted(set(np.asarray(showers.pdg).tolist()))
            for name, showers in zip(sets._fields[:3], sets[:3], strict=True)}


def _check_slopes(name, showers):
    steepness = np.abs(slopes(showers.momentum.astype(np.float64))).max(axis=1)
    if (steepness > STEEPEST).any():
        event = int((steepness > STEEPEST).argmax())
        raise EvaluationError(f"the {name} showers: the slope of the track is {steepness[event]:.3g} in event {event}, "
                              f"beyond {STEEPEST:g}; leave such events out")


def _check_count(count, clusters, protocol, grid, has_reference):
    """Refuse fewer showers than the classifiers or the clusters need."""
    least = _least(clusters)
    if count >= least:
        return
    if 2 * count >= clusters:
        raise EvaluationError(f"{count} showers a set are too few to judge; give at least {LEAST} generated and "
                              f"{LEAST if has_reference else f'{2 * LEAST} (or {LEAST} and a reference of as many)'} "
                              "real ones")
    real = least if has_reference else f"{2 * least} (or {least} and a reference of as many)"
    whose = f"those of the protocol {protocol!r}: " if protocol else "as asked for: "
    others = [f"{name} ({settings.clusters})" for name, settings in PROTOCOLS.items()
              if settings.clusters < clusters and (grid.shape == SHASHLIK.shape or not {*BOUND} & {*settings.features})]
    raise EvaluationError(f"{count} showers a set cannot fill {clusters} clusters, {whose}give "
                          f"at least {least} generated and {real} real ones"
                          + (f", or a --protocol of fewer clusters: {', '.join(others)}" if others else ""))


def _check_repeated(real, generated, repeated, clusters):
    """Refuse repeated showers of other particles than the first ones of both other sets, or too few for the PRD."""
    count = len(repeated)
    if not same_particles(real[:count], repeated):
        raise EvaluationError(f"the repeated showers belong to other particles than the first {count} real ones; make "
                              "them anew at the momenta and points of these, in their order")
    if (real.energy[:count] == repeated.energy).all():
        raise EvaluationError("the repeated showers are the real ones themselves; let Geant4 make their particles "
                              "again, with other random numbers")
    if not same_particles(real[:count], generated[:count]):
        raise EvaluationError("repeated showers need generated ones at the particles of the real showers, one by one; "
                              "generate at their momenta and points, or leave the repeated showers out")
    if count < _least(clusters):
        raise EvaluationError(f"{count} repeated showers are too few for {clusters} clusters; give at least "
                              f"{_least(clusters)}")


def _least(clusters):
    """Showers that each of two sets needs to fill the clusters."""
    return max(-(-clusters // 2), LEAST)
