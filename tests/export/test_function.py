"""A generator as a function of normal noise: an ensemble picks each of its members, and nothing else is needed."""
import jax
import numpy as np
import pytest

from ecalgen.data.grid import OLD_ENSEMBLES, domain_record
from ecalgen.data.showers import names_of_quantities
from ecalgen.export.function import load_function
from ecalgen.models.build import build_generator
from ecalgen.models.ensemble import name_of
from ecalgen.sampling.weights import save_weights

FIELDS = {"name": "volumes", "latent": 4, "widths": (4, 4), "hidden": 2, "rounds": 1}


@pytest.fixture
def ensemble(tmp_path):
    """A folder of two members, of which the second one makes all cells brighter by the same."""
    generator = build_generator(FIELDS, OLD_ENSEMBLES)
    noise = jax.tree.map(lambda part: part[None], generator.draw_noise(jax.random.key(0)))
    params = jax.jit(generator.init)(jax.random.key(0), noise, np.array([[0, 0, 20.0]]), np.zeros((1, 2)))["params"]
    bright = params | {"typical": params["typical"] | {"bias": params["typical"]["bias"] + 100}}
    trained_on = dict.fromkeys(names_of_quantities(OLD_ENSEMBLES.grid), [0.0, 0.0]) | {"energy (GeV)": [2.0, 500.0]}
    save_weights(tmp_path / "generator", {name_of(0): params, name_of(1): bright}, {
        "kind": "generator", "system": "adagan", "preset": "test", "generator": FIELDS, "members": 2, "steps": 2,
        "data": {"transform": {"name": "none"}}, "trained_on": trained_on, "domain": domain_record(OLD_ENSEMBLES),
        "provenance": {}})
    return tmp_path


def test_an_ensemble_of_normal_noise_picks_its_members_alike(ensemble):
    make_cells, latent, card = load_function(ensemble)
    noise = np.random.default_rng(0).normal(size=(60, latent)).astype(np.float32)
    conditions = np.tile(np.array([[0, 0, 20.0, 0, 0]], np.float32), (60, 1))
    cells = np.asarray(jax.jit(make_cells)(noise, conditions))
    bright = cells.mean((1, 2, 3)) > 50
    assert np.isfinite(cells).all() and card["members"] == 2 and latent == 1 + 4 + 25**3
    np.testing.assert_array_equal(bright, noise[:, 0] > 0)  # the first number chooses, one half each
