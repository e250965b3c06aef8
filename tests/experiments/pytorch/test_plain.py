"""The PyTorch networks that ours are timed against are the same ones: same weights, same numbers."""
import jax
import numpy as np
import pytest
from parameters import stirred

from ecalgen.models.build import build_discriminator, build_generator
from ecalgen.models.layers import fold_spectral_norm
from ecalgen.sampling.cards import folded

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch")


@pytest.fixture
def theirs(experiment):
    return experiment("pytorch.plain")


@pytest.mark.parametrize("preset", ["cpu", "cpu,recipe=paper"])
def test_the_same_showers(theirs, recipe, showers, preset):
    fields = recipe(f"baseline:{preset}").generator.to_dict()
    generator, momentum, point = build_generator(fields), showers.momentum[:40], showers.point[:40]
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 40))
    variables = jax.jit(generator.init)(jax.random.key(1), noise, momentum, point)
    params = stirred(fold_spectral_norm(variables["params"], variables["spectral"], 200))
    ours = build_generator(folded(fields)).apply({"params": params}, noise, momentum, point)
    module = theirs.take(theirs.Generator(**folded(fields)), params)
    latent, maps = (torch.from_numpy(np.array(noise[name])) for name in ("latent", "cells"))
    with torch.no_grad():
        cells = module((latent, maps.permute(0, 3, 1, 2)), torch.from_numpy(momentum), torch.from_numpy(point))
    assert np.ptp(ours) > 0
    np.testing.assert_allclose(cells.numpy(), ours, rtol=1e-4, atol=1e-4 * np.abs(ours).max())


def test_the_same_logits(theirs, recipe, showers):
    fields = recipe("baseline:cpu").discriminator.to_dict()
    discriminator = build_discriminator(recipe("baseline:cpu").discriminator)
    given = np.sqrt(showers.energy[:40] / 100), showers.momentum[:40], showers.point[:40]
    variables = jax.jit(discriminator.init)(jax.random.key(1), *given)
    params = stirred(fold_spectral_norm(variables["params"], variables["spectral"], 200))
    ours, _ = discriminator.clone(spectral_norm=False).apply({"params": params}, *given)
    module = theirs.take(theirs.Discriminator(**fields | {"spectral_norm": False}), params)
    with torch.no_grad():
        logits = module(*map(torch.from_numpy, given))
    np.testing.assert_allclose(logits.numpy(), ours, rtol=1e-4, atol=1e-4 * np.abs(ours).max())


def test_a_step_trains_both(theirs):
    steps = theirs.training()
    assert steps() == theirs.STEPS
    step = next(cell.cell_contents for cell in steps.__closure__ if callable(cell.cell_contents))
    networks = [cell.cell_contents for cell in step.__closure__ if isinstance(cell.cell_contents, torch.nn.Module)]
    assert len(networks) == 2
    for network in networks:
        assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0
                   for name, parameter in network.named_parameters() if "attention" not in name)
