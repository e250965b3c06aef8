"""The regressors' shapes and what they see; that they learn is tested with their training step."""
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.models.regressor import DiscArch, Regressor, outputs_and_embedding

CELLS = jax.random.uniform(jax.random.key(1), (3, 30, 30, 2))
GIVEN = jax.random.normal(jax.random.key(2), (3, 5))


@pytest.mark.parametrize("attention", [0, 8])
def test_outputs_and_embedding(attention):
    network = Regressor(outputs=5, widths=(4, 4, 4), embedding=16, attention=attention)
    variables = jax.jit(network.init)(jax.random.key(0), CELLS)
    outputs, embedding = jax.jit(network.apply)(variables, CELLS)
    assert outputs.shape == (3, 5) and embedding.shape == (3, 16)
    assert (jnp.abs(embedding) <= 1).all()
    assert ("attention" in variables["params"]) == bool(attention)


@pytest.mark.parametrize("shared, side", [(1, 16), (2, 8), (3, 4)])
def test_the_discriminators_layers_and_the_maps_that_are_shared(shared, side):
    network = DiscArch(outputs=2, widths=(4, 6, 8), shared=shared, embedding=8)
    variables = jax.jit(network.init)(jax.random.key(0), CELLS)
    outputs, maps = jax.jit(network.apply)(variables, CELLS)
    assert outputs.shape == (3, 2) and maps.shape == (3, side, side, (4, 6, 8)[shared - 1])
    assert set(variables["spectral"]) == {"down0", "down1", "down2", "conv"}


@pytest.mark.parametrize("make", [Regressor, functools.partial(DiscArch, spectral_norm=False)])
def test_the_outputs_are_linear_in_the_embedding(make):
    network = make(outputs=2, widths=(4, 4, 4), embedding=8)
    variables = jax.jit(network.init)(jax.random.key(0), CELLS)
    outputs, embedding = outputs_and_embedding(network, variables["params"], CELLS, None)
    layer = jax.tree.map(np.asarray, variables["params"]["outputs"])
    assert set(variables) == {"params"} and embedding.shape == (3, 8)
    np.testing.assert_allclose(outputs, np.asarray(embedding) @ layer["kernel"] + layer["bias"], rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(outputs, network.apply(variables, CELLS)[0])


@pytest.mark.parametrize("early", [False, True])
def test_the_particle_joins_before_or_after_the_convolutions(early):
    """Before: five maps more at the input. After: five numbers more of the layer that follows (4 x 4 maps of 4)."""
    network = Regressor(outputs=2, widths=(4, 4, 4), embedding=8, conditional=True, early=early)
    params = jax.jit(network.init)(jax.random.key(0), CELLS, GIVEN)["params"]
    assert params["down0"]["conv"]["kernel"].shape[2] == (7 if early else 2)
    assert params["embed"]["kernel"].shape[0] == (64 if early else 69)
    # with equal cells in all showers, the convolutions differ only by what they see of the particle
    alike = jnp.broadcast_to(CELLS[:1], CELLS.shape)
    blind = params | {"embed": jax.tree.map(lambda kernel: kernel.at[64:].set(0), params["embed"])}
    outputs = jax.jit(network.apply)({"params": blind}, alike, GIVEN)[0]
    assert (np.ptp(outputs, axis=0) > 1e-4).all() == early


@pytest.mark.parametrize("make", [Regressor, DiscArch])
def test_only_a_conditional_one_sees_the_particle(make):
    blind, seeing = (make(outputs=2, widths=(4, 4, 4), embedding=8, conditional=flag) for flag in (False, True))
    for network, differs in ((blind, False), (seeing, True)):
        variables = jax.jit(network.init)(jax.random.key(0), CELLS, GIVEN)
        one, other = (jax.jit(network.apply)(variables, CELLS, given)[0] for given in (GIVEN, 2 * GIVEN))
        assert np.array_equal(one, other) != differs
