"""The discriminator: shapes, and that it sees cells and conditions through every switch."""
import copy
import functools
import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.models.discriminator import Discriminator, PhysicsDiscriminator, energy_scales
from ecalgen.models.regressor import DiscArch, Regressor

MOMENTUM, POINT = jnp.array([[0.1, 0.2, 5.0], [3.0, -2.0, 40.0]]), jnp.array([[0.0, 0.1], [-2.0, 1.0]])
CELLS = jax.random.uniform(jax.random.key(2), (2, 30, 30))
SWITCHES = list(itertools.product([False, True], [0, 8], ["projection", "concatenation"]))


@pytest.mark.parametrize("spectral_norm, attention, conditioning", SWITCHES)
def test_a_logit_a_shower_from_cells_and_conditions(spectral_norm, attention, conditioning):
    network = Discriminator((4, 8, 8), attention, spectral_norm, conditioning, embedding=8)
    variables = jax.jit(network.init)(jax.random.key(0), CELLS, MOMENTUM, POINT)
    apply = jax.jit(network.apply)
    logits, predicted = apply(variables, CELLS, MOMENTUM, POINT)
    assert logits.shape == (2,) and predicted.shape == (2, 0)
    assert (logits != apply(variables, 2 * CELLS, MOMENTUM, POINT)[0]).all()
    assert (logits != apply(variables, CELLS, 2 * MOMENTUM, POINT)[0]).all()
    assert (logits != apply(variables, CELLS, MOMENTUM, POINT + 1)[0]).all()
    assert ("spectral" in variables) == spectral_norm


@pytest.mark.parametrize("changes", [dict(), dict(unit="root"), dict(octant=True), dict(unit="root", squares=True)])
def test_what_it_is_shown(changes):
    network = Discriminator((4, 8, 8), 0, True, embedding=8, **changes)
    shown, _ = network.views(CELLS, MOMENTUM, POINT)
    assert shown.shape == (2, 30, 30, 1 + ("squares" in changes))
    cells, momentum, _ = network.frame(CELLS, MOMENTUM, POINT)
    assert (momentum[:, 0] >= momentum[:, 1]).all() == bool(changes.get("octant"))
    unit = np.sqrt(np.linalg.norm(momentum, axis=1) / 10)[:, None, None] if "unit" in changes else 1
    np.testing.assert_allclose(shown[..., 0], cells / unit, rtol=1e-5)
    if "squares" in changes:  # of roots of energies in units of the root of E: shares of E
        np.testing.assert_allclose(shown[..., 1], 10 * cells**2 / np.linalg.norm(momentum, axis=1)[:, None, None], 1e-5)


def test_projection_is_linear_in_the_features():
    """D(x, y) - D(x, y') = <V(y) - V(y'), phi(x)>, so it is additive in phi: checked with the logit layer removed."""
    network = Discriminator((4, 8, 8), attention=0, spectral_norm=False, embedding=8)
    params = jax.jit(network.init)(jax.random.key(0), CELLS, MOMENTUM, POINT)["params"]
    params = params | {"logit": jax.tree.map(jnp.zeros_like, params["logit"])}
    params["project"] = jax.tree.map(jnp.zeros_like, params["project"])
    assert (jax.jit(network.apply)({"params": params}, CELLS, MOMENTUM, POINT)[0] == 0).all()


def test_a_learnt_gain_is_the_given_one_at_first():
    fixed, learnt = (Discriminator((4, 8, 8), 0, False, embedding=8, gain=3.0, learnt_gain=flag)
                     for flag in (False, True))
    params = jax.jit(learnt.init)(jax.random.key(0), CELLS, MOMENTUM, POINT)["params"]
    logit = lambda network, params: network.apply({"params": params}, CELLS, MOMENTUM, POINT)[0]
    others = {name: value for name, value in params.items() if name != "log_gain"}
    np.testing.assert_allclose(logit(learnt, params), logit(fixed, others), rtol=1e-6)
    raised = logit(learnt, others | {"log_gain": jnp.log(2.0)})
    np.testing.assert_allclose(raised, 2 * logit(fixed, others), rtol=1e-5)


PHYSICS = dict(widths=(4, 8, 8), embedding=8)
MEV = jnp.where(CELLS > 0.8, 500 * CELLS, 0.0)


@pytest.mark.parametrize("observables, octant, attention", [(True, True, 0), (False, True, 8), (True, False, 0)])
def test_the_physics_discriminator_sees_cells_and_conditions(observables, octant, attention):
    network = PhysicsDiscriminator(**PHYSICS, observables=observables, octant=octant, attention=attention)
    variables = jax.jit(network.init)(jax.random.key(0), MEV, MOMENTUM, POINT)
    apply = jax.jit(network.apply)
    logits, _ = apply(variables, MEV, MOMENTUM, POINT)
    assert logits.shape == (2,)
    assert (logits != apply(variables, 1.5 * MEV, MOMENTUM, POINT)[0]).all()
    assert (logits != apply(variables, MEV, 2 * MOMENTUM, POINT)[0]).all()
    assert ("whitening" in variables["params"]) == observables
    mirrored, _ = apply(variables, MEV[:, ::-1], MOMENTUM * jnp.array([[-1, 1, 1]]), POINT * jnp.array([[-1, 1]]))
    assert bool(jnp.allclose(mirrored, logits, rtol=1e-4)) == octant


def test_its_gradient_is_finite_at_silent_cells():
    network = PhysicsDiscriminator(**PHYSICS)
    variables = jax.jit(network.init)(jax.random.key(0), MEV, MOMENTUM, POINT)
    gradient = jax.jit(jax.grad(lambda cells: network.apply(variables, cells, MOMENTUM, POINT)[0].sum()))
    assert np.isfinite(gradient(MEV)).all() and np.isfinite(gradient(jnp.zeros_like(MEV))).all()


def test_energy_scales_by_hand():
    """A cell of 1 MeV of a 10 GeV particle, and a silent one."""
    views = energy_scales(jnp.array([[[1.0, 0.0]]]), jnp.array([[0.0, 0.0, 10.0]]))
    expected = [1.0, np.log(11) / 3, 6 * (np.sqrt(1e-4 + 1e-6) - 1e-3), 2e-3]
    np.testing.assert_allclose(views[0, 0], [expected, [0, 0, 0, 0]], atol=1e-6)


REGRESSORS = {"cnn": Regressor(2, (4, 4, 4), 8), "disc_arch": DiscArch(2, (4, 8, 8), spectral_norm=False, embedding=8)}


@pytest.mark.parametrize("kind, conditioning", list(itertools.product(REGRESSORS, ["projection", "concatenation"])))
def test_a_frozen_regressor_is_a_condition(kind, conditioning):
    """With its outputs' layer moved, the prediction moves as much, and the decision with it."""
    network = Discriminator((4, 8, 8), 0, True, conditioning, embedding=8, regressor=REGRESSORS[kind])
    variables = jax.jit(network.init)(jax.random.key(0), CELLS, MOMENTUM, POINT)
    apply = jax.jit(network.apply)
    logits, predicted = apply(variables, CELLS, MOMENTUM, POINT)
    alone, _ = REGRESSORS[kind].apply({"params": variables["params"]["regressor"]}, CELLS[..., None])
    np.testing.assert_allclose(predicted, alone, rtol=1e-5)
    moved = copy.deepcopy(variables)
    moved["params"]["regressor"]["outputs"]["bias"] += 1
    other, shifted = apply(moved, CELLS, MOMENTUM, POINT)
    np.testing.assert_allclose(shifted - predicted, 1, rtol=1e-4)
    assert (other != logits).all()


class Blind(nn.Module):
    """A regressor whose predictions have no gradient."""

    regressor: nn.Module

    @nn.compact
    def __call__(self, views, given=None, update_stats=False):
        predicted, embedding = self.regressor(views, given)
        return jax.lax.stop_gradient(predicted), embedding


@pytest.mark.parametrize("conditioning", ["projection", "concatenation"])
def test_the_decision_has_a_gradient_through_the_predictions(conditioning):
    """Without it the generator would never learn of what the regressor finds wrong."""
    seeing, blind = (Discriminator((4, 8, 8), 0, True, conditioning, embedding=8, regressor=regressor)
                     for regressor in (REGRESSORS["cnn"], Blind(REGRESSORS["cnn"])))
    variables = jax.jit(seeing.init)(jax.random.key(0), CELLS, MOMENTUM, POINT)
    variables["params"]["regressor"]["outputs"]["kernel"] *= 100
    shut = copy.deepcopy(variables)
    shut["params"]["regressor"] = {"regressor": shut["params"]["regressor"]}
    slope = lambda network, variables: jax.jit(jax.grad(
        lambda cells: network.apply(variables, cells, MOMENTUM, POINT)[0].sum()))(CELLS)
    np.testing.assert_allclose(jax.jit(seeing.apply)(variables, CELLS, MOMENTUM, POINT)[0],
                               jax.jit(blind.apply)(shut, CELLS, MOMENTUM, POINT)[0], rtol=1e-5)
    assert np.linalg.norm(slope(seeing, variables) - slope(blind, shut)) > 0.5 * np.linalg.norm(slope(blind, shut))


def test_a_bounded_reading_is_handed_on_whole():
    """Far off, a reading of a million is as one of a thousand to the decision; near, as if there were no bound."""
    build = functools.partial(Discriminator, (4, 8, 8), 0, True, embedding=8, regressor=REGRESSORS["cnn"])
    free, bounded = build(), build(bound=5.0)
    variables = jax.jit(free.init)(jax.random.key(0), CELLS, MOMENTUM, POINT)

    def read(network, shift):
        moved = copy.deepcopy(variables)
        moved["params"]["regressor"]["outputs"]["bias"] += shift
        return network.apply(moved, CELLS, MOMENTUM, POINT)

    np.testing.assert_allclose(read(bounded, 1e6)[0], read(bounded, 1e3)[0], rtol=1e-5)
    assert (abs(read(free, 1e6)[0] - read(free, 1e3)[0]) > 10).all()
    np.testing.assert_allclose(read(bounded, 1e3)[1], read(free, 1e3)[1], rtol=1e-5)
    np.testing.assert_allclose(read(bounded, 0)[0], read(free, 0)[0], atol=0.05)
    np.testing.assert_allclose(read(build(bound=1e4), 0)[0], read(free, 0)[0], rtol=1e-4)


@pytest.mark.parametrize("network, cells", [
    (Discriminator((4, 8, 8), 0, True, embedding=8, auxiliary=DiscArch(3, (4, 8, 8), shared=2)), CELLS),
    (PhysicsDiscriminator(**PHYSICS, auxiliary=DiscArch(3, (4, 8, 8), shared=1)), MEV)])
def test_an_auxiliary_regressor_shares_the_first_blocks(network, cells):
    """The blocks that are shared are the regressor's; the decision hangs on them, and so do the predictions."""
    variables = jax.jit(network.init)(jax.random.key(0), cells, MOMENTUM, POINT)
    shared = network.auxiliary.shared
    own = {f"down{i}" for i in range(3)} & set(variables["params"])
    assert own == {f"down{i}" for i in range(shared, 3)}
    apply = jax.jit(network.apply)
    logits, predicted = apply(variables, cells, MOMENTUM, POINT)
    assert predicted.shape == (2, 3)
    moved = copy.deepcopy(variables)
    moved["params"]["auxiliary"]["down0"]["conv"]["bias"] += 0.5
    other, shifted = apply(moved, cells, MOMENTUM, POINT)
    assert (other != logits).all() and (shifted != predicted).all()


def gradients(network, variables, what):
    """{layer of the regressor: largest gradient} of the logits (0) or of the predictions (1)."""
    loss = lambda params: network.apply(variables | {"params": params}, CELLS, MOMENTUM, POINT)[what].sum()
    found = jax.jit(jax.grad(loss))(variables["params"])["auxiliary"]
    return {name: max(float(abs(leaf).max()) for leaf in jax.tree.leaves(layer)) for name, layer in found.items()}


@pytest.mark.slow
def test_the_adversarial_gradient_reaches_the_regressor_if_it_is_to():
    """Else its own layers have none from the logit; the shared block has one through its maps, in either case."""
    through, held = (Discriminator((4, 8, 8), 0, True, embedding=8, auxiliary=DiscArch(2, (4, 8, 8), shared=1),
                                   adversarial_gradient=flag) for flag in (True, False))
    variables = jax.jit(held.init)(jax.random.key(0), CELLS, MOMENTUM, POINT)
    own = {"down1", "down2", "conv", "embed", "outputs"}
    assert all(gradients(through, variables, 0)[name] > 0 for name in own | {"down0"})
    found = gradients(held, variables, 0)
    assert {name for name, size in found.items() if size > 0} == {"down0"} and set(found) == own | {"down0"}
    assert gradients(held, variables, 1) == gradients(through, variables, 1)  # L_reg is as it was


@pytest.mark.parametrize("decides", [True, False])
def test_without_the_adversarial_gradient_it_decides_alike(decides):
    """The same logits, slopes by the cells and vectors of the spectral norm; only gradients by parameters differ."""
    through, held = (Discriminator((4, 8, 8), 0, True, embedding=8, auxiliary=DiscArch(2, (4, 8, 8), shared=1),
                                   decides=decides, adversarial_gradient=flag) for flag in (True, False))
    variables = jax.jit(held.init)(jax.random.key(0), CELLS, MOMENTUM, POINT)

    def called(network):
        """(the slopes of the logits by the cells, all that a call gives)"""
        def call(cells):
            made = network.apply(variables, cells, MOMENTUM, POINT, update_stats=True, mutable=["spectral"])
            return made[0][0].sum(), made
        return jax.jit(jax.grad(call, has_aux=True))(CELLS)

    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7),
                 called(through), called(held))


def test_the_physics_discriminator_shows_a_regressor_the_octant():
    """A mirrored shower looks the same to the regressor, up to what the mirror does to nothing."""
    network = PhysicsDiscriminator(**PHYSICS, regressor=REGRESSORS["cnn"])
    variables = jax.jit(network.init)(jax.random.key(0), MEV, MOMENTUM, POINT)
    apply = jax.jit(network.apply)
    _, predicted = apply(variables, MEV, MOMENTUM, POINT)
    mirror = jnp.array([[1, -1, 1]])
    _, mirrored = apply(variables, MEV[:, :, ::-1], MOMENTUM * mirror, POINT * mirror[:, :2])
    np.testing.assert_allclose(mirrored, predicted, rtol=1e-4)
