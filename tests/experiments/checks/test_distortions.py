"""Showers are spoiled by what the name says, and by nothing else."""
import numpy as np
import pytest

from ecalgen.data.observables import observables
from ecalgen.data.showers import incident_energy
from ecalgen.evaluation.metrics.memorisation import nearest_distances


@pytest.fixture
def distortions(experiment):
    return experiment("checks.distortions")


@pytest.fixture
def sets(showers):
    return showers[:200], showers[200:]


def values(showers, name):
    return np.asarray(observables(showers.energy, showers.momentum, showers.point)[name])


def test_every_distortion_keeps_the_number_of_showers_and_what_it_was_given(distortions, sets):
    ours, training = sets
    before = [array.copy() for showers in sets for array in (showers.energy, showers.momentum, showers.point)]
    for name, (distort, amount) in distortions.DISTORTIONS.items():
        spoiled = distort(ours, training, np.random.default_rng(0), amount)
        assert len(spoiled) == len(ours), name
        same = np.array_equal(spoiled.energy, ours.energy) and np.array_equal(spoiled.momentum, ours.momentum)
        assert same == (name == distortions.NONE), name
    after = [array for showers in sets for array in (showers.energy, showers.momentum, showers.point)]
    assert all(map(np.array_equal, before, after))


def test_noise_is_of_the_share_asked_for(distortions, sets):
    spoiled = distortions.cell_noise(*sets, np.random.default_rng(0), 0.1)
    lit = sets[0].energy > 0
    ratio = spoiled.energy[lit] / sets[0].energy[lit]
    assert ratio.mean() == pytest.approx(1, abs=0.005) and ratio.std() == pytest.approx(0.1, rel=0.03)


def test_energies_alone_are_scaled(distortions, sets):
    spoiled = distortions.energy_scale(*sets, None, 0.03)
    before, after = (values(showers, "visible_fraction") for showers in (sets[0], spoiled))
    np.testing.assert_allclose(after, 1.03 * before, rtol=1e-5)


def test_widths_grow_and_energies_and_hits_stay(distortions, sets):
    spoiled = distortions.width(*sets, None, 0.05)
    both = lambda showers: np.mean([values(showers, f"{name}_width").mean() for name in ("longitudinal", "transverse")])
    assert both(spoiled) / both(sets[0]) == pytest.approx(1.05, abs=0.002)
    np.testing.assert_allclose(spoiled.energy.sum((1, 2)), sets[0].energy.sum((1, 2)), rtol=1e-4)
    np.testing.assert_array_equal(spoiled.energy > 0, sets[0].energy > 0)


def test_the_halo_goes_and_the_rest_stays(distortions, sets):
    spoiled = distortions.halo(*sets, None, 0.001)
    share = sets[0].energy / sets[0].energy.sum((1, 2), keepdims=True)
    np.testing.assert_array_equal(spoiled.energy, np.where(share < 0.001, 0, sets[0].energy))


def test_one_cell_off_by_hand(distortions, sets):
    spoiled = distortions.shifted(*sets, np.random.default_rng(0), 0.05)
    moved = np.any(spoiled.energy != sets[0].energy, axis=(1, 2))
    assert moved.sum() == 10
    np.testing.assert_array_equal(spoiled.energy[moved][:, 1:], sets[0].energy[moved][:, :-1])


def test_no_long_showers_are_left_and_energies_are_as_before(distortions, sets):
    spoiled = distortions.dropped_mode(*sets, None, 0.2)
    assert values(spoiled, "longitudinal_width").max() <= np.quantile(values(sets[0], "longitudinal_width"), 0.8) + 1e-3
    ratio = np.asarray(incident_energy(spoiled.momentum)) / np.asarray(incident_energy(sets[0].momentum))
    assert np.mean(np.abs(np.log(ratio))) < 0.05


def test_few_showers_are_repeated(distortions, sets):
    assert len(np.unique(distortions.few(*sets, None, 0.1).energy, axis=0)) == 20


def test_copies_come_with_their_particles(distortions, sets):
    spoiled = distortions.copies(*sets, np.random.default_rng(0), 0.1)
    copied = nearest_distances(spoiled, sets[1]) < 1e-3
    assert copied.sum() == 20
    for energy, momentum in zip(spoiled.energy[copied], spoiled.momentum[copied], strict=True):
        i = np.flatnonzero((sets[1].energy == energy).all((1, 2)))
        assert i.size and np.array_equal(sets[1].momentum[i[0]], momentum)


def test_directions_are_swapped_between_showers_of_alike_energy(distortions, sets):
    spoiled = distortions.swapped(*sets, np.random.default_rng(0), 1)
    assert np.any(spoiled.energy != sets[0].energy, axis=(1, 2)).all()
    np.testing.assert_array_equal(np.sort(spoiled.energy.sum((1, 2))), np.sort(sets[0].energy.sum((1, 2))))
    assert np.median(np.abs(values(spoiled, "visible_fraction") / values(sets[0], "visible_fraction") - 1)) < 0.1


def test_cells_of_other_showers_keep_their_mean_and_lose_what_they_share(distortions, sets):
    spoiled = distortions.uncorrelated(*sets, np.random.default_rng(0), 1)
    share = lambda showers: (showers.energy / sets[0].energy.sum((1, 2), keepdims=True))[:, 13:17, 13:17].reshape(
        200, 16)
    assert share(spoiled).mean() == pytest.approx(share(sets[0]).mean(), rel=0.1)
    assert share(spoiled).sum(axis=1).std() > 3 * share(sets[0]).sum(axis=1).std()
