"""The recipe in a run's folder: written once, compared with each later one, and named where it cannot be."""
import json

import pytest
from absl import flags
from ml_collections import config_flags

from ecalgen.data.files.layout import Layout
from ecalgen.data.grid import GRIDS, Grid
from ecalgen.errors import ConfigError, RunError, UserError
from ecalgen.training.recipe import check_recipe, recipe_of, source_of, write_recipe


@pytest.fixture
def config(recipe):
    return recipe("baseline:test")


def test_another_recipe_is_refused_by_its_fields(config, tmp_path):
    write_recipe(config, tmp_path)
    config.seed, config.train.steps = 5, 40
    with pytest.raises(RunError, match=r"seed \(0 there, 5 here\), train.steps \(20 there, 40 here\)"):
        write_recipe(config, tmp_path)


@pytest.mark.parametrize("content, message", [
    (b"{", "config.json is no recipe of ecalgen .no JSON"), (b"\xff\x00", "is no recipe of ecalgen .byte 0 is no text"),
    (b"[]", r"is no recipe of ecalgen .it is \[\]; it must be an object"), (b"[" * 1000, "is no recipe of ecalgen"),
    (b'{"system": "x"}', "is no recipe of ecalgen .field preset is missing.; copy it again, or name another folder")])
def test_a_config_that_cannot_be_is_named_and_stays(config, tmp_path, content, message):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(UserError, match=message):
        write_recipe(config, tmp_path)
    assert (tmp_path / "config.json").read_bytes() == content


def test_a_field_of_another_type_is_shown_in_one_short_line(config, tmp_path):
    write_recipe(config, tmp_path)
    there = json.loads((tmp_path / "config.json").read_text()) | {"seed": "a\nb" * 1000, "new\nfield": [1]}
    (tmp_path / "config.json").write_text(json.dumps(there))
    with pytest.raises(RunError, match=r"new field \(\[1\] there, None here\), seed \(a ba ba.* here\)") as caught:
        write_recipe(config, tmp_path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_how_a_run_is_judged_may_change(config, tmp_path):
    write_recipe(config, tmp_path)
    config.evaluation.showers = 300
    write_recipe(config, tmp_path)


def test_a_recipe_that_is_older_than_a_field_goes_on_without_it(config, tmp_path):
    """But not where the field has an effect now."""
    write_recipe(config, tmp_path)
    older = json.loads((tmp_path / "config.json").read_text())
    for name in ("r2", "energy_score", "energy_features", "warmup"):
        del older["train"][name]
    del older["init"]
    (tmp_path / "config.json").write_text(json.dumps(older))
    write_recipe(config, tmp_path)
    config.train.r2, config.init = 0.5, "baseline"
    with pytest.raises(RunError, match=r"recipe: init \(None there, baseline here\), train.r2 \(0.0 there, 0.5 here\)"):
        write_recipe(config, tmp_path)


def test_a_recipe_of_an_older_version_with_unused_fields_goes_on(config, tmp_path):
    write_recipe(config, tmp_path)
    older = json.loads((tmp_path / "config.json").read_text())
    older["train"]["forgotten"] = 5
    (tmp_path / "config.json").write_text(json.dumps(older))
    write_recipe(config, tmp_path)


@pytest.mark.parametrize("name", ["aux_multitask:test", "baseline:test"])
def test_a_recipe_that_is_older_than_a_field_of_the_regressor_goes_on(recipe, tmp_path, name):
    """But not where the field has another value now."""
    config = recipe(name)
    older = config.to_dict()
    for field in ("early", "adversarial_gradient"):
        older["regressor"].pop(field, None)
    (tmp_path / "config.json").write_text(json.dumps(older))
    write_recipe(config, tmp_path)
    if config.regressor:
        config.regressor.adversarial_gradient = False
        with pytest.raises(RunError, match=r"recipe: regressor.adversarial_gradient \(True there, False here\); give"):
            write_recipe(config, tmp_path)


@pytest.mark.parametrize("changes, message", [
    ({"data.calorimeter": "atlas"}, "is 'atlas'; it is one of shashlik, shashlik40"),
    ({"data.grid.shape": (4, 4)}, "needs shape, pitch .cm. and reference_depth"),
    ({"data.calorimeter": "shashlik40", "data.grid.shape": (15, 15)}, "has calorimeter and grid, which all say"),
    ({"data.calorimeter": "shashlik40", "data.source": "ecal_shashlik"}, "of 30 x 30 cells .*, not of 15 x 15 cells"),
    ({"data.calorimeter": "shashlik", "data.binning": "a.xml"}, "has calorimeter and binning, which all say the cells"),
    ({"data.binning": "none.xml"}, "none.xml cannot be read"),
    ({"data.columns.momentum": ("px", "py")}, "for momentum; give the name of one column, or of 3 columns"),
    ({"data.columns.energy": "e", "data.source": "ecal_shashlik"}, "columns have the usual names; leave out"),
    ({"data.tree": "events", "data.source": "ecal_shashlik"}, "leave out config.data.columns and config.data.tree")])
def test_grids_that_a_recipe_cannot_have(recipe, changes, message):
    config = recipe("baseline:test", **{"data.source": "mine.npz"} | changes)
    with pytest.raises(ConfigError, match=message):
        check_recipe(config)


@pytest.mark.parametrize("changes, grid", [
    ({}, None), ({"data.calorimeter": "shashlik60"}, GRIDS["shashlik60"]),
    ({"data.grid.shape": (24, 20), "data.grid.pitch": (2.0, 2.0), "data.grid.reference_depth": 15.0},
     Grid((24, 20), (2.0, 2.0), 15.0)),
    ({"data.grid.shape": (4, 2), "data.grid.pitch": (1.0, 1.0), "data.grid.reference_depth": 1.0,
      "data.grid.radii": (0.0, 1.0, 3.0)}, Grid((4, 2), (1.0, 1.0), 1.0, radii=(0.0, 1.0, 3.0)))])
def test_a_recipe_names_or_describes_a_grid(recipe, changes, grid):
    assert source_of(recipe("baseline:test", **{"data.source": "mine.npz"} | changes)).layout.grid == grid


def test_a_recipe_names_the_columns_of_a_file(config):
    """As the command line reads them; each field is left out, one name, or those of its components."""
    words = ["main", "--config.data.source=mine.root", "--config.data.tree=events", "--config.data.columns.point=r",
             "--config.data.columns.energy=hits/E", "--config.data.columns.momentum=('px', 'py', 'pz')"]
    values = flags.FlagValues()
    config_flags.DEFINE_config_dict("config", config, flag_values=values, sys_argv=words)
    values(words)
    layout = source_of(values["config"].value).layout
    assert layout == Layout(None, {"energy": "hits/E", "momentum": ("px", "py", "pz"), "point": "r"}, "events")
    check_recipe(values["config"].value)


@pytest.mark.parametrize("missing", [("columns", "tree", "binning"), ("columns", "tree", "binning", "grid")])
def test_a_recipe_that_is_older_than_the_names_of_columns_goes_on(recipe, tmp_path, missing):
    """But not where a name is given now."""
    config = recipe("baseline:test", **{"data.source": "mine.npz"})
    older = config.to_dict()
    for name in missing:
        del older["data"][name]
    (tmp_path / "config.json").write_text(json.dumps(older))
    write_recipe(config, tmp_path)
    config.data.columns.energy = "cells"
    with pytest.raises(RunError, match=r"another recipe: data.columns.energy \(None there, cells here\); give"):
        write_recipe(config, tmp_path)


@pytest.mark.parametrize("name", ["anchored:test,size=light", "aux_twostep:test", "wgan:test", "vae:test",
                                  "adagan:test", "library:test"])
def test_the_recipe_of_a_run_is_read_back(recipe, tmp_path, name):
    config = recipe(name)
    write_recipe(config, tmp_path)
    found = recipe_of(tmp_path).to_dict()
    assert found.pop("init") is None
    assert found == {field: value for field, value in config.to_dict().items() if field != "init"}


def test_the_recipe_of_an_older_run_gets_the_fields_that_it_lacks(recipe, tmp_path):
    config = recipe("baseline:test")
    kept = config.to_dict()
    del kept["init"], kept["train"]["r2"], kept["data"]["conventions"]
    (tmp_path / "config.json").write_text(json.dumps(kept))
    assert recipe_of(tmp_path) == config
