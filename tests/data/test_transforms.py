"""Transforms of cell energies against SciPy, their inverses, and what a network may throw at them."""
import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats

from ecalgen.data.transforms import MAX_ENERGY, TRANSFORMS, make_transform

CASES = [("none", {}), ("log1p", {}), ("sqrt", {}), ("boxcox", {}), ("boxcox", {"exponent": 0.1}),
         ("boxcox", {"exponent": 1.0})]
named = lambda value: "reference" if callable(value) else str(value)  # no address: processes must agree on names
every = pytest.mark.parametrize("name, options", CASES, ids=str)
scales = pytest.mark.parametrize("scale", [0.01, 1.0, 250.0])
energies = hnp.arrays(np.float32, 8, elements=st.floats(0, MAX_ENERGY, width=32, allow_subnormal=False))
GRID = np.concatenate([[0], np.geomspace(1e-6, MAX_ENERGY, 200)]).astype(np.float32)


def test_every_transform_is_covered():
    assert {name for name, _ in CASES} == set(TRANSFORMS)


@scales
@pytest.mark.parametrize("name, options, reference", [
    ("none", {}, lambda x: x), ("log1p", {}, scipy.special.log1p), ("sqrt", {}, np.sqrt),
    ("boxcox", {"exponent": 0.25}, lambda x: scipy.special.boxcox1p(x, 0.25)),
    ("boxcox", {"exponent": 0.1}, lambda x: scipy.stats.boxcox(1 + x, 0.1))], ids=named)
def test_forward_agrees_with_scipy(name, options, reference, scale):
    expected = reference(GRID.astype(np.float64) / scale)
    np.testing.assert_allclose(make_transform(name, scale, **options).forward(GRID), expected, rtol=3e-6, atol=1e-12)


@scales
@pytest.mark.parametrize("name, options, reference", [
    ("none", {}, lambda y: y), ("log1p", {}, scipy.special.expm1), ("sqrt", {}, np.square),
    ("boxcox", {"exponent": 0.25}, lambda y: scipy.special.inv_boxcox1p(y, 0.25))], ids=named)
def test_inverse_agrees_with_scipy(name, options, reference, scale):
    y = np.linspace(0, 5, 101, dtype=np.float32)
    np.testing.assert_allclose(make_transform(name, scale, **options).inverse(y),
                               scale * reference(y.astype(np.float64)), rtol=3e-6)


@pytest.mark.parametrize("name, e, y", [
    ("none", 6.0, 3.0), ("log1p", 2 * (np.e - 1), 1.0), ("sqrt", 18.0, 3.0), ("boxcox", 30.0, 4.0)])
def test_values_by_hand(name, e, y):
    """At s = 2 MeV; Box-Cox with lambda 1/4: (1 + 15)^(1/4) = 2, and (2 - 1) / (1/4) = 4."""
    transform = make_transform(name, scale=2.0)
    np.testing.assert_allclose(transform.forward(jnp.float32(e)), y, rtol=1e-6)
    np.testing.assert_allclose(transform.inverse(jnp.float32(y)), e, rtol=2e-6)


@every
@scales
@hypothesis.given(e=energies)
@hypothesis.settings(deadline=None, max_examples=20)
def test_round_trip(name, options, scale, e):
    transform = make_transform(name, scale, **options)
    y = transform.forward(e)
    assert y.dtype == jnp.float32 and y.shape == e.shape
    np.testing.assert_allclose(transform.inverse(y), e, rtol=2e-5, atol=1e-12)


@every
@hypothesis.given(y=hnp.arrays(np.float32, 8, elements=st.floats(width=32, allow_nan=False)))
@hypothesis.settings(deadline=None, max_examples=50)
def test_no_output_of_a_network_gives_an_impossible_energy(name, options, y):
    e = np.asarray(make_transform(name, 0.1, **options).inverse(y))
    assert (e >= 0).all() and (e <= MAX_ENERGY).all()
    assert (e[y <= 0] == 0).all()


@every
def test_nan_is_not_hidden(name, options):
    assert jnp.isnan(make_transform(name, **options).inverse(jnp.float32(jnp.nan)))


@every
def test_order_is_kept(name, options):
    y = np.asarray(make_transform(name, 0.1, **options).forward(GRID))
    assert y[0] == 0 and (np.diff(y) > 0).all()


@every
def test_gradient_of_the_inverse_is_finite_and_vanishes_outside(name, options):
    slope = jax.vmap(jax.grad(make_transform(name, 0.1, **options).inverse))
    y = jnp.array([-1e30, -1.0, 0.0, 0.5, 3.0, 1e30])
    values = np.asarray(jax.jit(slope)(y))
    assert np.isfinite(values).all() and (values >= 0).all()
    assert (values[[0, 1, 5]] == 0).all() and (values[3:5] > 0).all()


def test_unknown_name_lists_the_names():
    with pytest.raises(ValueError, match="unknown transform 'log'; there are none, log1p, sqrt, boxcox"):
        make_transform("log")


@pytest.mark.parametrize("scale", [0, -1.0, np.inf, np.nan])
def test_scale_must_be_positive(scale):
    with pytest.raises(ValueError, match="scale .* MeV, positive"):
        make_transform("sqrt", scale=scale)


@pytest.mark.parametrize("exponent", [0, -0.5, 1.5, np.nan])
def test_boxcox_exponent_must_lie_between_zero_and_one(exponent):
    with pytest.raises(ValueError, match="boxcox needs an exponent"):
        make_transform("boxcox", exponent=exponent)


def test_options_of_another_transform_are_refused():
    with pytest.raises(TypeError, match="exponent"):
        make_transform("log1p", exponent=0.5)
