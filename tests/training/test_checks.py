"""Recipes that cannot be: each is refused by the name of its field."""
import importlib
import json

import pytest
import tiny

from ecalgen.errors import ConfigError, UserError
from ecalgen.training import checks, parallel


@pytest.mark.parametrize("changes, message", [
    (dict(steps=20, log_every=10, checkpoint_every=15), "config.train.checkpoint_every is 15; on this device"),
    (dict(final_fraction=2.0), "config.train.final_fraction is 2.0; it must lie between 0 and 1"),
    (dict(discriminator_steps=0), "config.train.discriminator_steps is 0; it must be at least 1"),
    (dict(loss="square"), "config.train.loss is 'square'; it is one of hinge, wasserstein, relativistic"),
    (dict(r2=-0.1), "config.train.r2 is -0.1; it must not be below 0"),
    (dict(energy_score=-1.0), "config.train.energy_score is -1.0; it must not be below 0"),
    (dict(warmup=-1), "config.train.warmup is -1; it must not be below 0"),
    (dict(steps=30, warmup=16), "config.train.warmup is 16; .* at most constant_fraction times steps, 15"),
    (dict(r1_every=0), "config.train.r1_every is 0; it must be at least 1"),
    (dict(gradient_penalty=-1.0), "config.train.gradient_penalty is -1.0; it must not be below 0"),
    (dict(generator_rate=-1.0), "config.train.generator_rate is -1.0; it must be above 0"),
])
def test_fields_that_do_not_fit(monkeypatch, changes, message):
    monkeypatch.setattr(parallel, "steps_per_call", lambda log_every: log_every)
    with pytest.raises(ValueError, match=message):
        checks.check_train(tiny.train_config(**(dict(
            discriminator_steps=1, r1=0.0, r1_every=1, gradient_penalty=0.0, loss="hinge") | changes)))


NO_FROZEN = "config.train.energy_features is 'regressor', but of the stages .* not every GAN has a regressor"


@pytest.mark.parametrize("name, changes, message", [
    ("baseline:test", {"train.energy_features": "regressor"}, NO_FROZEN),
    ("anchored:test", {"train.energy_features": "regressor"}, NO_FROZEN),
    ("aux_multitask:test", {"train.energy_features": "regressor"}, NO_FROZEN),
    ("aux_twostep:test,regressor=disc_arch_llr", {"train.energy_features": "regressor"}, NO_FROZEN),
    ("baseline:test", {"train.energy_features": "cells"}, "is 'cells'; it is one of observables, rings, regr"),
    ("baseline:test", {"train.batch_size": 7}, "config.train.batch_size is 7; with config.train.energy_score the ge"),
])
def test_energy_scores_that_cannot_be(recipe, name, changes, message):
    """Each is refused by its field; without an energy score none of them matters."""
    checks.check_stages(recipe(name, **changes))
    with pytest.raises(ConfigError, match=message):
        checks.check_stages(recipe(name, **{"train.energy_score": 1.0}, **changes))


@pytest.mark.parametrize("name, features", [
    ("baseline:test", "observables"), ("aux_multitask:test", "observables"), ("aux_twostep:test", "regressor"),
    ("wgan:test", "regressor"), ("aux_twostep:test,regressor=disc_arch_llr", "observables")])
def test_energy_scores_that_can_be(recipe, name, features):
    checks.check_stages(recipe(name, **{"train.energy_score": 1.0, "train.energy_features": features}))


@pytest.mark.parametrize("name", ["aux_multitask", "aux_twostep:test", "aux_twostep:,recipe=paper",
                                  "aux_twostep:cpu,targets=scalars", "aux_multitask:,recipe=paper"])
def test_every_regressor_that_decides_may_have_a_bound(recipe, name):
    config = recipe(name, **{"regressor.bound": 3.0})
    checks.check_used(config, ["regressor.bound"])
    checks.check_stages(config)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "1"])
def test_seeds_that_would_be_those_of_another_run(seed):
    with pytest.raises(ConfigError, match=f"config.seed is {seed!r}; it must be a whole number from 0 to 4294967295"):
        checks.check_seed(seed)


@pytest.mark.parametrize("changes, message", [
    ({"stages": ("prior", "tree")}, "config.stages names 'tree'; it is one of prior, multitask, regressor, gan, vae, "),
    ({"stages": ("gan",)}, r"with correction=True is trained by \('prior', 'gan'\)"),
    ({"generator.correction": False}, r"with correction=False is trained by \('prior',\)"),
    ({"data.transform.name": "log1p"}, "data.transform.name is 'log1p'; the generator 'anchored' makes MeV"),
])
def test_stages_that_do_not_make_the_generator(recipe, changes, message):
    with pytest.raises(ConfigError, match=message):
        checks.check_stages(recipe("anchored:test", **changes))


@pytest.mark.parametrize("name, changes, fields", [
    ("vae:test", {}, ["train.r1"]),
    ("anchored:test", {"stages": ("prior",), "generator.correction": False}, ["prior.steps", "train.steps"]),
    ("anchored:test", {"stages": ("prior",), "generator.correction": False}, ["discriminator.gain"]),
    ("baseline:test,recipe=paper", {}, ["train.r2", "train.r1_every"]),
    ("baseline:test", {"train.r1": 0.0, "train.r2": 0.1}, ["train.r1_every", "train.energy_features"]),
    ("baseline:test", {"train.energy_score": 1.0, "train.r1": 0.0},
     ["train.energy_features", "train.warmup", "train.r1_every"]),
    ("anchored:test", {"stages": ("prior",), "generator.correction": False}, ["train.loss"]),
    ("anchored:test", {"stages": ("prior",), "generator.correction": False}, ["train.energy_score"]),
    ("aux_twostep:test", {}, ["regressor.steps", "regressor.widths"]),
    ("aux_twostep:test,regressor=cnn", {}, ["regressor.shared"]),
    ("aux_multitask:test", {}, ["regressor.adversarial_gradient", "regressor.multitask"]),
    ("aux_multitask:test", {"regressor.decides": False}, ["regressor.adversarial_gradient"]),
    ("aux_twostep:test,regressor=disc_arch_llr", {}, ["regressor.adversarial_gradient", "regressor.widths"]),
    ("aux_twostep:test", {}, ["regressor.adversarial_gradient"]),
    ("aux_twostep:test", {"regressor.conditional": True}, ["regressor.early"]),
    ("aux_twostep:test,regressor=cnn", {"regressor.conditional": True}, ["regressor.early", "regressor.shared"]),
    ("aux_twostep:test,regressor=cnn", {}, ["regressor.early"]),
    ("wgan:test", {}, ["regressor.bound"]),
    ("anchored:test", {}, ["generator.by_hits", "generator.corners"]),
    ("anchored:test", {"generator.shared": True}, ["generator.corners", "generator.by_hits"]),
])
def test_fields_without_effect_are_refused_by_name(recipe, name, changes, fields):
    config = recipe(name, **changes)
    checks.check_used(config, fields[:-1])
    with pytest.raises(ConfigError, match=f"config.{fields[-1]} has no effect in this run, whose stages are "):
        checks.check_used(config, fields)


@pytest.mark.parametrize("name, field", [
    ("vae:test", "train.steps"), ("library:test", "train.ema"), ("adagan:test", "train.r1"),
    ("library:test", "train.loss"), ("vae:test", "train.warmup"), ("adagan:test", "train.r2"),
    ("adagan:test", "train.energy_score")])
def test_a_recipe_has_no_fields_that_its_system_does_not_use(recipe, name, field):
    section, _, field = field.partition(".")
    with pytest.raises(AttributeError, match=f'"{field}" does not exist'):
        setattr(recipe(name).lock()[section], field, 5)


@pytest.mark.parametrize("name", ["anchored", "aux_multitask", "aux_twostep", "baseline", "vae", "library", "wgan",
                                  "adagan"])
def test_no_preset_sets_a_field_without_effect(recipe, name):
    """But `attention` and `widths` of a `disc_arch`, which its options for a `cnn` need."""
    presets = importlib.import_module(f"configs.{name}").PRESETS if recipe(name) else {}
    for preset, changes in presets.items():
        checks.check_used(recipe(f"{name}:{preset}"), set(changes) - {"regressor.widths"})


def test_the_plain_generator_has_no_prior(recipe):
    config = recipe("baseline:test")
    checks.check_stages(config)
    config.stages = ("prior", "gan")
    with pytest.raises(ConfigError, match=r"the generator 'plain' is trained by \('gan',\)"):
        checks.check_stages(config)


@pytest.mark.parametrize("name, changes, message", [
    ("aux_twostep:test", {"regressor.name": "tree"}, "config.regressor.name is 'tree'; it is one of cnn, disc_arch"),
    ("aux_multitask:test", {"regressor.name": "cnn"}, "shares the discriminator's layers is 'disc_arch'"),
    ("aux_twostep:test", {"regressor.shared": 4}, "config.regressor.shared is 4"),
    ("aux_twostep:test,regressor=cnn", {"regressor.widths": (4, 4)}, r"config.regressor.widths is \(4, 4\)"),
    ("aux_twostep:test,regressor=cnn_sa", {"regressor.attention": 5}, "config.regressor.attention is 5"),
    ("aux_twostep:test", {"regressor.targets": ("length", "delta_x")}, "names 'length'"),
    ("aux_twostep:test", {"regressor.steering": 1.0}, "are not all known of the particle, as "),
    ("aux_twostep:test", {"regressor.bound": -1.0}, "config.regressor.bound is -1.0; it must be above 0, or 0 for"),
    ("aux_twostep:test", {"regressor.multitask": "nowhere"}, "nowhere/config.json does not exist"),
    ("aux_twostep:test", {"stages": ("gan", "regressor")}, r"is trained by \('regressor', 'gan'\)"),
])
def test_regressors_that_cannot_be(recipe, name, changes, message):
    with pytest.raises(ConfigError, match=message):
        checks.check_stages(recipe(name, **changes))


@pytest.mark.parametrize("changes, message", [
    (None, "config.json is no recipe of ecalgen .no JSON"), ([], r"is no recipe of ecalgen .it is \[\]"),
    ({"regressor": []}, r"regressor is \[\]; it must be an object"), ({"discriminator": 3}, "discriminator is 3; it"),
    ({"system": None}, "system is null; it must be text"),
    ({"regressor": None}, r"config.regressor.targets is \[.*\], but None in the multi-task run"),
    ({"discriminator": {"widths": "a\nb"}}, r"config.discriminator.[a-z_]+ is .*, but (None|a b) in the multi-task"),
])
def test_a_multitask_run_whose_config_cannot_be(recipe, tmp_path, changes, message):
    there = json.loads(json.dumps(recipe("aux_multitask:test").to_dict()))
    there = changes if isinstance(changes, list) else there | (changes or {})
    (tmp_path / "config.json").write_text("{" if changes is None else json.dumps(there))
    with pytest.raises(UserError, match=message) as caught:
        checks.check_stages(recipe("aux_twostep:test", **{"regressor.multitask": str(tmp_path)}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("preset, message", [
    ("test,regressor=tree", "regressor=tree is not one of disc_arch, cnn, cnn_sa, disc_arch_hlr, disc_arch_llr"),
    ("test,targets=none", "targets=none is not one of asymmetries, scalars"),
    ("test,colour=red", "there is no option colour=...; this recipe has regressor=..., targets=..."),
    ("cpu,test", "is not one preset and regressor=..., targets=...")])
def test_options_that_do_not_exist(recipe, preset, message):
    with pytest.raises(ValueError, match=message):
        recipe(f"aux_twostep:{preset}")
