"""The extractors: columns, chunks and names."""
import numpy as np
import pytest

from ecalgen.data import observables
from ecalgen.evaluation.metrics.features import FEATURES, make_extractor, observable_columns


@pytest.mark.parametrize(("name", "width"), [("raw", 900), ("physics", 24), ("legacy", 24), ("embedding", 64)])
def test_shape_type_and_independence_of_chunks(showers, monkeypatch, name, width):
    few = showers[:70]
    whole = make_extractor(name)(few)
    monkeypatch.setattr(observables, "CHUNK", 32)
    assert whole.shape == (70, width)
    assert whole.dtype == np.float32 and type(whole) is np.ndarray
    np.testing.assert_allclose(make_extractor(name)(few), whole, rtol=1e-5, atol=1e-5)


def test_raw_is_the_cells(showers):
    np.testing.assert_array_equal(make_extractor("raw")(showers[:3]), showers.energy[:3].reshape(3, 900))


def test_physics_has_the_order_of_legacy(showers):
    few = showers[:5]
    values = observables.observables(few.energy, few.momentum, few.point)
    ours = make_extractor("physics")(few)
    np.testing.assert_allclose(ours[:, 2], values["longitudinal_width"], rtol=1e-5)
    np.testing.assert_allclose(ours[:, 3], values["transverse_width"], rtol=1e-5)
    np.testing.assert_array_equal(ours[:, 4:], make_extractor("legacy")(few)[:, 4:])


def test_observable_columns(showers):
    columns = observable_columns(showers[:7])
    assert {name: value.shape for name, value in columns.items()} == {
        "longitudinal_asymmetry": (7, 1), "transverse_asymmetry": (7, 1), "longitudinal_width": (7, 1),
        "transverse_width": (7, 1), "sparsity": (7, 20), "delta_x": (7, 1), "delta_y": (7, 1),
        "ring_shares": (7, 4), "visible_fraction": (7, 1)}


def test_each_function_compiles_once(showers):
    physics = FEATURES["physics"]()
    make_extractor("physics")(showers[:10])
    compiled = physics._cache_size()
    make_extractor("physics")(showers[:33])
    assert physics._cache_size() == compiled


def test_unknown_name():
    with pytest.raises(ValueError, match="no features are called 'pixels'; there are raw, physics"):
        make_extractor("pixels")
