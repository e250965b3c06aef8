"""What a run works with: each split where it belongs, and each read once."""
import numpy as np

from ecalgen.data.ecal_shashlik import SPLITS
from ecalgen.training import material
from ecalgen.training.recipe import Source


def test_training_and_its_monitors_see_no_shower_that_models_are_judged_by(recipe, showers, monkeypatch):
    """The newest and the best checkpoint follow from the training and the validation split alone."""
    parts = {split: showers[50 * i:50 * (i + 1)] for i, split in enumerate(SPLITS)}
    config, loaded, given = recipe("baseline:test"), [], {}
    monkeypatch.setattr(Source, "load", lambda source, split, *_: loaded.append(split) or parts[split])
    monkeypatch.setattr(material, "build_stages", lambda config, data, validation, targets: given.update(
        data=data, validation=validation) or [])
    material.load_material(config)
    assert set(loaded) == {"train", "validation"}
    np.testing.assert_array_equal(given["data"]["momentum"], parts["train"].momentum)
    np.testing.assert_array_equal(given["validation"].energy, parts["validation"].energy)


def test_showers_that_are_loaded_already_are_not_loaded_again(recipe, showers, monkeypatch):
    loaded = []
    monkeypatch.setattr(Source, "load", lambda source, split, *_: loaded.append(split) or showers[:50])
    monkeypatch.setattr(material, "build_stages", lambda *_: [])
    found = material.load_material(recipe("baseline:test"), showers[50:])
    assert loaded == ["validation"] and found.count == 350
