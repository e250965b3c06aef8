"""Units and axes: real showers are left alone, converted ones found, contradictions refused, the unknowable let be."""
import contextlib
import dataclasses

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.files.clouds import cells_of
from ecalgen.data.files.formats import load_showers
from ecalgen.data.files.orientation import AXES, Conventions, check_possible, detect, standardise, turned
from ecalgen.data.grid import GRIDS, SHASHLIK, Grid
from ecalgen.data.reconstruction import aggregated
from ecalgen.data.showers import BadShowers, Showers

PER_MEV, PER_GEV, PER_CM = {"MeV": 1, "GeV": 1e-3, "keV": 1e3}, {"GeV": 1, "MeV": 1e3}, {"cm": 1, "mm": 10, "m": 0.01}
"""Unit -> what 1 MeV, 1 GeV and 1 cm are in it."""
CONVENTIONS = st.builds(Conventions, st.sampled_from(AXES), *(st.sampled_from(list(units)) for units in (
    PER_MEV, PER_GEV, PER_CM)))


@pytest.fixture(scope="module")
def shipped():
    return load_showers(sample_path())


def laid_out(energy, axes):
    """Cells `[ix, iy]` as a file has them whose axes point along `axes`, cell by cell."""
    along = dict(zip((axis[-1] for axis in axes), np.indices((30, 30)), strict=True))
    ix, iy = (29 - along[name] if f"-{name}" in axes else along[name] for name in "xy")
    return energy[:, ix, iy]


def in_conventions(showers, conventions):
    """The showers of our contract, as a file of these conventions has them."""
    return Showers(laid_out(showers.energy, conventions.axes) * np.float32(PER_MEV[conventions.cells]),
                   showers.momentum * np.float32(PER_GEV[conventions.momentum]),
                   showers.point * np.float32(PER_CM[conventions.point]), showers.pdg)


def detected(showers):
    return detect(showers.energy, showers.momentum, showers.point, SHASHLIK)


def refuses(showers, *words):
    with pytest.raises(BadShowers) as caught:
        detected(showers)
    for word in (*words, "; ", "conventions='as_is'"):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


# What is left alone


@pytest.mark.parametrize("count", [1, 5, 50, 100, 400, 5000])
@pytest.mark.parametrize("first", [0, 7000, 19000])
def test_shipped_showers_pass_untouched(shipped, first, count):
    showers = shipped[first:first + count]
    assert standardise(showers) == (showers, ())


def test_every_hundred_of_the_shipped_showers_passes(shipped):
    for first in range(0, 25_000, 500):
        assert detected(shipped[first:first + 100]) == Conventions()


@pytest.mark.parametrize("energy", [1.0, 20.0, None])
def test_showers_at_fixed_incidence_pass(shipped, energy):
    """The 1D case: along z into the centre; nothing varies but, perhaps, the energy."""
    upright = np.argsort(np.abs(shipped.momentum[:, :2] / shipped.momentum[:, 2:]).max(1))[:400]
    scale = 1 if energy is None else energy / np.linalg.norm(shipped.momentum[upright], axis=1)[:, None]
    momentum = np.linalg.norm(shipped.momentum[upright], axis=1)[:, None] * [[0, 0, 1]] * scale
    energy = shipped.energy[upright] * np.reshape(scale, (-1, 1, 1))
    assert detected(Showers(energy, momentum, np.zeros((400, 2)))) == Conventions()


def test_one_fixed_direction_tells_nothing_about_the_axes(shipped):
    """A particle of fixed slope and point, however its cells are turned."""
    momentum, point = np.tile([[2.0, 1.0, 20.0]], (300, 1)), np.tile([[-1.5, -0.75]], (300, 1))
    for axes in AXES:
        assert detected(Showers(laid_out(shipped.energy[:300], axes), momentum, point)) == Conventions()


@pytest.mark.parametrize("count", [1, 5, 50, 99])
def test_few_showers_are_believed(shipped, count):
    rng = np.random.default_rng(count)
    noise = Showers(rng.exponential(5.0, (count, 30, 30)),
                    np.column_stack([rng.normal(size=(count, 2)), rng.uniform(1, 100, count)]),
                    rng.normal(size=(count, 2)))
    assert detected(noise) == Conventions()
    assert detected(in_conventions(shipped[:count], Conventions(("-y", "x"), "GeV", "MeV", "mm"))) == Conventions()


@pytest.mark.parametrize("factor", [0.05, 0.5, 2.0, 5.5])
def test_other_visible_fractions_pass(shipped, factor):
    """A fraction of 0.009 to 0.95, that of a crystal."""
    showers = Showers(shipped.energy[:300] * factor, shipped.momentum[:300], shipped.point[:300])
    assert detected(showers) == Conventions()


def test_a_few_empty_showers_do_not_matter(shipped):
    energy = shipped.energy[:300].copy()
    energy[:20] = 0
    assert detected(Showers(energy, shipped.momentum[:300], shipped.point[:300])) == Conventions()


# What is found


@hypothesis.given(conventions=CONVENTIONS)
@hypothesis.settings(deadline=None, max_examples=150)
def test_any_axes_and_units_at_once_are_found(shipped, conventions):
    showers = shipped[1000:1300]
    assert detected(in_conventions(showers, conventions)) == conventions
    back, notes = standardise(in_conventions(showers, conventions))
    for field in ("energy", "momentum", "point"):
        np.testing.assert_allclose(getattr(back, field), getattr(showers, field), rtol=1e-6)
    assert len(notes) == sum(getattr(conventions, name) != value for name, value in vars(Conventions()).items())


def test_a_hundred_showers_are_enough(shipped):
    for first in range(0, 5000, 500):
        conventions = Conventions(("-x", "y"), "MeV", "GeV", "mm")
        assert detected(in_conventions(shipped[first:first + 100], conventions)) == conventions


def test_what_is_told():
    assert Conventions().notes() == ()
    assert Conventions(("-y", "x"), "keV", "MeV", "m").notes() == (
        "EnergyDeposit turned from axes (-y, x) to (x, y)", "EnergyDeposit converted from keV to MeV",
        "ParticleMomentum converted from MeV to GeV", "ParticlePoint converted from m to cm")


def test_turning_by_hand():
    """The file's first axis points along -y and its second along x: its cell [0, 3] lies at ix = 3, iy = 29."""
    cells = np.zeros((1, 30, 30))
    cells[0, 0, 3] = 1
    assert np.argwhere(turned(cells, ("-y", "x"))).tolist() == [[0, 3, 29]]
    assert np.argwhere(turned(cells, ("x", "-y"))).tolist() == [[0, 0, 26]]


def test_eight_symmetries_are_undone():
    cells = np.random.default_rng(0).random((2, 30, 30))
    assert len({laid_out(cells, axes).tobytes() for axes in AXES}) == 8
    for axes in AXES:
        np.testing.assert_array_equal(turned(laid_out(cells, axes), axes), cells)


# What is refused


@pytest.mark.parametrize("count", [300, 2000])
def test_showers_of_other_particles(shipped, count):
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(count)
        refuses(Showers(shipped.energy[order], shipped.momentum[:count], shipped.point[:count]),
                "EnergyDeposit does not follow ParticlePoint", f"over {count} showers", "same events in the same order")


def test_a_hundred_showers_of_other_particles_are_never_converted(shipped):
    """They may be too few to contradict the contract, but do not speak for anything else."""
    for first in range(0, 20_000, 200):
        energy = np.roll(shipped.energy[first:first + 100], 1, axis=0)
        try:
            momentum, point = shipped.momentum[first:][:100], shipped.point[first:][:100]
            assert detect(energy, momentum, point, SHASHLIK) == Conventions()
        except BadShowers as error:
            assert "EnergyDeposit does not follow" in str(error)


@pytest.mark.parametrize("column", ["momentum", "point"])
def test_a_column_of_other_events(shipped, column):
    order = np.random.default_rng(0).permutation(300)
    fields = {name: getattr(shipped, name)[:300] for name in ("energy", "momentum", "point")}
    refuses(Showers(**fields | {column: fields[column][order]}), "EnergyDeposit does not follow")


@pytest.mark.parametrize("axes", AXES[1:])
def test_momentum_and_point_that_disagree_about_the_axes(shipped, axes):
    """Turn the point alone: no axes of the cells fit both."""
    point = {"x": shipped.point[:, 0], "y": shipped.point[:, 1]}
    mixed = np.stack([-point[axis[-1]] if axis[0] == "-" else point[axis] for axis in axes], axis=1)
    refuses(Showers(shipped.energy[:300], shipped.momentum[:300], mixed[:300]), "EnergyDeposit does not follow")


def test_a_collapsed_generator(shipped):
    refuses(Showers(np.tile(shipped.energy[:1], (300, 1, 1)), np.linalg.norm(shipped.momentum[0]) / np.linalg.norm(
        shipped.momentum[:300], axis=1, keepdims=True) * shipped.momentum[:300], shipped.point[:300]),
        "EnergyDeposit does not follow", "d(centre)/d(point) is [[")


def test_noise(shipped):
    rng = np.random.default_rng(0)
    refuses(Showers(rng.exponential(2.0, (400, 30, 30)), shipped.momentum[:400], shipped.point[:400]),
            "EnergyDeposit does not follow")


def test_points_that_were_never_written(shipped):
    """With the slopes alone the centre seems to lie 2 cm before the front face, 15 cm - 13 cm: no calorimeter's."""
    refuses(Showers(shipped.energy[:400], shipped.momentum[:400], np.zeros((400, 2))), "EnergyDeposit does not follow")


@pytest.mark.parametrize("factor", [0.0, 1e-2, 12.0, 1e-11])
def test_visible_fractions_that_no_units_explain(shipped, factor):
    """0.0017 lies between MeV and GeV, 2.1 between MeV and keV."""
    refuses(Showers(shipped.energy[:300] * factor, shipped.momentum[:300], shipped.point[:300]),
            "EnergyDeposit adds up to", "no two units", "EnergyDeposit in MeV and ParticleMomentum in GeV")


def test_units_that_two_readings_explain(shipped):
    """At 1 GeV, both in MeV look like 1,000 GeV, both in GeV."""
    momentum = shipped.momentum[:300] / np.linalg.norm(shipped.momentum[:300], axis=1, keepdims=True) * 1000
    energy = shipped.energy[:300] / shipped.energy[:300].sum((1, 2), keepdims=True) * 173
    refuses(Showers(energy, momentum, shipped.point[:300]), "which MeV and MeV or GeV and GeV would explain")


# From how many showers on


def shuffled(shipped, count, seed):
    rng = np.random.default_rng(seed)
    rows = rng.choice(20_000, count, replace=False)
    return shipped.energy[rng.permutation(rows)], shipped.momentum[rows], shipped.point[rows]


@pytest.mark.parametrize("count", [20, 50, 100, 120, 200])
def test_shuffled_showers_never_pass_as_checked(shipped, count):
    """A quarter of the sets of 100 to 120 would pass by chi2 of the contract alone."""
    refused = 0
    for seed in range(40):
        try:
            assert not detect(*shuffled(shipped, count, [count, seed]), SHASHLIK).checked
        except BadShowers as error:
            assert "EnergyDeposit does not follow" in str(error)
            refused += 1
    assert refused == 0 if count < 100 else refused >= 30


@pytest.mark.parametrize("count", [30, 50, 100, 400])
def test_real_showers_are_enough_to_be_checked(shipped, count):
    checked = [detected(shipped[first:first + count]).checked for first in range(0, 20_000, 1000)]
    assert sum(checked) >= 19


def test_particles_that_are_all_the_same_leave_nothing_to_check(shipped):
    assert detected(Showers(shipped.energy[:50], [[0, 0, 150.0]] * 50, np.zeros((50, 2)))).checked


def test_few_showers_in_other_units_are_not_checked(shipped):
    found = detected(in_conventions(shipped[:60], Conventions(("-y", "x"), "MeV", "GeV", "mm")))
    assert found == Conventions() and not found.checked


@pytest.mark.parametrize("field, values", [
    ("momentum", [[1e9, 1e9, 1e-6]]), ("point", [[1e6, 1e6]]), ("point", [[1e6, -1e6], [-1e6, 1e6]])])
def test_no_values_break_the_regression(shipped, field, values):
    """Collinear and huge, they would make a singular matrix."""
    fields = {name: getattr(shipped, name)[:110].copy() for name in ("energy", "momentum", "point")}
    fields[field][:] = np.resize(values, fields[field].shape)
    fields[field][:5] *= 0.5
    try:
        detect(**fields, grid=SHASHLIK)
    except BadShowers:
        pass


# Cells of other grids


def tracks(grid, count=150, calibration=0.9, seed=0):
    """Showers of points around straight tracks, in cells of rings or of a block."""
    rng = np.random.default_rng(seed)
    momentum = np.column_stack([rng.normal(0, 0.1, (count, 2)), np.ones(count)]) * rng.uniform(5, 50, (count, 1))
    point, energy = rng.uniform(-0.5, 0.5, (count, 2)), np.zeros((count, *grid.shape), np.float32)
    for event in range(count):
        depth = rng.gamma(4, 13 / 15 * grid.reference_depth / 4, 300)
        angle, radius = rng.uniform(0, 2 * np.pi, 300), rng.exponential(0.6, 300)
        track = point[event][:, None] + np.outer(momentum[event, :2] / momentum[event, 2], depth)
        x, y = track + radius * np.stack([np.cos(angle), np.sin(angle)])
        index, inside = cells_of(10 * x, 10 * y, depth / grid.pitch[2] - 0.5, grid)
        np.add.at(energy[event], tuple(axis[inside] for axis in index),
                  calibration * 1000 * np.linalg.norm(momentum[event]) / 300)
    return Showers(energy, momentum, point, grid=grid)


@pytest.mark.parametrize("name", ["challenge2", "challenge3", "layered"])
def test_units_are_found_in_rings_and_blocks(name):
    showers = tracks(GRIDS[name])
    assert detect(showers.energy, showers.momentum, showers.point, GRIDS[name]) == Conventions()
    found = detect(showers.energy, 1000 * showers.momentum, 10 * showers.point, GRIDS[name])
    assert found == Conventions(momentum="MeV", point="mm") and found.checked
    with pytest.raises(BadShowers, match="EnergyDeposit does not follow"):
        detect(np.roll(showers.energy, 1, axis=0), showers.momentum, showers.point, GRIDS[name])


def test_axes_are_found_in_blocks_and_not_in_rings():
    """Sectors and rings cannot be exchanged; other axes than ours are refused."""
    block, rings = tracks(GRIDS["layered"]), tracks(GRIDS["challenge2"])
    found = detect(turned(block.energy, ("-y", "x")), block.momentum, block.point, block.grid)
    assert found.axes == ("y", "-x")
    with pytest.raises(BadShowers, match="one of the 1 symmetries"):
        detect(np.roll(rings.energy, 8, axis=1), rings.momentum, rings.point, rings.grid)


WIDE = {
    "odd, 40 mm": (2, slice(None), GRIDS["shashlik40"]), "even, 60 mm": (3, slice(None), GRIDS["shashlik60"]),
    "13 x 15, 40 mm": (2, slice(1, 14), Grid((13, 15), (4.04, 4.04), 15.0)),
    "even, 101 mm": (5, slice(None), Grid((6, 6), (10.1, 10.1), 15.0)),
}
"""Sums of count x count shipped cells, of which the first axis keeps a slice, and their grid."""


@pytest.fixture(params=WIDE)
def wide(request, shipped):
    """(showers in wide cells, whose centres follow their tracks by another factor than 1)."""
    count, kept, grid = WIDE[request.param]
    some = shipped[:2_000]
    return Showers(np.asarray(aggregated(some.energy, count))[:, kept], some.momentum, some.point, grid=grid)


@pytest.mark.parametrize("count", [100, 300, 2_000])
def test_units_and_axes_are_found_in_wide_cells(wide, count):
    showers = wide[:count]
    found = lambda energy, point: detect(energy, showers.momentum, point, showers.grid)
    assert found(showers.energy, showers.point) == Conventions()
    assert found(showers.energy, 10 * showers.point) == Conventions(point="mm")
    assert found(showers.energy, showers.point / 100) == Conventions(point="m")
    assert found(showers.energy[:, ::-1], showers.point) == Conventions(("-x", "y"))
    assert found(showers.energy[:, :, ::-1], 10 * showers.point) == Conventions(("x", "-y"), point="mm")


@pytest.mark.parametrize("count", [100, 300, 2_000])
def test_points_of_other_events_are_refused_in_wide_cells(wide, count):
    showers = wide[:count]
    for point in (showers.point[::-1], showers.point[:, ::-1]):
        with pytest.raises(BadShowers, match="does not follow ParticlePoint .* pitch and reference depth of the grid"):
            detect(showers.energy, showers.momentum, point, showers.grid)
    shuffled = showers.energy[np.random.default_rng(0).permutation(count)]
    with contextlib.suppress(BadShowers):
        assert not detect(shuffled, showers.momentum, showers.point, showers.grid).checked


def test_a_reference_depth_in_mm_is_refused(wide):
    grid = dataclasses.replace(wide.grid, reference_depth=150.0)
    with pytest.raises(BadShowers, match="130 cm times .* reference depth of the grid, .*, 150 cm"):
        detect(wide.energy, wide.momentum, wide.point, grid)


@pytest.mark.parametrize("calibration, most", [(0.027, 1.05), (0.4, 1.05), (0.6, 3.0), (1.2, 3.0)])
@pytest.mark.parametrize("count", [5, 150])
def test_calibrated_cells_may_hold_more_than_the_particle(count, calibration, most):
    showers = tracks(GRIDS["layered"], count, calibration)
    assert detect(showers.energy, showers.momentum, showers.point, showers.grid).most == most


# Showers that cannot be


def test_real_showers_are_possible(shipped):
    check_possible(shipped)


def test_more_energy_than_the_particle_has(shipped):
    energy = shipped.energy[:9].copy()
    energy[4:] *= 1.06 * 1000 * np.linalg.norm(shipped.momentum[4]) / energy[4].sum()
    with pytest.raises(BadShowers, match="EnergyDeposit adds up to .* MeV in event 4, where .*conventions='as_is'"):
        check_possible(Showers(energy, shipped.momentum[:9], shipped.point[:9]))
    check_possible(Showers(energy, shipped.momentum[:9], shipped.point[:9])[:5], most=1.07)


@pytest.mark.parametrize("place, possible", [(30.3, True), (60.5, True), (-60.7, False), (500.0, False)])
def test_particles_enter_near_the_cells(shipped, place, possible):
    point = shipped.point[:9].copy()
    point[3, 1] = place
    with contextlib.nullcontext() if possible else pytest.raises(BadShowers, match="in event 3, beyond 60.6 cm, .*; "):
        check_possible(Showers(shipped.energy[:9], shipped.momentum[:9], point))
