"""What a run works with: each split where it belongs, and each read once."""
import numpy as np

from ecalgen.data.ecal_shashlik import SPLITS
from ecalgen.data.grid import OLD
from ecalgen.data.showers import domain_of
from ecalgen.training import material
from ecalgen.training.recipe import Source


def test_training_and_its_monitors_see_no_shower_that_models_are_judged_by(recipe, showers, monkeypatch):
    """The newest and the best checkpoint follow from the training and the validation split alone."""
    parts = {split: showers[50 * i:50 * (i + 1)] for i, split in enumerate(SPLITS)}
    config, loaded, given = recipe("baseline:test"), [], {}
    monkeypatch.setattr(Source, "load", lambda source, split, *_: loaded.append(split) or parts[split])
    monkeypatch.setattr(material, "build_stages", lambda config, data, validation, domain, targets: given.update(
        data=data, validation=validation, domain=domain) or [])
    material.load_material(config)
    assert set(loaded) == {"train", "validation"}
    np.testing.assert_array_equal(given["data"]["momentum"], parts["train"].momentum)
    np.testing.assert_array_equal(given["validation"].energy, parts["validation"].energy)
    assert given["domain"] == domain_of(parts["train"])


def test_showers_that_are_loaded_already_are_not_loaded_again(recipe, showers, monkeypatch):
    loaded = []
    monkeypatch.setattr(Source, "load", lambda source, split, *_: loaded.append(split) or showers[:50])
    monkeypatch.setattr(material, "build_stages", lambda *_: [])
    found = material.load_material(recipe("baseline:test"), training=showers[50:])
    assert loaded == ["validation"] and found.count == 350


def test_a_run_keeps_the_domain_with_which_it_began(showers, tmp_path):
    """One that an older version began has no file of its domain, but checkpoints."""
    new, old, begun = (tmp_path / name for name in ("new", "old", "begun"))
    (old / "checkpoints").mkdir(parents=True)
    begun.mkdir()
    material.keep_domain(begun, domain_of(showers[:100]))
    assert material.find_domain(begun, showers) == domain_of(showers[:100]) != domain_of(showers)
    assert material.find_domain(old, showers) == OLD and material.find_domain(new, showers) == domain_of(showers)
    material.keep_domain(begun, OLD)  # what is there stays
    assert material.find_domain(begun, showers) == domain_of(showers[:100])
