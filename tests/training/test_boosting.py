"""Weights of the showers for the next generator: lambda as SciPy's root finder has it, and what it means."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from ecalgen.training.boosting import shower_weights


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 0.999), min_size=2, max_size=60), st.sampled_from([0.5, 0.25, 0.1]))
def test_lambda_is_the_root_of_the_sum(probabilities, share):
    made = (1 - share) * (1 - np.array(probabilities)) / np.array(probabilities)
    excess = lambda level: np.maximum(level - made, 0).sum() / (share * len(made)) - 1
    level = brentq(excess, 0, made.max() + len(made), xtol=1e-14)
    np.testing.assert_allclose(shower_weights(probabilities, share),
                               np.maximum(level - made, 0) / (share * len(made)), atol=1e-7)


def test_showers_that_cannot_be_told_weigh_alike():
    np.testing.assert_allclose(shower_weights(np.full(8, 0.5), 0.5), 1 / 8)


def test_what_is_made_too_often_is_not_shown():
    """h = (0.25, 4) / 2: with beta = 1/2, lambda of both would be (1 + 2.125) / 2 < 2, so the first takes all."""
    assert shower_weights([0.8, 0.2], 0.5).tolist() == pytest.approx([1, 0])


def test_the_sum_is_one_where_the_classifier_is_certain():
    assert shower_weights([0.0, 1.0, 1.0, 0.5], 0.25).sum() == pytest.approx(1)
