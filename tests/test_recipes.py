"""Recipes are found by name from anywhere, and each of their fields is explained."""
import pathlib
import re

import pytest

from ecalgen import recipes
from ecalgen.errors import UserError

ROOT = pathlib.Path(__file__).parents[1]


def test_the_names_are_those_of_the_files():
    assert recipes.names() == sorted(path.stem for path in (ROOT / "configs").glob("*.py")
                                     if path.stem not in ("__init__", "base"))


def test_a_name_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert recipes.find("anchored:cpu,size=light") == f"{ROOT / 'configs' / 'anchored.py'}:cpu,size=light"


def test_a_path_stays_as_it_is(tmp_path):
    own = tmp_path / "mine.py"
    own.write_text("")
    assert recipes.find(f"{own}:cpu") == f"{own}:cpu"


@pytest.mark.parametrize("recipe, message", [
    ("nobody:cpu", "no recipe nobody. These come with the package: adagan, anchored"),
    ("ancored:cpu", "no recipe ancored; did you mean anchored:cpu? These come"),
    ("configs/anchored.py:cpu", "no recipe configs/anchored.py; did you mean anchored:cpu? These come"),
])
def test_no_recipe(tmp_path, monkeypatch, recipe, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=re.escape(message)):
        recipes.find(recipe)


def test_one_of_ones_own_builds_on_another(tmp_path):
    own = tmp_path / "mine.py"
    own.write_text("from ecalgen.configs import anchored\n\n\ndef get_config(preset=''):\n"
                   "    config = anchored.get_config(preset)\n    config.train.steps = 7\n    return config\n")
    assert recipes.load(f"{own}:cpu").train.steps == 7
    with pytest.raises(UserError, match="mine.py:none: preset 'none' is not one of"):
        recipes.load(f"{own}:none")


@pytest.mark.parametrize("name", recipes.names())
def test_every_field_has_a_meaning(name):
    fields = recipes.fields(recipes.load(name))
    assert len(fields) > 30
    assert not [field.name for field in fields if not field.meaning]


def test_meanings_come_from_comments_docstrings_and_transforms():
    fields = {field.name: field for field in recipes.fields(recipes.load("anchored:cpu"))}
    assert fields["train.steps"].value == 5_000
    assert fields["train.r1"].meaning == "weight of the penalty on the discriminator's gradient at real showers"
    assert fields["generator.shape"].meaning.startswith("K, the number of latents z")
    assert fields["discriminator.gain"].meaning.startswith("the logit's factor.")  # of `Discriminator`
    assert "one of none, log1p, sqrt, boxcox" in fields["data.transform.name"].meaning
