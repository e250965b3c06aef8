"""Convolutions with a stride, and transposed ones, against those of Flax."""
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.models.layers import Conv, DoublingConv, HalvingConv, TransposedConv

RNG = np.random.default_rng(3)


def test_doubling_conv_is_a_convolution_of_the_doubled_map():
    x = RNG.normal(size=(2, 5, 4, 3)).astype("f4")
    layer = DoublingConv(4, spectral_norm=True)
    variables = jax.jit(layer.init)(jax.random.key(0), x)
    doubled = np.repeat(np.repeat(x, 2, axis=1), 2, axis=2)
    np.testing.assert_allclose(layer.apply(variables, x), Conv(4, spectral_norm=True).apply(variables, doubled),
                               atol=1e-5)


@pytest.mark.parametrize("side", [8, 7])
def test_halving_conv_and_its_gradients_are_those_of_a_stride_of_two(side):
    """Of the second order too: a penalty of the slope, by parameters and cells."""
    x = jnp.asarray(RNG.normal(size=(2, side, 6, 3)), jnp.float32)
    halving, strided = HalvingConv(5), nn.Conv(5, (4, 4), (2, 2))
    variables = jax.jit(halving.init)(jax.random.key(0), x)

    def penalty(layer, variables, x):
        slope = jax.grad(lambda x: jnp.sum(jnp.tanh(layer.apply(variables, x))))(x)
        return jnp.sum(slope**2)

    np.testing.assert_allclose(halving.apply(variables, x), strided.apply(variables, x), atol=1e-5)
    ours, theirs = (jax.grad(penalty, (1, 2))(layer, variables, x) for layer in (halving, strided))
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-4), ours, theirs)


def test_transposed_conv_is_flaxs():
    x = RNG.normal(size=(2, 5, 4, 3)).astype("f4")
    layer = TransposedConv(4)
    variables = jax.jit(layer.init)(jax.random.key(0), x)
    np.testing.assert_allclose(layer.apply(variables, x), nn.ConvTranspose(4, (4, 4), (2, 2)).apply(variables, x),
                               atol=1e-5)
