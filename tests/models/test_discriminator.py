"""The discriminator: shapes, and that it sees cells and conditions through every switch."""
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.models.discriminator import Discriminator, PhysicsDiscriminator, energy_scales

MOMENTUM, POINT = jnp.array([[0.1, 0.2, 5.0], [3.0, -2.0, 40.0]]), jnp.array([[0.0, 0.1], [-2.0, 1.0]])
CELLS = jax.random.uniform(jax.random.key(2), (2, 30, 30))
SWITCHES = list(itertools.product([False, True], [0, 8], ["projection", "concatenation"]))


@pytest.mark.parametrize("spectral_norm, attention, conditioning", SWITCHES)
def test_a_logit_a_shower_from_cells_and_conditions(spectral_norm, attention, conditioning):
    network = Discriminator((4, 8, 8), attention, spectral_norm, conditioning, embedding=8)
    variables = network.init(jax.random.key(0), CELLS, MOMENTUM, POINT)
    logits = network.apply(variables, CELLS, MOMENTUM, POINT)
    assert logits.shape == (2,)
    assert (logits != network.apply(variables, 2 * CELLS, MOMENTUM, POINT)).all()
    assert (logits != network.apply(variables, CELLS, 2 * MOMENTUM, POINT)).all()
    assert (logits != network.apply(variables, CELLS, MOMENTUM, POINT + 1)).all()
    assert ("spectral" in variables) == spectral_norm


def test_projection_is_linear_in_the_features():
    """D(x, y) - D(x, y') = <V(y) - V(y'), phi(x)>, so it is additive in phi: checked with the logit layer removed."""
    network = Discriminator((4, 8, 8), attention=0, spectral_norm=False, embedding=8)
    params = network.init(jax.random.key(0), CELLS, MOMENTUM, POINT)["params"]
    params = params | {"logit": jax.tree.map(jnp.zeros_like, params["logit"])}
    params["project"] = jax.tree.map(jnp.zeros_like, params["project"])
    assert (network.apply({"params": params}, CELLS, MOMENTUM, POINT) == 0).all()


PHYSICS = dict(widths=(4, 8, 8), embedding=8)
MEV = jnp.where(CELLS > 0.8, 500 * CELLS, 0.0)


@pytest.mark.parametrize("observables, octant, attention", [(True, True, 0), (False, True, 8), (True, False, 0)])
def test_the_physics_discriminator_sees_cells_and_conditions(observables, octant, attention):
    network = PhysicsDiscriminator(**PHYSICS, observables=observables, octant=octant, attention=attention)
    variables = network.init(jax.random.key(0), MEV, MOMENTUM, POINT)
    logits = network.apply(variables, MEV, MOMENTUM, POINT)
    assert logits.shape == (2,)
    assert (logits != network.apply(variables, 1.5 * MEV, MOMENTUM, POINT)).all()
    assert (logits != network.apply(variables, MEV, 2 * MOMENTUM, POINT)).all()
    assert ("whitening" in variables["params"]) == observables
    mirrored = network.apply(variables, MEV[:, ::-1], MOMENTUM * jnp.array([[-1, 1, 1]]), POINT * jnp.array([[-1, 1]]))
    assert bool(jnp.allclose(mirrored, logits, rtol=1e-4)) == octant


def test_its_gradient_is_finite_at_silent_cells():
    network = PhysicsDiscriminator(**PHYSICS)
    variables = network.init(jax.random.key(0), MEV, MOMENTUM, POINT)
    gradient = jax.grad(lambda cells: network.apply(variables, cells, MOMENTUM, POINT).sum())
    assert np.isfinite(gradient(MEV)).all() and np.isfinite(gradient(jnp.zeros_like(MEV))).all()


def test_energy_scales_by_hand():
    """A cell of 1 MeV of a 10 GeV particle, and a silent one."""
    views = energy_scales(jnp.array([[[1.0, 0.0]]]), jnp.array([[0.0, 0.0, 10.0]]))
    expected = [1.0, np.log(11) / 3, 6 * (np.sqrt(1e-4 + 1e-6) - 1e-3), 2e-3]
    np.testing.assert_allclose(views[0, 0], [expected, [0, 0, 0, 0]], atol=1e-6)
