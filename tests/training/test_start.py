"""What a run starts from: which parameters equal those of a trained generator, and which generators are refused."""
import dataclasses
import shutil
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from ecalgen import runs
from ecalgen.data.files.writer import save_showers
from ecalgen.data.grid import GRIDS, OLD, SHASHLIK
from ecalgen.data.reconstruction import aggregated
from ecalgen.data.showers import domain_of
from ecalgen.errors import ConfigError, UserError
from ecalgen.models.build import build_generator
from ecalgen.sampling.cards import folded
from ecalgen.sampling.sampler import export_generator
from ecalgen.sampling.weights import WeightsError, copy_weights, load_weights
from ecalgen.training import material, start
from ecalgen.training.recipe import write_recipe
from ecalgen.training.state import init_key

PLAIN = {"generator.attention": 0, "discriminator.attention": 0, "evaluation.showers": 50}
LIGHT = "anchored:test,size=light"
SHIPPED = {"generator.widths": (16, 16, 16), "init": "anchored_light"}
"""The generator that ships as `anchored_light`; the preset `test` has another one."""


@pytest.fixture
def coarse(showers):
    """The showers in 15 x 15 cells of twice the width."""
    return dataclasses.replace(showers, energy=np.asarray(aggregated(showers.energy, 2)), grid=GRIDS["shashlik40"])


@pytest.fixture
def begun(recipe, tmp_path):
    """`begun(showers, name, **changes)`: config, folder and `Material` of a run that has just begun."""
    def begin(showers, name, **changes):
        save_showers(tmp_path / "mine.npz", showers)
        config = recipe(name, **{"data.source": str(tmp_path / "mine.npz")} | changes)
        (tmp_path / "run").mkdir(exist_ok=True)
        return config, tmp_path / "run", material.begin_training(config, tmp_path / "run")

    return begin


def parameters(config):
    """Initial parameters of the generator of a config, for the shipped grid."""
    generator = build_generator(config.generator, OLD)
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 1))
    return jax.jit(generator.init)(jax.random.key(1), noise, np.ones((1, 3), "f4"), np.zeros((1, 2), "f4"))["params"]


def same(ours, theirs):
    """Whether two trees of parameters are equal."""
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, ours, theirs)))


def test_all_but_the_whitening_carries_over_to_another_grid(begun, coarse):
    """At step 0 of both stages. The whitening is neither the old one nor the one that is fitted without a start."""
    _, _, made = begun(coarse, LIGHT, **SHIPPED)
    shipped = load_weights("anchored_light", "generator")[0]
    prior, gan = made.stages
    fitted = prior.init(init_key(0), {})
    state = gan.init(init_key(0), {"prior": fitted})
    for name in ("total", "profile"):
        assert same(fitted.network.params[name], shipped[name]) and same(state.generator.params[name], shipped[name])
    for name in ("correction", "neighbours"):
        assert same(state.generator.params[name], shipped[name]) and same(state.ema[name], shipped[name])
    own = domain_of(made.showers)
    assert made.domain == made.start.domain_of(own) != own
    assert made.start.anew == () and set(state.generator.params) == set(shipped)
    assert not same(state.generator.params["whitening"], shipped["whitening"])
    assert same(state.generator.params["whitening"], fitted.network.params["whitening"])
    turned = np.linalg.solve(fitted.network.params["whitening"]["rotation"], shipped["whitening"]["rotation"])
    np.testing.assert_allclose(turned, turned.T, atol=1e-3 * np.abs(turned).max())  # as after the nearest rotation
    assert str(made.start) == ("starting from anchored_light: correction, neighbours, profile, total; anew: whitening "
                               "(fitted to these showers), all else")


def test_what_a_stage_has_fitted_is_not_taken_from_the_start_again(begun, coarse):
    _, _, made = begun(coarse, LIGHT, **SHIPPED)
    prior, gan = made.stages
    fitted = prior.init(init_key(0), {})
    moved = fitted.network.params | {"total": jax.tree.map(lambda value: value + 1, fitted.network.params["total"])}
    state = gan.init(init_key(0), {"prior": fitted.replace(network=fitted.network.replace(params=moved))})
    assert same(state.generator.params["total"], moved["total"])


def test_maps_of_another_grid_start_anew(recipe):
    """`anchored` has layers of the 4 x 4 pixels of 32 x 32 maps; its prior sees places only."""
    config = recipe("anchored", init="anchored")
    there = start.read_start(config, SHASHLIK)
    assert set(there.params) == {"total", "profile", "neighbours", "correction"} and there.anew == ()
    other = start.read_start(config, GRIDS["shashlik40"])
    assert set(other.params) == {"total", "profile", "neighbours"} and other.anew == ("correction",)
    assert "anew: correction (its maps belong to 30 x 30 cells of 2.02 x 2.02 cm), whitening (fitted" in str(other)


@pytest.mark.slow
def test_a_generator_whose_spectral_norm_is_folded_in_makes_the_same_showers(begun, showers, tmp_path):
    """Its kernels have the largest singular value 1, up to 1 %. The vectors of the norm know it before any step."""
    config, _, first = begun(showers, "baseline:test", **PLAIN)
    state = first.stages[0].init(init_key(1), {})
    export_generator(tmp_path / "other" / "generator", state, config, showers, first.domain)
    config, _, made = begun(showers, "baseline:test", init=str(tmp_path / "other"), **PLAIN)
    started = made.stages[0].init(init_key(0), {})
    shipped = load_weights(tmp_path / "other", "generator")[0]
    assert same(started.generator.params, shipped)
    export_generator(tmp_path / "run" / "generator", started, config, showers, made.domain)
    assert load_weights(tmp_path / "run", "generator")[1]["init"] == config.init
    few, generator = showers[:20], build_generator(config.generator, made.domain)
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 20))
    ours = generator.apply(started.generator.variables, noise, few.momentum, few.point)
    without = build_generator(folded(config.generator.to_dict()), made.domain)
    theirs = without.apply({"params": shipped}, noise, few.momentum, few.point)
    assert np.abs(ours - theirs).mean() < 0.02 * np.abs(theirs).mean()


def test_the_scales_of_the_particle_stay_and_those_of_the_calorimeter_are_new(coarse, recipe):
    """Of showers of a tenth of the momentum, for which the visible fraction is ten times as large."""
    softer = domain_of(dataclasses.replace(coarse, momentum=coarse.momentum / 10))
    domain = start.read_start(recipe(LIGHT, **SHIPPED), coarse.grid).domain_of(softer)
    assert domain.grid == coarse.grid
    for name in ("log_energy", "log_energy_spread", "slope", "point", "reference"):
        assert getattr(domain.scales, name) == getattr(OLD.scales, name) != getattr(softer.scales, name)
    assert domain.scales.fraction == softer.scales.fraction == pytest.approx(1.735, rel=0.05)
    assert domain.scales.resolution == softer.scales.resolution


def test_a_run_goes_on_without_the_weights_that_it_began_with(begun, coarse, recipe, tmp_path):
    """The folder of the run keeps a copy, also for the stages that have not begun."""
    other = tmp_path / "other"
    copy_weights("anchored_light", "generator", other)
    config, run, first = begun(coarse, LIGHT, **SHIPPED | {"init": str(other)})
    shutil.rmtree(other)
    again = material.begin_training(config, run)
    assert same(again.start.params, first.start.params) and again.domain == first.domain
    with pytest.raises(WeightsError, match="is neither a run's folder nor a shipped model"):
        start.read_start(config, coarse.grid)


def test_a_run_without_a_start_has_fresh_parameters(begun, coarse):
    _, run, made = begun(coarse, LIGHT)
    state = made.stages[0].init(init_key(0), {})
    shipped = load_weights("anchored_light", "generator")[0]
    assert made.start is None and not (run / "start").exists() and made.domain == domain_of(made.showers)
    assert jax.tree.map(np.shape, state.network.params["total"]) == jax.tree.map(np.shape, shipped["total"])
    assert not same(state.network.params["total"], shipped["total"])


@pytest.mark.parametrize("name, changes, message", [
    (LIGHT, SHIPPED | {"init": "ancored"}, "'ancored' is neither a run's folder nor a shipped model.*anchored_light"),
    (LIGHT, SHIPPED | {"init": "embedding"}, "embedding holds weights of the kind regressor, not generator"),
    (LIGHT, SHIPPED | {"init": "baseline"},
     "init is 'baseline', a generator 'plain', but config.generator.name is 'anchored'; give the same fields"),
    (LIGHT, SHIPPED | {"generator.widths": (16, 16, 8)},
     r"whose generator has widths \(16, 16, 16\), but config.generator.widths is \(16, 16, 8\); give the same fields"),
    (LIGHT, SHIPPED | {"generator.shape": 5}, "whose generator has shape 4, but config.generator.shape is 5; give"),
    ("anchored", {"init": "anchored_light"}, "whose generator has latent 16, but config.generator.latent is 64; give"),
    ("baseline:cpu,recipe=paper", {"init": "baseline", "data.transform.scale": 50.0},
     "whose config.data.transform is .*100.0.*, but here it is .*50.0"),
])
def test_generators_from_which_a_run_cannot_start(recipe, tmp_path, few_showers, name, changes, message):
    """Each is refused before anything is written."""
    config = recipe(name, **{"data.source": str(few_showers), "evaluation.showers": 200} | changes)
    with pytest.raises(UserError, match=message):
        runs.prepare(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_without_weights_is_refused(recipe, tmp_path, few_showers):
    config = recipe(LIGHT, **SHIPPED | {"init": str(tmp_path)}, **{"data.source": str(few_showers)})
    with pytest.raises(WeightsError, match="is neither a run's folder nor a shipped model, but a folder without"):
        runs.prepare(config, tmp_path / "run")
    write_recipe(recipe(LIGHT), tmp_path / "begun")
    config.init = str(tmp_path / "begun")
    with pytest.raises(WeightsError, match="holds no generator yet; finish its training"):
        runs.prepare(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_generator_of_which_nothing_fits_the_grid_is_refused(recipe, monkeypatch, tmp_path, showers):
    """All layers of the variational autoencoder's decoder are one part, with maps of its grid."""
    config = recipe("vae:test")
    state = SimpleNamespace(step=0, sampled={"params": parameters(config), "spectral": {}})
    export_generator(tmp_path / "generator", state, config, showers, OLD)
    config.init = str(tmp_path)
    assert set(start.read_start(config, SHASHLIK).params) == {"decoder"}
    with pytest.raises(ConfigError, match="a generator of 30 x 30 cells .*, of which nothing fits 15 x 15 cells"):
        start.read_start(config, GRIDS["shashlik40"])


@pytest.mark.parametrize("name", ["library:test", "adagan:test"])
def test_systems_without_a_generator_to_start_from_have_no_such_field(recipe, name):
    with pytest.raises(AttributeError, match="init"):
        recipe(name).lock().init = "anchored"
