"""Ensembles: each shower is that of the member whose turn it is, whatever else is made with it."""
from statistics import NormalDist

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.grid import Domain, Grid, Scales
from ecalgen.models.build import build_ensemble
from ecalgen.models.ensemble import name_of
from ecalgen.models.protocol import check_generator

GRID = Grid((4, 4, 2), (1.0, 1.0, 1.0), 1.0)
DOMAIN = Domain(GRID, Scales(2.0, 1.0, 1.0, 1.0, 1.0, 0.03, 0.01))
FIELDS = {"name": "volumes", "latent": 4, "widths": (4, 4), "hidden": 2, "rounds": 1}
MOMENTUM = jnp.array([[0.0, 0.0, 5.0]] * 40)
POINT = jnp.zeros((40, 2))


@pytest.fixture(scope="module")
def ensemble():
    generator = build_ensemble(FIELDS, 3, DOMAIN)
    check_generator(generator)
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 40))
    variables = jax.jit(generator.init)(jax.random.key(1), noise, MOMENTUM, POINT)
    return generator, noise, variables


def test_each_shower_is_that_of_its_member(ensemble):
    generator, noise, variables = ensemble
    made = jax.jit(generator.apply)(variables, noise, MOMENTUM, POINT)
    member = np.array([np.floor(3 * NormalDist().cdf(float(number))) for number in noise["member"]]).astype(int)
    assert set(member) == {0, 1, 2} and sorted(variables["params"]) == [name_of(number) for number in range(3)]
    for number in range(3):
        alone = jax.jit(generator.member.apply)({"params": variables["params"][name_of(number)]}, noise["shower"],
                                                MOMENTUM, POINT)
        np.testing.assert_allclose(made[member == number], alone[member == number], rtol=1e-5, atol=1e-6)
        assert np.abs(made[member != number] - alone[member != number]).max() > 1e-3


def test_the_noise_of_a_member_is_its_own(ensemble):
    generator, noise, _ = ensemble
    key = jax.random.split(jax.random.key(0), 40)[3]
    jax.tree.map(lambda part, drawn: np.testing.assert_array_equal(part[3], drawn), noise["shower"],
                 generator.member.draw_noise(key))
