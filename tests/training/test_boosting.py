"""Boosting: lambda as SciPy's root finder has it, what the weights mean, and the stages of an ensemble."""
import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from ecalgen.data.grid import Grid
from ecalgen.data.showers import Showers, domain_of
from ecalgen.data.transforms import make_transform
from ecalgen.training import stages
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


@pytest.fixture(scope="module")
def blocks():
    """Something like showers in 6 x 6 x 4 cells, of 5 to 50 GeV."""
    rng = np.random.default_rng(0)
    incident = rng.uniform(5, 50, 64)
    energy = rng.exponential(incident[:, None, None, None] / 10, (64, 6, 6, 4))
    return Showers(energy, np.column_stack([np.zeros((64, 2)), incident]), np.zeros((64, 2)),
                   grid=Grid((6, 6, 4), (1.0, 1.0, 1.0), 1.0))


@pytest.fixture
def made(recipe, blocks):
    """The stages of a tiny ensemble of two, and their training arrays."""
    config = recipe("adagan:test", **{"generator.widths": (4, 4), "discriminator.widths": (4, 4, 4)})
    data = stages.training_arrays(blocks, make_transform(**config.data.transform))
    return stages.build_stages(config, data, blocks, domain_of(blocks)), data


def test_members_classifiers_and_the_ensemble_follow_each_other(made):
    found, data = made
    assert [stage.name for stage in found] == ["member0", "judge1", "member1", "ensemble"]
    first = found[0].init(jax.random.key(0), {})
    classified = found[1].init(jax.random.key(0), {"member0": first})
    second = found[2].init(jax.random.key(0), {"member0": first, "judge1": classified})
    whole = found[3].init(jax.random.key(0), {"member0": first, "member1": second})
    assert jax.tree.map(np.shape, whole) == jax.tree.map(np.shape, found[3].init(jax.random.key(0), None))
    jax.tree.map(np.testing.assert_array_equal, whole.sampled["params"],
                 {"member0": first.ema, "member1": second.ema})


def test_the_second_member_sees_the_showers_by_their_weights(made):
    """Those of the classifier before it; the first member and the classifier see all alike."""
    (first, judge, second, _), data = made
    start = {"member0": first.init(jax.random.key(0), {})}
    start["judge1"] = judge.init(jax.random.key(1), start)
    assert set(first.shown(data, {})) == {*data, "targets"} and judge.shown(data, start) is data
    assert len(data["symmetries"]) == 8
    log_energy = np.log(data["momentum"][:, 2])
    expected = (log_energy - log_energy.mean()) / log_energy.std()
    np.testing.assert_allclose(first.shown(data, {})["targets"][:, 0], expected, atol=1e-4)
    classifier = judge.step.keywords["fit"].classifier
    shower = (data[name] for name in ("cells", "momentum", "point"))
    logits, _ = classifier.apply(start["judge1"].network.variables, *shower)
    weights = shower_weights(1 / (1 + np.exp(-np.asarray(logits))), 1 / 2)
    np.testing.assert_allclose(second.shown(data, start)["cumulative"], np.cumsum(weights), rtol=1e-3)
