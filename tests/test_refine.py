"""A refiner is trained, kept, loaded and exported; what cannot be is refused."""
import pickle

import numpy as np
import pytest
from exporting import save_run

from ecalgen import load_sampler, refine
from ecalgen.errors import UserError
from ecalgen.export.function import load_function
from ecalgen.sampling.weights import WeightsError, load_weights, save_weights


class Source:
    """A hundred and fifty showers for training, fifty for validation."""

    on_device = 150

    def __init__(self, showers):
        self.showers = showers

    def load(self, split, limit=None):
        return self.showers[:150] if split == "train" else self.showers[150:200]


@pytest.fixture
def run(tmp_path, showers, monkeypatch):
    """A run of an untrained generator with a refiner that was trained for a moment."""
    save_run(tmp_path, "anchored, cells")
    monkeypatch.setattr(refine.runs, "showers_of", lambda source: Source(showers))
    monkeypatch.setattr(refine, "TRAINING", dict(epochs=4, batch=50, rate=3e-3))
    refine.main([f"--run={tmp_path}"])
    return tmp_path


def test_from_training_to_samples(run, showers, capsys):
    few = showers[:20]
    alone, refined = load_sampler(run), load_sampler(run, refine=3)
    assert "refined, 3 candidates" in repr(refined)
    first, second = (sampler(few.momentum, few.point, seed=1) for sampler in (alone, refined))
    kept = (first == second).all((1, 2))
    assert np.isfinite(second).all() and not kept.all()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(refined))(few.momentum, few.point, seed=1), second)
    found = load_weights(run, "refiner")[1]["validation"]
    assert found["auc"] > 0.9 and 0 < found["slope"] <= 1.5  # an untrained generator is told at once


def test_it_is_exported_like_any_generator(run, showers):
    few = showers[:5]
    make_cells, latent, card = load_function(run, refine=2)
    assert card["refine"]["candidates"] == 2 and latent == 2 * load_function(run)[1] + 1
    conditions = np.hstack([few.momentum, few.point]).astype("f4")
    cells = np.asarray(make_cells(np.random.default_rng(0).normal(size=(5, latent)).astype("f4"), conditions))
    assert cells.shape == (5, 30, 30) and np.isfinite(cells).all()


def test_what_cannot_be_refined_is_refused(run, tmp_path):
    for wrong in (0, 1.5, 17, True):
        with pytest.raises(UserError, match="number of candidates"):
            load_sampler(run, refine=wrong)
    with pytest.raises(WeightsError, match="ecalgen refine --run baseline"):
        load_sampler("baseline", refine=2)
    params, card = load_weights(run, "refiner")
    save_weights(run / "refiner", params, {name: card[name] for name in ("kind", "features", "widths", "provenance")} |
                 {"generator_sha256": "0" * 64})
    with pytest.raises(WeightsError, match="trained for other weights"):
        load_sampler(run, refine=2)
    with pytest.raises(SystemExit, match="--out"):
        refine.main(["--run=anchored_light"])


def test_odds_that_tell_nothing_are_calibrated_to_nothing():
    rng = np.random.default_rng(0)
    real, generated = rng.normal(0.5, 1, 20_000), rng.normal(-0.5, 1, 20_000)
    assert refine.calibration(real, generated) == pytest.approx(1, abs=0.03)
    assert refine.calibration(3 * real, 3 * generated) == pytest.approx(1 / 3, abs=0.01)
    assert refine.calibration(generated, real) == 0
    assert refine.calibration(0.01 * real, 0.01 * generated) == 1.5
