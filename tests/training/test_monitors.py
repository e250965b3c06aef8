"""What is measured of a state, against independent computations."""
import numpy as np
import pytest
import scipy.stats

from ecalgen.data.observables import observables
from ecalgen.data.transforms import make_transform
from ecalgen.models.build import build_discriminator
from ecalgen.training import monitors
from ecalgen.training.targets import fit_targets


def test_monitor_is_scipys_distance(showers, monkeypatch):
    """With a generator that returns the showers themselves, shifted by a number of events."""
    real = showers[:100]
    other = showers[100:200]
    sample = lambda variables, key, momentum, point, first: other.energy[first:first + len(momentum)]
    monkeypatch.setattr(monitors, "make_sampler", lambda *_: sample)

    class State:
        sampled = None

    measured = monitors.wasserstein_monitor(None, make_transform("none"), real)(State)
    theirs = observables(real.energy, real.momentum, real.point)["visible_fraction"]
    ours = observables(other.energy, real.momentum, real.point)["visible_fraction"]
    expected = scipy.stats.wasserstein_distance(np.asarray(ours), np.asarray(theirs)) / float(np.std(theirs))
    assert measured["w1_visible_fraction"] == pytest.approx(expected, rel=1e-4)
    assert measured["w1"] > 0


def test_the_error_of_a_constant_is_the_variance(recipe, showers):
    """Standardised on the same showers, a regressor that always says the mean has an error of one."""
    config = recipe("aux_multitask:test")
    targets = fit_targets(config.regressor.targets, config.regressor.weights,
                          build_discriminator(config.discriminator).frame, showers)
    predict = lambda state, cells, momentum, point: 0 * momentum[:, :2] + state
    errors = monitors.error_monitor(predict, make_transform(**config.data.transform), showers, targets)
    assert errors(0.0)["mse"] == pytest.approx(1, rel=1e-3)
    assert errors(2.0)["mse_longitudinal_asymmetry"] == pytest.approx(5, rel=1e-2)
