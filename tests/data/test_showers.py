"""The data contract: what `Showers` accepts, what it refuses, and the quantities derived from the incident particle."""
import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from ecalgen.data.ecal_shashlik import sample_path
from ecalgen.data.files.formats import load_conditions
from ecalgen.data.grid import PAPERS, SHASHLIK
from ecalgen.data.showers import (
    KEYS,
    BadShowers,
    Showers,
    check_incident,
    conditions,
    incident_energy,
    reference_point,
    slopes,
)


def columns(count=3, **changes):
    rng = np.random.default_rng(count)
    made = dict(
        energy=rng.exponential(5.0, (count, 30, 30)),
        momentum=np.column_stack([rng.normal(size=(count, 2)), rng.uniform(1, 100, count)]),
        point=rng.normal(size=(count, 2)),
        pdg=np.full(count, 22),
    )
    return made | changes


def spoiled(array, position, value):
    array = np.array(array)
    array.flat[position % array.size] = value
    return array


def test_fields_are_stored_in_the_contract_s_types():
    given = columns()
    showers = Showers(**given)
    types = {"energy": np.float32, "momentum": np.float32, "point": np.float32, "pdg": np.int32}
    assert len(showers) == 3
    for field in KEYS:
        assert getattr(showers, field).dtype == types[field]
        np.testing.assert_array_equal(getattr(showers, field), given[field].astype(types[field]))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16, np.uint8, ">f4"])
def test_any_real_dtype_is_accepted(dtype):
    given = columns(energy=np.ones((3, 30, 30), dtype))
    assert Showers(**given).energy.dtype == np.dtype("float32")


def test_public_layouts_are_reduced_to_one():
    given = columns()
    wide = Showers(energy=given["energy"][..., None], momentum=given["momentum"],
                   point=np.column_stack([given["point"], np.full(3, -19.8)]))
    assert wide.energy.shape == (3, 30, 30)
    np.testing.assert_array_equal(wide.point, given["point"].astype(np.float32))
    np.testing.assert_array_equal(wide.pdg, [11, 11, 11])


@pytest.mark.parametrize("index, rows", [
    (slice(1, 4), [1, 2, 3]), ([4, 0], [4, 0]), (np.array([True, False, False, False, True]), [0, 4])])
def test_subset(index, rows):
    showers = Showers(**columns(5))
    for field in KEYS:
        np.testing.assert_array_equal(getattr(showers[index], field), getattr(showers, field)[rows])


SHAPES = [
    ("energy", (3, 30)), ("energy", (3, 30, 29)), ("energy", (3, 900)), ("energy", (3, 30, 30, 2)), ("energy", ()),
    ("energy", (30, 30)), ("momentum", (3, 2)), ("momentum", (2, 3)), ("momentum", (3,)), ("momentum", ()),
    ("point", (3, 1)), ("point", (3, 4)), ("point", (4, 2)), ("point", ()), ("pdg", (2,)), ("pdg", (3, 1)),
]


@pytest.mark.parametrize("field, shape", SHAPES)
def test_wrong_shape_names_the_column(field, shape):
    # Each column counts events by itself, so a wrong count may be blamed on any of those that disagree.
    words = "first axis counts events|give the Grid of these cells|give px, py and pz|give x and y"
    with pytest.raises(BadShowers, match=rf"(EnergyDeposit|Particle\w+) has shape .* not \[.*({words})"):
        Showers(**columns(**{field: np.ones(shape)}))


def test_no_showers():
    with pytest.raises(BadShowers, match="EnergyDeposit holds no showers"):
        Showers(np.zeros((0, 30, 30)), np.zeros((0, 3)), np.zeros((0, 2)))


@pytest.mark.parametrize("field", KEYS)
@pytest.mark.parametrize("dtype", [object, bool, complex, "U4", "S4", "M8[s]"])
def test_values_that_are_no_numbers_are_refused(field, dtype):
    with pytest.raises(BadShowers, match=f"{KEYS[field]} holds .* not numbers"):
        Showers(**columns(**{field: np.zeros(columns()[field].shape, dtype)}))


@hypothesis.given(field=st.sampled_from(["energy", "momentum", "point"]), position=st.integers(0, 2699),
                  value=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_a_value_that_is_not_finite_is_found_anywhere(field, position, value):
    values = columns()[field]
    event = position % values.size // (values.size // 3)
    with pytest.raises(BadShowers, match=f"{KEYS[field]} is NaN or infinite in event {event};"):
        Showers(**columns(**{field: spoiled(values, position, value)}))


@hypothesis.given(position=st.integers(0, 2699), value=st.floats(-1e30, -1e-30))
def test_a_negative_energy_is_found_anywhere(position, value):
    with pytest.raises(BadShowers, match=f"EnergyDeposit is negative in event {position // 900};"):
        Showers(**columns(energy=spoiled(columns()["energy"], position, value)))


@pytest.mark.parametrize("pz", [0.0, -5.0])
def test_particles_must_fly_forward(pz):
    momentum = spoiled(columns()["momentum"], 5, pz)
    with pytest.raises(BadShowers, match="pz <= 0 in event 1; .*along \\+z"):
        check_incident(momentum, columns()["point"])


def test_check_incident_gives_float32_and_drops_the_depth():
    momentum, point = check_incident([[0, 0, 1]], [[0.5, -0.25, -19.8]])
    assert momentum.dtype == point.dtype == np.float32
    np.testing.assert_array_equal(point, np.array([[0.5, -0.25]], np.float32))


def test_incident_quantities_by_hand():
    """3, 4, 12 has length 13 and slopes 1/4 and 1/3, so the track moves by 3.75 and 5 cm over the 15 cm."""
    momentum, point = np.array([[3.0, 4.0, 12.0]], np.float32), np.array([[-2.0, 1.0]], np.float32)
    np.testing.assert_allclose(incident_energy(momentum), [13.0], rtol=1e-6)
    np.testing.assert_allclose(slopes(momentum), [[0.25, 1 / 3]], rtol=1e-6)
    np.testing.assert_allclose(reference_point(momentum, point, SHASHLIK), [[1.75, 6.0]], rtol=1e-6)
    # (2.564949 - 2.303) / 1.329, 0.25 / 0.175, 0.333333 / 0.175, -2 / 2.7, 1 / 2.7
    expected = [[0.197103, 1.428571, 1.904762, -0.740741, 0.370370]]
    np.testing.assert_allclose(conditions(momentum, point, PAPERS), expected, atol=2e-6)


def test_conditions_of_the_beam_are_of_order_one():
    values = np.asarray(conditions(*load_conditions(sample_path()), PAPERS))
    assert values.shape == (60_000, 5)
    np.testing.assert_allclose(values.mean(0), 0, atol=0.03)  # 7 standard errors of 60,000 events
    np.testing.assert_allclose(values.std(0), 1, atol=0.03)


def test_tracks_of_the_beam_cross_the_central_cells():
    """|x0|, |y0| < 1.01 cm at the reference plane, uniform: deviation 1.01 / sqrt(3)."""
    crossing = np.asarray(reference_point(*load_conditions(sample_path()), SHASHLIK))
    assert np.abs(crossing).max() < 1.0101
    np.testing.assert_allclose(crossing.std(0), 1.01 / np.sqrt(3), rtol=0.02)


@pytest.mark.parametrize("column, value", [("energy", 1e39), ("momentum", 1e39), ("point", -1e300)])
def test_values_too_large_for_float32_are_refused(column, value):
    fields = dict(energy=np.ones((3, 30, 30)), momentum=np.ones((3, 3)), point=np.ones((3, 2)))
    fields[column][1] = value
    with pytest.raises(BadShowers, match=f"{KEYS[column]} is NaN or infinite in event 1"):
        Showers(**fields)


@pytest.mark.parametrize("code", [np.nan, np.inf, 11.5, 2.0**40])
def test_particle_codes_are_whole_numbers(code):
    with pytest.raises(BadShowers, match="ParticlePDG is no particle code in event 2"):
        Showers(np.ones((3, 30, 30)), np.ones((3, 3)), np.ones((3, 2)), np.array([11, 22, code]))


def test_showers_print_in_one_line():
    showers = Showers(np.ones((2, 30, 30)), [[0, 0, 1.5], [3, 0, 4]], np.zeros((2, 2)))
    assert repr(showers) == "Showers(2, of 1.5 to 5 GeV; 30 x 30 cells of 2.02 x 2.02 cm)"


@pytest.mark.parametrize("column, value", [("energy", 1e38), ("energy", 1.1e12), ("momentum", 1e30), ("point", -2e6)])
def test_values_of_no_particle_are_refused(column, value):
    """900 cells of 1e38 MeV add up to infinity in float32."""
    fields = dict(energy=np.ones((3, 30, 30)), momentum=np.ones((3, 3)), point=np.ones((3, 2)))
    fields[column][1] = value
    with pytest.raises(BadShowers, match=rf"{KEYS[column]} reaches .* in event 1, .*; drop such events, or correct"):
        Showers(**fields)


def test_the_largest_values_have_finite_sums_and_slopes():
    showers = Showers(np.full((2, 30, 30), 1e12), [[1e9, 0, 1e-6]] * 2, [[1e6, -1e6]] * 2)
    assert np.isfinite(showers.energy.sum((1, 2))).all()
    assert np.isfinite(conditions(showers.momentum, showers.point, PAPERS)).all()
    assert np.isfinite(reference_point(showers.momentum, showers.point, SHASHLIK)).all()


def test_particles_without_energy_are_refused():
    """log E of 1e-40 GeV is minus infinity where subnormal numbers are zero."""
    with pytest.raises(BadShowers, match="ParticleMomentum has pz below 1e-06 GeV in event 1; "):
        check_incident([[0, 0, 1], [0, 0, 1e-40]], np.zeros((2, 2)))


def test_long_types_are_cut_short():
    with pytest.raises(BadShowers, match=r"EnergyDeposit holds .{63}, not numbers"):
        Showers(**columns(energy=np.zeros((3, 30, 30), [(f"field{i}", "f4") for i in range(100)])))
