"""Spectral-normalised dense and convolutional layers, self-attention, and the blocks built from them."""
import functools
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
from jax import lax

from ecalgen.models import fast_convolutions

KERNEL_INIT = nn.initializers.glorot_normal()


class Dense(nn.Module):
    """y = W x + b, W divided by its largest singular value if `spectral_norm`: `[..., in]` -> `[..., features]`.

    `kernel_scale` is the standard deviation of the initial kernel; without it the initial kernel is Glorot's. Products
    are computed in the precision of the kernel (`at_precision`).
    """

    features: int
    spectral_norm: bool = False
    use_bias: bool = True
    kernel_scale: float | None = None

    @nn.compact
    def __call__(self, x, update_stats=False):
        kernel = _kernel(self, (x.shape[-1], self.features), update_stats, self.kernel_scale)
        y = (x.astype(kernel.dtype) @ kernel).astype(x.dtype)
        return _add_bias(self, y) if self.use_bias else y


class CellDense(Dense):
    """`Dense` over the channels of every cell, on the first axis: `[in, N, cells]` -> `[features, N, cells]`.

    With the cells on the last axis a processor's vector units are full; a few channels would leave them mostly empty.
    """

    @nn.compact
    def __call__(self, x, update_stats=False):
        kernel = _kernel(self, (x.shape[0], self.features), update_stats, self.kernel_scale)
        y = kernel.T @ x.reshape(x.shape[0], -1).astype(kernel.dtype)
        return _add_bias(self, y.astype(x.dtype).reshape(self.features, *x.shape[1:]), axis=0)


class Conv(nn.Module):
    """Convolution over both cell axes with a 3x3 kernel W as in `Dense`: `[N, H, W, in]` -> `[N, H, W, features]`.

    `kernel_scale` is that of `Dense`.
    """

    SIZE: ClassVar = 3
    convolve: ClassVar = staticmethod(fast_convolutions.convolve)
    features: int
    spectral_norm: bool = False
    kernel_scale: float | None = None

    @nn.compact
    def __call__(self, x, update_stats=False):
        kernel = _kernel(self, (self.SIZE, self.SIZE, x.shape[-1], self.features), update_stats, self.kernel_scale)
        return _add_bias(self, self.convolve(x, kernel))


class HalvingConv(Conv):
    """Convolution with a 4x4 kernel and stride 2: `[N, H, W, in]` -> `[N, H/2, W/2, features]`, halves rounded up."""

    SIZE: ClassVar = 4
    convolve: ClassVar = staticmethod(fast_convolutions.convolve_halving)


class DoublingConv(Conv):
    """Convolution with a 3x3 kernel on the map doubled by repetition: `[N, H, W, in]` -> `[N, 2H, 2W, features]`."""

    convolve: ClassVar = staticmethod(fast_convolutions.convolve_doubled)


class TransposedConv(Conv):
    """Transposed convolution with a 4x4 kernel and stride 2: `[N, H, W, in]` -> `[N, 2H, 2W, features]`."""

    SIZE: ClassVar = 4
    convolve: ClassVar = staticmethod(fast_convolutions.convolve_transposed)


class SelfAttention(nn.Module):
    """Self-attention over the cells of a map: `[N, H, W, C]` -> the same shape.

    s_ij = f(x_i).g(x_j), beta_ji = softmax_i(s_ij), o_j = v(sum_i beta_ji h(x_i)), y = gamma o + x with
    gamma starting at 0; f, g, h, v are 1x1 convolutions (Zhang et al. 2019, arXiv:1805.08318, section 3).
    """

    spectral_norm: bool = False

    @nn.compact
    def __call__(self, x, update_stats=False):
        channels = x.shape[-1]
        inner = max(1, channels // 8)
        pixels = x.reshape(x.shape[0], -1, channels)
        project = lambda name, width: Dense(width, self.spectral_norm, use_bias=False, name=name)
        f = project("f", inner)(pixels, update_stats)
        g = project("g", inner)(pixels, update_stats)
        h = project("h", max(1, channels // 2))(pixels, update_stats)
        beta = jax.nn.softmax(jnp.einsum("nic,njc->nji", f, g), axis=-1)
        o = project("v", channels)(jnp.einsum("nji,nic->njc", beta, h), update_stats)
        gamma = self.param("gamma", nn.initializers.zeros, ())
        return gamma * o.reshape(x.shape) + x


class UpBlock(nn.Module):
    """Modulate, ReLU, double the map, convolve: `[N, H, W, C]` -> `[N, 2H, 2W, features]`."""

    features: int
    spectral_norm: bool = False

    @nn.compact
    def __call__(self, x, signal, update_stats=False):
        x = nn.relu(Modulation(self.spectral_norm, name="modulation")(x, signal, update_stats))
        return DoublingConv(self.features, spectral_norm=self.spectral_norm, name="conv")(x, update_stats)


class Modulation(nn.Module):
    """x / rms(x) over channels, scaled and shifted by a signal: (1 + s(signal)) x + b(signal).

    This is the conditional normalisation of self-attention GANs, computed for each shower, so that a shower depends on
    no other in its batch. `x [N, H, W, C]`, `signal [N, S]`, or None for the normalisation alone.
    """

    spectral_norm: bool = False

    @nn.compact
    def __call__(self, x, signal=None, update_stats=False):
        x = x * lax.rsqrt(jnp.mean(x**2, axis=-1, keepdims=True) + 1e-6)
        if signal is None:
            return x
        modulation = Dense(2 * x.shape[-1], self.spectral_norm, name="signal")(signal, update_stats)
        scale, shift = jnp.split(modulation[:, None, None, :], 2, axis=-1)
        return (1 + scale) * x + shift


class DownBlock(nn.Module):
    """Convolve with stride 2, leaky ReLU: `[N, H, W, C]` -> `[N, H/2, W/2, features]`."""

    features: int
    spectral_norm: bool = False

    @nn.compact
    def __call__(self, x, update_stats=False):
        x = HalvingConv(self.features, spectral_norm=self.spectral_norm, name="conv")(x, update_stats)
        return nn.leaky_relu(x, 0.1)


HALVINGS = 3
"""How often the maps of a network are halved, or doubled."""
UP_SIDES, DOWN_SIDES = (8, 16, 32), (16, 8, 4)
"""Sides of the maps after each doubling and each halving, of 30x30 cells; they name the levels on any other grid."""


def sides(shape):
    """Sides of the maps that hold cells `(nx, ny)`: the next multiples of 8, such as 32 for 30."""
    return tuple(-(-count // 2**HALVINGS) * 2**HALVINGS for count in shape[:2])


def edges(shape):
    """Pixels of these maps before and after the cells, along x and y: `((1, 1), (1, 1))` for 30x30 cells."""
    beyond = [side - count for side, count in zip(sides(shape), shape, strict=False)]
    return tuple((number // 2, number - number // 2) for number in beyond)


def framed(views, mode="constant"):
    """Views of cells in maps of `sides`, with zeros at the edges: `[N, nx, ny, C]` -> `[N, W, H, C]`.

    With the mode `edge` the values of the outermost cells stand at the edges.
    """
    return jnp.pad(views, ((0, 0), *edges(views.shape[1:3]), (0, 0)), mode=mode)


def cropped(maps, shape):
    """The cells of maps of `sides`: `[N, W, H, ...]` -> `[N, nx, ny, ...]`."""
    (left, _), (low, _) = edges(shape)
    return maps[:, left:left + shape[0], low:low + shape[1]]


def first_maps(x, shape):
    """Features `[N, F]` as the smallest maps, an eighth of `sides`: `[N, W/8, H/8, C]`."""
    width, height = (side // 2**HALVINGS for side in sides(shape))
    return x.reshape(-1, width, height, x.shape[-1] // (width * height))


def first_pixels(shape):
    """Pixels of `first_maps`."""
    width, height = (side // 2**HALVINGS for side in sides(shape))
    return width * height


def with_maps(x, given):
    """Maps `[N, H, W, C]` and conditions `[N, Y]`, the same in every pixel: `[N, H, W, C + Y]`."""
    return jnp.concatenate([x, jnp.broadcast_to(given[:, None, None, :], (*x.shape[:3], given.shape[-1]))], axis=-1)


def down_blocks(x, widths, spectral_norm=False, attention=0, update_stats=False, start=0, stop=None):
    """`DownBlock`s `start` to `stop` of these widths, called inside the `__call__` of a network.

    Args:
      x: `[N, W, H, C]` of `framed`, halved by each earlier block.
      attention: the map on which self-attention acts, one of `DOWN_SIDES`; 0 for none.
    """
    for i, width in list(enumerate(widths))[start:stop]:
        x = DownBlock(width, spectral_norm, name=f"down{i}")(x, update_stats)
        if DOWN_SIDES[i] == attention:
            x = SelfAttention(spectral_norm, name="attention")(x, update_stats)
    return x


def pooled(x, features, spectral_norm=False, update_stats=False):
    """A convolution summed over cells, called inside a network's `__call__`: `[N, H, W, C]` -> `[N, features]`."""
    x = Conv(features, spectral_norm=spectral_norm, name="conv")(x, update_stats)
    return jnp.sum(nn.leaky_relu(x, 0.1), axis=(1, 2))


class MLP(nn.Module):
    """Dense layers with leaky ReLU after each: `[N, in]` -> `[N, widths[-1]]`."""

    widths: Sequence[int]
    spectral_norm: bool = False

    @nn.compact
    def __call__(self, x, update_stats=False):
        for i, width in enumerate(self.widths):
            x = nn.leaky_relu(Dense(width, self.spectral_norm, name=f"dense{i}")(x, update_stats), 0.1)
        return x


def cell_layers(place, given, widths, outputs, kernel_scale=None):
    """A small network of each cell and of its shower, called inside the `__call__` of a network.

    Args:
      place: `[F, N, nx, ny]`, features of each cell.
      given: `[N, Y]`, features of the shower.
      widths: of the hidden layers.
      outputs: how many numbers a cell.
      kernel_scale: of the last layer, that of `Dense`.

    Returns:
      `[outputs, N, nx, ny]`.
    """
    x = CellDense(widths[0], name="place")(place.reshape(*place.shape[:2], -1))
    x += Dense(widths[0], use_bias=False, name="given")(given).T[:, :, None]
    for i, width in enumerate(widths[1:]):
        x = CellDense(width, name=f"dense{i}")(nn.silu(x))
    x = CellDense(outputs, kernel_scale=kernel_scale, name="outputs")(nn.silu(x))
    return x.reshape(outputs, *place.shape[1:])


def cells_relu(x):
    """max(0, x), with a tenth of the gradient where x < 0, so that cells that fell silent can come back."""
    leaky = nn.leaky_relu(x, 0.1)
    return leaky + lax.stop_gradient(nn.relu(x) - leaky)


def power_iteration(kernel, u):
    """One step of power iteration on W = kernel as `[in, out]`: `u [out]` -> (u', sigma = v W u').

    Source: Miyato et al. 2018, arXiv:1802.05957, algorithm 1; gradients flow through W alone.
    """
    matrix = kernel.reshape(-1, kernel.shape[-1])
    v = lax.stop_gradient(_unit(matrix @ u))
    u = lax.stop_gradient(_unit(v @ matrix))
    return u, v @ matrix @ u


def fold_spectral_norm(params, spectral, iterations=30):
    """Kernels divided by their largest singular value, for the same network without spectral norm.

    Args:
      params: parameters of a network built with `spectral_norm=True`.
      spectral: its `spectral` collection, the starting vectors.
      iterations: steps of power iteration; the vectors of averaged (EMA) parameters need more than one.
    """
    kernels = flax.traverse_util.flatten_dict(params)
    for (*layer, _), u in flax.traverse_util.flatten_dict(spectral).items():
        path = (*layer, "kernel")
        kernels[path] = _folded(kernels[path], u, iterations)
    return flax.traverse_util.unflatten_dict(kernels)


def settled_vectors(params, spectral, iterations=30):
    """The starting vectors of spectral norm after power iteration, for kernels that come from elsewhere.

    The arguments are those of `fold_spectral_norm`.
    """
    kernels, vectors = (flax.traverse_util.flatten_dict(tree) for tree in (params, spectral))
    return flax.traverse_util.unflatten_dict({
        (*layer, name): _iterated(kernels[(*layer, "kernel")], u, iterations)[0]
        for (*layer, name), u in vectors.items()})


def _folded(kernel, u, iterations):
    """A kernel divided by its largest singular value."""
    return kernel / _iterated(kernel, u, iterations)[1]


@functools.partial(jax.jit, static_argnames="iterations")
def _iterated(kernel, u, iterations):
    """u and the largest singular value after power iteration; one program for all kernels of a shape."""
    return lax.fori_loop(0, iterations, lambda _, carry: power_iteration(kernel, carry[0]),
                         (u, jnp.zeros((), kernel.dtype)))


def at_precision(params, dtype):
    """Parameters with kernels of that dtype, so that dense and convolutional layers multiply in it.

    Biases, normalisations and activations keep their precision.
    """
    return jax.tree.map_with_path(
        lambda path, value: value.astype(dtype) if path[-1].key == "kernel" else value, params)


def _kernel(layer, shape, update_stats, scale=None):
    kernel = layer.param("kernel", nn.initializers.normal(scale) if scale else KERNEL_INIT, shape)
    if not layer.spectral_norm:
        return kernel
    u = layer.variable("spectral", "u", lambda: _unit(jax.random.normal(layer.make_rng("params"), shape[-1:])))
    new_u, sigma = power_iteration(kernel, u.value)
    if update_stats and not layer.is_initializing():
        u.value = new_u
    return kernel / sigma


def _add_bias(layer, y, axis=-1):
    bias = layer.param("bias", nn.initializers.zeros, (layer.features,))
    return y + jnp.expand_dims(bias, [i for i in range(y.ndim) if i != axis % y.ndim])


def _unit(vector):
    return vector / (jnp.linalg.norm(vector) + 1e-12)
