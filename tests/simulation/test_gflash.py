"""gflash: materials and formulae by hand, distributions against SciPy, symmetries, leakage, and real showers."""
import dataclasses
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from ecalgen.data.observables import observables
from ecalgen.data.showers import BadShowers
from ecalgen.errors import UserError
from ecalgen.simulation.calorimeter import CALORIMETERS, LAYERED, SHASHLIK
from ecalgen.simulation.gflash import (
    PAPER,
    SHASHLIK_TUNING,
    Gflash,
    Tuning,
    draw_profile,
    from_axis,
    gamma_quantile,
    make_gflash,
    radial_profile,
    spot_numbers,
    spots,
)
from ecalgen.simulation.material import effective_layer

COUNT, FEW = 256, 32
DEEP = dataclasses.replace(SHASHLIK, name="deep", cells_per_module=1, module_width=4000.0, layers=200, read_depth=True)
"""Holds every shower, and reads out its depth."""
LAYER = effective_layer(SHASHLIK)


def beam(energy=10.0, slope=(0.0, 0.0), point=(0.0, 0.0), count=COUNT):
    direction = np.array([*slope, 1.0]) / np.sqrt(1 + slope[0] ** 2 + slope[1] ** 2)
    return np.tile(energy * direction, (count, 1)).astype(np.float32), np.tile(point, (count, 1)).astype(np.float32)


def deep(tuning, energy=10.0, photon=False, seed=0):
    return np.asarray(make_gflash(DEEP, tuning, photon)(jax.random.key(seed), *beam(energy))).sum((1, 2))


def test_longitudinal_formulae_by_hand():
    log_y = np.log(10_000 / LAYER.critical)
    maximum = log_y - 0.812 - 0.55 / LAYER.frequency - 0.69 * (1 - LAYER.e_hat)
    alpha = 0.81 + (0.458 + 2.26 / LAYER.z) * log_y - 0.476 / LAYER.frequency
    energy = jnp.full(20_000, 10.0)
    profile = draw_profile(PAPER, LAYER, energy, jax.random.normal(jax.random.key(0), (20_000, 2)))
    logs = np.log([profile.maximum, profile.alpha])
    np.testing.assert_allclose(logs.mean(1), np.log([maximum, alpha]), atol=0.01)
    np.testing.assert_allclose(logs.std(1), [1 / (-2.5 + 1.25 * log_y), 1 / (-0.82 + 0.79 * log_y)], rtol=0.02)
    assert np.corrcoef(logs)[0, 1] == pytest.approx(0.784 - 0.023 * log_y, abs=0.02)


def test_radial_formulae_by_hand():
    """At the maximum of 10 GeV, the homogeneous and the sampling terms worked out term by term."""
    thin, inverse, z = 1 - LAYER.e_hat, 1 / LAYER.frequency, LAYER.z
    core, tail, weight = radial_profile(PAPER, LAYER, jnp.array([10.0]), jnp.array([1.0]))
    assert core[0] == pytest.approx(0.0251 + 0.00319 * 2.3026 + 0.1162 - 0.000381 * z - 0.0203 * thin
                                    + 0.0397 * inverse * 0.36788, rel=1e-4)
    assert tail[0] == pytest.approx((0.659 - 0.00309 * z) * (np.exp(-2.59 * 0.355) + np.exp(0.45337 * 0.355))
                                    - 0.14 * thin - 0.495 * inverse * 0.36788, rel=1e-4)
    bend = (0.401 + 0.00187 * z - 1) / (1.313 - 0.0686 * 2.3026)
    assert weight[0] == pytest.approx((2.632 - 0.00094 * z) * np.exp(bend - np.exp(bend))
                                      + thin * (0.348 - 0.642 * inverse), rel=1e-4)


@pytest.mark.parametrize("shape", [0.3, 0.75, 2.0, 4.7, 12.0])
def test_gamma_quantiles(shape):
    u = np.array([1e-3, 0.01, 0.1, 0.3, 0.5, 0.8, 0.99, 0.9999], np.float32)
    ours = gamma_quantile(jnp.full(len(u), shape), u)
    np.testing.assert_allclose(ours, stats.gamma.ppf(u.astype(np.float64), shape), rtol=0.015, atol=1e-4)


def test_depth_is_gamma_distributed():
    energy = deep(PAPER._replace(spread=0.0)).mean(0)
    profile = draw_profile(PAPER._replace(spread=0.0), LAYER, jnp.array([10.0]), jnp.zeros((1, 2)))
    edges = 0.1 * DEEP.layer * np.arange(DEEP.layers + 1) / LAYER.x0
    expected = stats.gamma.cdf(edges, float(profile.alpha[0]), scale=1 / float(profile.beta[0]))
    np.testing.assert_allclose(np.cumsum(energy) / energy.sum(), expected[1:], atol=0.004)


def test_all_energy_is_seen_and_fluctuates_as_asked():
    for tuning, fano in ((PAPER, 0.0), (PAPER._replace(resolution=1.5, spot_fano=0.5, response=1.1), 0.5)):
        total = np.concatenate([deep(tuning._replace(spot_fano=fano), seed=seed).sum(1) for seed in range(4)]) / 10_000
        c = tuning.resolution * LAYER.resolution / np.sqrt(10)
        assert total.mean() == pytest.approx(tuning.response * LAYER.visible, rel=4 * c / np.sqrt(len(total)))
        assert total.std() / total.mean() == pytest.approx(c, rel=0.1)


def test_number_of_spots_is_the_papers():
    number, shape = spot_numbers(PAPER, LAYER, jnp.array([1.0, 10.0]))
    np.testing.assert_allclose(number, 10.3 / LAYER.resolution * np.array([1, 10**0.959]), rtol=1e-4)
    np.testing.assert_allclose(1 / shape / number, LAYER.resolution**2 / np.array([1, 10]), rtol=1e-4)


def test_photons_start_later():
    tuning = PAPER._replace(spread=0.0)
    depth = 0.1 * DEEP.layer * (np.arange(DEEP.layers) + 0.5) / LAYER.x0
    electron, photon = (np.concatenate([deep(tuning, photon=photon, seed=seed) for seed in range(6)])
                        for photon in (False, True))
    centre = lambda energy: energy @ depth / energy.sum(1)
    delay = centre(photon) - centre(electron)
    assert delay.mean() == pytest.approx(9 / 7, abs=3.5 * 9 / 7 / np.sqrt(6 * COUNT))
    assert stats.kstest(delay[delay > 0.2], "expon", (0.2, 9 / 7)).pvalue > 1e-3  # the same spots, only deeper


@pytest.mark.parametrize(("weight", "power"), [(100.0, 1.0), (1.0, 1.0), (0.0, 1.7)])
def test_radii_of_core_and_tail(weight, power):
    """Spots of one shower along z: the distribution function of both components, 1 - (1 + r^2)^-q, is uniform."""
    size, tuning = 20_000, Tuning(weight=weight, tail_power=power, weight_log=-0.3 * (weight == 0))
    energy = jnp.full(size, 30.0)
    profile = draw_profile(tuning, LAYER, energy, jnp.zeros((size, 2)))
    one = jnp.ones(size)
    shower = dict(profile=profile, start=0 * one, shape=one, scale=one, width=one, point=jnp.zeros((size, 2)),
                  direction=jnp.tile(jnp.array([0.0, 0.0, 1.0]), (size, 1)),
                  key=jnp.tile(jax.random.key_data(jax.random.key(5))[None], (size, 1)))
    (x, y, z), energy_of_spot = spots(tuning, LAYER, shower, jnp.arange(size))
    tau = z / LAYER.x0 * profile.beta / profile.alpha * profile.centre
    core, tail, share = radial_profile(tuning, LAYER, energy, tau)
    below = lambda radius, q: 1 - (1 + (x**2 + y**2) / radius**2) ** -q
    assert stats.kstest(np.asarray(share * below(core, 1) + (1 - share) * below(tail, power)), "uniform").pvalue > 1e-3
    assert weight == 1 or np.unique(share) == [weight > 0]
    assert stats.kstest(np.arctan2(y, x), "uniform", (-np.pi, 2 * np.pi)).pvalue > 1e-3
    assert stats.kstest(np.asarray(energy_of_spot), "expon").pvalue > 1e-3


def test_spots_lie_across_the_axis():
    direction = np.array([[0.3, -0.4, 0.866], [0.0, 0.0, 1.0]]) / np.array([[np.linalg.norm([0.3, -0.4, 0.866])], [1]])
    point = np.stack(from_axis(jnp.asarray(direction), jnp.full(2, 7.0), jnp.full(2, 2.5), jnp.array([0.1, 0.6])), 1)
    np.testing.assert_allclose((point * direction).sum(1), 7, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(point - 7 * direction, axis=1), 2.5, rtol=1e-5)


@pytest.fixture(scope="module")
def slanted():
    """Showers of one slanted track, and the same turned by 90 degrees and mirrored."""
    sample = make_gflash(SHASHLIK, SHASHLIK_TUNING)
    tracks = {"first": ((0.25, 0.1), (-3.0, -1.2)), "turned": ((-0.1, 0.25), (1.2, -3.0)),
              "mirrored": ((-0.25, 0.1), (3.0, -1.2))}
    return {name: np.asarray(sample(jax.random.key(1), *beam(20.0, slope, point)))
            for name, (slope, point) in tracks.items()}


def test_a_turned_particle_makes_the_turned_shower(slanted):
    np.testing.assert_allclose(np.rot90(slanted["first"], axes=(1, 2)).sum((1, 2)), slanted["turned"].sum((1, 2)),
                               rtol=1e-3)
    turned = slanted["first"].transpose(0, 2, 1)[:, ::-1]  # (x, y) -> (-y, x)
    close = np.isclose(turned, slanted["turned"], rtol=1e-3, atol=1e-3)
    assert close.mean() > 0.995  # a spot at the edge of a cell may round into the next


def test_a_mirrored_particle_makes_mirrored_showers_in_distribution(slanted):
    first, mirrored = slanted["first"].mean(0)[::-1], slanted["mirrored"].mean(0)
    error = np.hypot(slanted["first"].std(0)[::-1], slanted["mirrored"].std(0)) / np.sqrt(COUNT)
    lit = first > 0.5
    assert lit.sum() > 60 and (np.abs(first - mirrored)[lit] / error[lit]).max() < 4.5
    assert np.abs(first - first[::-1]).max() > 10 * error.max()  # the track is not symmetric by itself


def test_a_shower_depends_on_its_conditions_seed_and_index_alone(monkeypatch):
    energy = np.exp(np.random.default_rng(0).uniform(0, np.log(30), COUNT)).astype(np.float32)
    momentum, point = beam(1.0, (0.2, 0.1), (-3.0, -1.5))
    momentum = momentum * energy[:, None]
    gflash = Gflash()
    whole = gflash(momentum, point, seed=3)
    assert whole.dtype == np.float32 and whole.shape == (COUNT, 30, 30)
    np.testing.assert_array_equal(whole, gflash(momentum, point, seed=3))
    last = gflash(momentum[-FEW:], point[-FEW:], seed=3, first=COUNT - FEW)
    np.testing.assert_allclose(whole[-FEW:], last, rtol=1e-4, atol=1e-4)
    assert not np.array_equal(last, gflash(momentum[-FEW:], point[-FEW:], seed=4, first=COUNT - FEW))
    same = gflash(*beam(count=FEW))
    assert not np.array_equal(same[0], same[1])
    monkeypatch.setattr("ecalgen.simulation.gflash.CHUNK", FEW)
    np.testing.assert_allclose(whole, gflash(momentum, point, seed=3), rtol=1e-4, atol=1e-4)


def test_side_tracks_leak():
    inside, edge = (Gflash()(*beam(20.0, (0.0, 0.0), (x, 0.0), FEW)).sum((1, 2)).mean() for x in (0.0, 30.3))
    out = Gflash()(*beam(20.0, (0.9, 0.0), (29.0, 0.0), FEW)).sum((1, 2)).mean()
    assert edge == pytest.approx(inside / 2, rel=0.05)  # the track lies on the wall
    assert out < 0.1 * inside


def test_cells_of_other_sizes_hold_the_same_showers():
    momentum, point = beam(10.0, (0.1, 0.2), (-1.0, -3.0), FEW)
    fine, coarse = (Gflash(CALORIMETERS[name])(momentum, point) for name in ("shashlik", "shashlik40"))
    assert coarse.shape == (FEW, 15, 15)
    together = fine.reshape(FEW, 15, 2, 15, 2).sum((2, 4))
    assert np.isclose(together, coarse, rtol=1e-3, atol=1e-3).mean() > 0.99


def test_layered_calorimeter():
    momentum, point = beam(50.0, count=FEW)
    energy = Gflash(LAYERED)(momentum, point)
    assert energy.shape == (FEW, 25, 25, 25) and Gflash(LAYERED).tuning == PAPER
    depth = energy.sum((1, 2)).mean(0)
    assert 5 <= depth.argmax() <= 12 and depth[0] < 0.1 * depth.max()  # near ln(E / Ec) = 8.7 X0 of 0.69 each layer
    width = lambda layer: energy[..., layer].mean(0).sum(1) @ np.abs(np.arange(25) - 12.0) / depth[layer]
    assert width(20) > 1.5 * width(4) and energy.mean(0).sum(2).argmax() == 12 * 25 + 12


def test_faults_are_named():
    with pytest.raises(UserError, match="no particle is called 'pion'"):
        Gflash(particle="pion")
    with pytest.raises(BadShowers, match="pz <= 0"):
        Gflash()(-beam(count=2)[0], beam(count=2)[1])
    assert Gflash()(np.zeros((0, 3), np.float32), np.zeros((0, 2), np.float32)).shape == (0, 30, 30)


def test_the_tuning_is_that_of_the_fit():
    results = pathlib.Path(__file__).parents[2] / "experiments" / "results" / "gflash_tuning.json"
    assert SHASHLIK_TUNING._asdict() == pytest.approx(json.loads(results.read_text())["tuning"], abs=5.1e-5)


def test_like_geant4(showers):
    showers = showers[:COUNT]
    generated, real = (jax.tree.map(np.asarray, observables(energy, showers.momentum, showers.point))
                       for energy in (Gflash()(showers.momentum, showers.point), showers.energy))
    mean = lambda name: (generated[name].mean(0), real[name].mean(0))
    for name, tolerance in (("transverse_width", 0.03), ("longitudinal_width", 0.03), ("visible_fraction", 0.01),
                            ("ring_energies", 0.08), ("sparsity", 0.12)):
        np.testing.assert_allclose(*mean(name), rtol=tolerance, err_msg=name)
    for name in ("transverse_width", "longitudinal_width", "visible_fraction", "longitudinal_asymmetry", "delta_x"):
        np.testing.assert_allclose(generated[name].std(), real[name].std(), rtol=0.2, err_msg=name)


def test_particles_that_miss():
    momentum, point = np.tile([0.0, 0.0, 20.0], (8, 1)), np.zeros((8, 2))
    expected = Gflash()(momentum, point)
    point[3] = [0, 30.4]
    with pytest.raises(BadShowers, match=r"1 of 8 particles \(rows 3\) .* beyond 30.3 cm"):
        Gflash()(momentum, point)
    made = Gflash()(momentum, point, misses="empty")
    assert not made[3].any()
    np.testing.assert_array_equal(np.delete(made, 3, 0), np.delete(expected, 3, 0))
    with pytest.raises(BadShowers, match="beyond 6.375 cm"):
        Gflash(LAYERED)(momentum, np.full((8, 2), 6.4))


def test_energies_beyond_the_formulae_are_scaled():
    """The shashlik's cells see 17 % of the energy; of less than 0.03 GeV, too, in the mean."""
    energy = np.repeat([1e-5, 1e-3], 32)
    made = Gflash()(energy[:, None] * np.array([[0.0, 0.0, 1.0]]), np.zeros((64, 2))).sum((1, 2)) / (1000 * energy)
    assert (np.abs(made.reshape(2, 32).mean(1) - 0.155) < 0.05).all()
    steep = Gflash()(np.tile([[1e4, 1e4, 1e-6], [0, 0, 1e-6]], (4, 1)), np.zeros((8, 2)))
    assert np.isfinite(steep).all() and (steep >= 0).all()


def test_seeds_and_numbers_of_showers_of_64_bits():
    momentum, point = np.tile([0.0, 0.0, 2.0], (8, 1)), np.zeros((8, 2))
    made = [Gflash()(momentum, point, **given) for given in (
        {}, dict(seed=2**32), dict(seed=2**64 - 1), dict(first=2**32), dict(first=2**63 - 8))]
    assert all(np.abs(a - b).max() > 0 for i, a in enumerate(made) for b in made[:i])
    for given in (dict(seed=-1), dict(seed=1.0), dict(first=2**63)):
        with pytest.raises(UserError, match="give a whole number from 0"):
            Gflash()(momentum, point, **given)
