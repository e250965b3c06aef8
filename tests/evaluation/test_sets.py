"""Sets of showers are cut to one size, and know whether they belong to the same particles."""
import dataclasses

import numpy as np
import pytest

from ecalgen.data.grid import Grid
from ecalgen.data.showers import Showers, same_particles
from ecalgen.evaluation.metrics.registry import EvaluationError
from ecalgen.evaluation.sets import particle_codes, prepare_sets


def test_all_sets_are_as_large_as_the_smallest(showers):
    sets = prepare_sets(showers[:50], showers[50:90], showers[90:200], None, 10, "")
    assert [len(some) for some in sets[:3]] == [40, 40, 40] and len(sets.training) == 110


def test_without_reference_the_second_half_is_one(showers):
    sets = prepare_sets(showers[:81], showers[100:200], None, None, 10, "")
    assert (sets.real.energy == showers.energy[:40]).all() and (sets.reference.energy == showers.energy[40:80]).all()
    assert sets.training is None


def test_the_same_particles_in_the_same_order(showers):
    assert same_particles(showers[:9], Showers(2 * showers.energy[:9], showers.momentum[:9], showers.point[:9]))
    assert not same_particles(showers[:9], showers[:8]) and not same_particles(showers[:9], showers[:9][::-1])


def test_codes_of_the_particles(showers):
    mixed = dataclasses.replace(showers[:40], pdg=np.where(np.arange(40) % 2, 22, 11))
    sets = prepare_sets(showers[:40], mixed, showers[40:80], None, 10, "")
    assert particle_codes(sets) == {"real": [11], "generated": [11, 22], "reference": [11]}


def test_sets_of_two_calorimeters_are_refused(showers):
    grid = Grid((24, 20), (2.02, 2.02), 15.0)
    cut = dataclasses.replace(showers[:40], energy=showers.energy[:40, 3:27, 5:25], grid=grid)
    with pytest.raises(EvaluationError, match="generated showers have 24 x 20 cells .*, and the real ones 30 x 30"):
        prepare_sets(showers[40:80], cut, showers[80:120], None, 10, "")
    wide = dataclasses.replace(showers[:40], grid=Grid((30, 30), (4.04, 4.04), 15.0))
    with pytest.raises(EvaluationError, match="reference showers have 30 x 30 cells of 4.04"):
        prepare_sets(showers[40:80], showers[:40], wide, None, 10, "")
