"""The objective that a recipe describes."""
import numpy as np
import pytest

from ecalgen.training.objective import objective_of
from ecalgen.training.stages import make_targets


@pytest.mark.parametrize("name, multitask, weights, steering", [
    ("aux_multitask:test", True, (1.0, 0.5), None), ("aux_twostep:test", False, None, None),
    ("wgan:test", False, None, (3.0, 3.0, 3.0, 0.75, 0.75))])
def test_a_regressor_is_weighed_where_it_is_trained(recipe, showers, name, multitask, weights, steering):
    """By alpha_k in the discriminator's loss if multi-task, and by steering times alpha_k in the generator's."""
    alphas = (1.0, 0.25) if steering else (1.0, 0.5)
    config = recipe(name, **{"regressor.weights": alphas, "regressor.steering": 3.0 if steering else 0.0})
    objective = objective_of(config, make_targets(config, showers), multitask)
    assert (objective.weights, objective.steering) == (weights, steering)


def test_every_field_of_the_recipe_arrives(recipe):
    """With a value of its own for each, so that none is taken for another."""
    fields = {"batch_size": 24, "discriminator_steps": 3, "loss": "wasserstein", "r1": 0.5, "r1_every": 7,
              "gradient_penalty": 2.5, "ema": 0.75, "r2": 0.25, "energy_score": 1.5}
    objective = objective_of(recipe("baseline:test", **{f"train.{name}": value for name, value in fields.items()}))
    assert {name: getattr(objective, name) for name in fields} == fields
    assert objective.weights is None and objective.steering is None
    critic = objective.losses.discriminator(np.array([2.0]), np.array([-3.0]))
    assert critic == pytest.approx(-5)
