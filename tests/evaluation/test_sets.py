"""Sets of showers are cut to one size, and know whether they belong to the same particles."""
import dataclasses

import numpy as np

from ecalgen.data.showers import Showers
from ecalgen.evaluation.sets import particle_codes, prepare_sets, same_particles


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
