"""Layers against SciPy's convolution, NumPy's singular values and attention written out as loops."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict, unflatten_dict
from scipy.signal import correlate
from scipy.special import softmax

from ecalgen.models.layers import (
    Conv,
    Dense,
    Modulation,
    SelfAttention,
    UpBlock,
    at_precision,
    fold_spectral_norm,
    power_iteration,
    settled_vectors,
)

RNG = np.random.default_rng(3)


def with_kernel(layer, x, kernel):
    """The layer applied with a kernel of ours, after many updates of its spectral-norm vector."""
    variables = jax.jit(layer.init)(jax.random.key(0), x)
    variables = variables | {"params": variables["params"] | {"kernel": jnp.asarray(kernel)}}
    for _ in range(200 if layer.spectral_norm else 0):
        _, updated = layer.apply(variables, x, update_stats=True, mutable=["spectral"])
        variables = variables | updated
    return layer.apply(variables, x)


@pytest.mark.parametrize("spectral_norm", [False, True])
def test_dense_is_a_matrix_product_over_its_norm(spectral_norm):
    x, kernel = RNG.normal(size=(5, 7)).astype("f4"), RNG.normal(size=(7, 4)).astype("f4")
    scale = np.linalg.norm(kernel, 2) if spectral_norm else 1.0
    np.testing.assert_allclose(with_kernel(Dense(4, spectral_norm), x, kernel), x @ kernel / scale, atol=1e-4)


def test_conv_is_scipys_correlation():
    x, kernel = RNG.normal(size=(2, 6, 6, 3)).astype("f4"), RNG.normal(size=(3, 3, 3, 4)).astype("f4")
    ours = with_kernel(Conv(4), x, kernel)
    for n in range(2):
        for k in range(4):
            expected = sum(correlate(x[n, :, :, c], kernel[:, :, c, k], mode="same") for c in range(3))
            np.testing.assert_allclose(ours[n, :, :, k], expected, atol=1e-4)


@pytest.mark.parametrize("layer, size", [(Dense(4), (50, 7)), (Conv(4), (50, 1, 1, 7))])
def test_at_bfloat16_only_the_product_is_rounded(layer, size):
    """Operands and result to 8 bits; a bias of 0.001, added in bfloat16, would vanish beside them."""
    x = RNG.normal(size=size).astype("f4")
    params = jax.jit(layer.init)(jax.random.key(0), x)["params"] | {"bias": jnp.full(4, 0.001)}
    rounded = at_precision({"layer": params}, "bfloat16")["layer"]
    assert rounded["kernel"].dtype == jnp.bfloat16 and rounded["bias"].dtype == jnp.float32
    low = lambda array: np.asarray(jnp.asarray(array, jnp.bfloat16), np.float64)
    kernels = np.asarray(params["kernel"]).reshape(-1, 7, 4)
    kernel = kernels[len(kernels) // 2]  # a map of one cell sees only the middle of a kernel
    exact = low(x) @ low(kernel)
    y = layer.apply({"params": rounded}, x)
    assert y.dtype == jnp.float32
    np.testing.assert_allclose(y - 0.001, exact, rtol=2**-8, atol=1e-6)
    assert np.abs(y - 0.001 - x @ kernel).max() > 1e-4


def test_power_iteration_finds_the_largest_singular_value():
    kernel, u = RNG.normal(size=(3, 3, 5, 6)), RNG.normal(size=6)
    for _ in range(100):
        u, sigma = power_iteration(jnp.asarray(kernel), jnp.asarray(u))
    np.testing.assert_allclose(sigma, np.linalg.svd(kernel.reshape(45, 6), compute_uv=False)[0], rtol=1e-5)


def test_gradient_of_the_norm_is_the_outer_product_of_its_vectors():
    kernel = RNG.normal(size=(5, 4))
    left, _, right = np.linalg.svd(kernel)
    gradient = jax.grad(lambda kernel: power_iteration(kernel, jnp.asarray(right[0]))[1])(jnp.asarray(kernel))
    np.testing.assert_allclose(gradient, np.outer(left[:, 0], right[0]), atol=1e-5)


def test_no_gradient_passes_through_the_vectors_of_the_norm():
    """Also where power iteration has not settled, d sigma / dW is the outer product of the vectors of one step."""
    kernel, u = RNG.normal(size=(5, 4)), RNG.normal(size=4)
    v = kernel @ u / np.linalg.norm(kernel @ u)
    after = v @ kernel / np.linalg.norm(v @ kernel)
    gradient = jax.grad(lambda kernel: power_iteration(kernel, jnp.asarray(u))[1])(jnp.asarray(kernel))
    np.testing.assert_allclose(gradient, np.outer(v, after), atol=1e-5)


def test_spectral_vectors_change_only_when_asked():
    layer, x = Dense(4, spectral_norm=True), jnp.ones((2, 3))
    variables = jax.jit(layer.init)(jax.random.key(0), x)
    _, same = layer.apply(variables, x, mutable=["spectral"])
    _, changed = layer.apply(variables, x, update_stats=True, mutable=["spectral"])
    assert (same["spectral"]["u"] == variables["spectral"]["u"]).all()
    assert (changed["spectral"]["u"] != variables["spectral"]["u"]).any()


def test_attention_starts_as_the_identity():
    layer, x = SelfAttention(spectral_norm=True), RNG.normal(size=(2, 4, 4, 16)).astype("f4")
    np.testing.assert_array_equal(layer.apply(layer.init(jax.random.key(0), x), x), x)


def test_attention_is_the_papers_equation():
    layer, x = SelfAttention(), RNG.normal(size=(1, 3, 2, 16)).astype("f4")
    params = jax.jit(layer.init)(jax.random.key(1), x)["params"] | {"gamma": jnp.asarray(0.7)}
    kernels = {name: np.asarray(params[name]["kernel"]) for name in "fghv"}
    pixels = x.reshape(6, 16)
    expected = np.zeros_like(pixels)
    for j in range(6):
        beta = softmax([pixels[i] @ kernels["f"] @ (pixels[j] @ kernels["g"]) for i in range(6)])
        expected[j] = 0.7 * sum(beta[i] * pixels[i] @ kernels["h"] for i in range(6)) @ kernels["v"] + pixels[j]
    np.testing.assert_allclose(layer.apply({"params": params}, x), expected.reshape(x.shape), atol=1e-5)


def test_modulation_without_signal_makes_unit_rms():
    x = RNG.normal(size=(2, 4, 4, 8)).astype("f4") * 50
    y = Modulation().apply({}, x)
    np.testing.assert_allclose(np.mean(np.square(y), axis=-1), 1, rtol=1e-4)


def test_settled_vectors_know_the_norm_of_kernels_from_elsewhere():
    """The largest singular values are those of NumPy, after one more step of power iteration."""
    x, signal = RNG.normal(size=(2, 4, 4, 6)).astype("f4"), RNG.normal(size=(2, 3)).astype("f4")
    variables = jax.jit(UpBlock(5, spectral_norm=True).init)(jax.random.key(0), x, signal)
    kernels = flatten_dict(jax.tree.map(lambda kernel: kernel * 3 + 0.1, variables["params"]))
    vectors = flatten_dict(settled_vectors(unflatten_dict(kernels), variables["spectral"]))
    assert vectors.keys() == flatten_dict(variables["spectral"]).keys() and len(vectors) == 2
    for (*layer, _), u in vectors.items():
        kernel = kernels[(*layer, "kernel")]
        expected = np.linalg.norm(np.reshape(kernel, (-1, kernel.shape[-1])), 2)
        np.testing.assert_allclose(power_iteration(kernel, u)[1], expected, rtol=1e-3)


def test_folding_keeps_what_a_network_computes():
    x, signal = RNG.normal(size=(2, 4, 4, 6)).astype("f4"), RNG.normal(size=(2, 3)).astype("f4")
    layer = UpBlock(5, spectral_norm=True)
    variables = jax.jit(layer.init)(jax.random.key(0), x, signal)
    for _ in range(300):
        _, updated = layer.apply(variables, x, signal, update_stats=True, mutable=["spectral"])
        variables = variables | updated
    folded = fold_spectral_norm(variables["params"], variables["spectral"])
    ours = UpBlock(5).apply({"params": folded}, x, signal)
    np.testing.assert_allclose(ours, layer.apply(variables, x, signal), atol=1e-5)
