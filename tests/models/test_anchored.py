"""The anchored generator: its total, its symmetry, its switches, and where its gradients go."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.data.grid import PAPERS
from ecalgen.models.anchored import AnchoredGenerator, CellCorrection, depth_to_space, scaled, space_to_depth
from ecalgen.models.prior import total_unit
from ecalgen.training.networks import FITS
from ecalgen.training.steps import held

TINY = dict(shape_latents=2, latent=4, widths=(4, 4, 4))
MOMENTUM = jnp.array([[0.5, 0.2, 5.0], [3.0, 2.0, 40.0]])
POINT = jnp.array([[0.0, 0.1], [-2.0, 1.0]])


def made(generator, momentum=MOMENTUM, point=POINT):
    """(variables, noise, showers)"""
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(1), 2))
    energy, variables = jax.jit(generator.init_with_output)(jax.random.key(0), noise, momentum, point)
    return variables, noise, energy


def test_space_to_depth_and_back():
    x = jnp.arange(2 * 4 * 4 * 3.0).reshape(2, 4, 4, 3)
    deep = space_to_depth(x)
    assert deep.shape == (2, 2, 2, 12)
    np.testing.assert_array_equal(deep[0, 0, 1], x[0, :2, 2:].reshape(-1))
    np.testing.assert_array_equal(depth_to_space(deep), x)


def test_scaled_by_hand():
    cells = jnp.ones((2, 30, 30))
    np.testing.assert_allclose(scaled(cells, jnp.array([90.0, 1800.0]))[:, 0, 0], [0.1, 2.0], rtol=1e-6)
    assert (scaled(0 * cells, jnp.array([90.0, 1.0])) == 0).all()


@pytest.mark.parametrize("switches", [
    dict(), dict(profile="fixed"), dict(total=False), dict(correction=False), dict(octant=False), dict(attention=8),
    dict(spectral_norm=True), dict(sight=False),
    dict(correlated=False), dict(network="cells"), dict(shared=True, mixture=3, correction=False), dict(shared=True),
    dict(by_hits=True), dict(shared=True, corners=True)])
def test_every_switch_makes_showers(switches):
    generator = AnchoredGenerator(**TINY | switches)
    variables, _, energy = made(generator)
    assert energy.shape == (2, 30, 30) and np.isfinite(energy).all() and (energy >= 0).all()
    assert 0.3 < float((energy == 0).mean()) < 0.99
    assert ("correction" in variables["params"]) == switches.get("correction", True)
    assert ("spectral" in variables) == switches.get("spectral_norm", False)
    assert ("attention" in variables["params"].get("correction", {})) == bool(switches.get("attention"))
    assert ("whitening" in variables["params"]) == (switches.get("correction", True) and switches.get("sight", True))
    correlated = switches.get("correction", True) and switches.get("correlated", True) and "shared" not in switches
    assert ("neighbours" in variables["params"]) == correlated
    assert not correlated or variables["params"]["neighbours"].shape == ((2, 3) if "by_hits" in switches else (2,))
    for name, switch in (("shares", "shared"), ("corners", "corners"), ("latents", "mixture")):
        assert (name in variables["params"]) == (switch in switches)
    assert ("profile" in variables["params"]) == (switches.get("profile") != "fixed")


def test_the_total_is_drawn_from_its_head():
    """With the same noise for the total, other cells share the same energy."""
    generator = AnchoredGenerator(**TINY)
    variables, noise, energy = made(generator)
    other = noise | {"cells": -noise["cells"], "latent": -noise["latent"]}
    again = jax.jit(generator.apply)(variables, other, MOMENTUM, POINT)
    np.testing.assert_allclose(energy.sum((1, 2)), again.sum((1, 2)), rtol=1e-4)
    centre, scale = total_unit(MOMENTUM, PAPERS)
    assert (jnp.abs(energy.sum((1, 2)) - centre) < 10 * scale).all()


def test_mirrored_particles_make_mirrored_showers():
    generator = AnchoredGenerator(**TINY)
    variables, noise, energy = made(generator)
    turn = jnp.array([[-1.0, 1.0]])
    momentum = jnp.concatenate([MOMENTUM[:, :2] * turn, MOMENTUM[:, 2:]], axis=1)
    apply = jax.jit(generator.apply)
    np.testing.assert_allclose(apply(variables, noise, momentum, POINT * turn), energy[:, ::-1], rtol=1e-5)
    swapped = apply(variables, noise, MOMENTUM[:, jnp.array([1, 0, 2])], POINT[:, ::-1])
    np.testing.assert_allclose(swapped, energy.swapaxes(1, 2), rtol=1e-5)


def test_it_starts_from_the_prior():
    """The correction's last layer starts small: the mean over cells of log e moves by a few per cent at most."""
    generator = AnchoredGenerator(**TINY)
    variables, noise, energy = made(generator)
    alone = generator.clone(correction=False).apply(variables, noise, MOMENTUM, POINT)
    lit = (alone > 1) & (energy > 1)
    assert lit.sum() > 20
    np.testing.assert_allclose(jnp.log(energy[lit] / alone[lit]), 0, atol=0.3)


@pytest.mark.slow
def test_only_the_correction_and_what_neighbours_share_is_trained():
    generator = AnchoredGenerator(**TINY)
    variables, noise, _ = made(generator)
    made_of = lambda params: generator.apply({"params": held(params, FITS["prior"])}, noise, MOMENTUM, POINT)
    gradients = jax.jit(jax.grad(lambda params: made_of(params)[:, 12:18].sum()))(variables["params"])
    moved = {name: any(bool((leaf != 0).any()) for leaf in jax.tree.leaves(part)) for name, part in gradients.items()}
    assert moved == {"total": False, "profile": False, "whitening": False, "neighbours": True, "correction": True}
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


def test_a_correction_of_each_cell_alone_sees_no_other():
    """Noise of one cell changes that cell's correction alone, where the network is not shown the prior's draw."""
    correction, rng = CellCorrection((4, 4)), np.random.default_rng(0)
    signal, maps, place = (rng.normal(size=shape).astype("f4") for shape in ((1, 5), (4, 1, 30, 30), (8, 1, 30, 30)))
    variables = jax.jit(correction.init)(jax.random.key(0), signal, maps, place)
    stirred = jax.tree.map(lambda leaf: leaf + 0.3, variables)
    before = correction.apply(stirred, signal, maps, place)
    maps[3, 0, 7, 20] += 1
    changed = jnp.any(correction.apply(stirred, signal, maps, place) != before, axis=0)
    assert np.argwhere(changed).tolist() == [[0, 7, 20]]


@pytest.mark.slow
def test_its_response_has_a_gradient():
    """Twice the momentum is twice the energy, about: p dS/dp = S up to the resolution."""
    generator = AnchoredGenerator(**TINY)
    variables, noise, energy = made(generator)
    response = jax.jit(lambda momentum: generator.apply(variables, noise, momentum, POINT).sum())
    slope = jnp.sum(MOMENTUM * jax.jit(jax.grad(response))(MOMENTUM))
    assert float(slope) == pytest.approx(float(energy.sum()), rel=0.1)
    step = 1e-2
    difference = (response(MOMENTUM * (1 + step)) - response(MOMENTUM * (1 - step))) / (2 * step)
    assert float(slope) == pytest.approx(float(difference), rel=0.02)
