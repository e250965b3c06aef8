"""Spectral-normalised dense and convolutional layers, self-attention, and the blocks built from them."""
from collections.abc import Sequence

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
from jax import lax

KERNEL_INIT = nn.initializers.glorot_normal()


class Dense(nn.Module):
    """y = W x + b, W divided by its largest singular value if `spectral_norm`: `[..., in]` -> `[..., features]`.

    `kernel_scale` is the deviation of the starting kernel, where it is not to be Glorot's. Products are made in the
    precision of the kernel (`at_precision`).
    """

    features: int
    spectral_norm: bool = False
    use_bias: bool = True
    kernel_scale: float | None = None

    @nn.compact
    def __call__(self, x, update_stats=False):
        kernel = _kernel(self, (x.shape[-1], self.features), update_stats, self.kernel_scale)
        return _add_bias(self, (x.astype(kernel.dtype) @ kernel).astype(x.dtype))


class CellDense(Dense):
    """`Dense` of the channels of every cell, which lie first: `[in, N, cells]` -> `[features, N, cells]`.

    With the cells last a processor's vectors run over them; over a few channels they would be mostly empty.
    """

    @nn.compact
    def __call__(self, x, update_stats=False):
        kernel = _kernel(self, (x.shape[0], self.features), update_stats, self.kernel_scale)
        y = kernel.T @ x.reshape(x.shape[0], -1).astype(kernel.dtype)
        return _add_bias(self, y.astype(x.dtype).reshape(self.features, *x.shape[1:]), axis=0)


class Conv(nn.Module):
    """Convolution over both cell axes, W as in `Dense`: `[N, H, W, in]` -> `[N, H, W, features]`.

    `kernel_scale` as in `Dense`.
    """

    features: int
    size: int = 3
    spectral_norm: bool = False
    use_bias: bool = True
    kernel_scale: float | None = None

    @nn.compact
    def __call__(self, x, update_stats=False):
        kernel = _kernel(self, (self.size, self.size, x.shape[-1], self.features), update_stats, self.kernel_scale)
        return _add_bias(self, _convolve(x, kernel, "SAME"))


class HalvingConv(Conv):
    """`Conv` of 4x4 with a stride of 2: `[N, H, W, in]` -> `[N, H/2, W/2, features]`, halves rounded up.

    Made as a convolution of 2x2 over the cells taken together by fours, which has no stride (`_by_fours`).
    """

    @nn.compact
    def __call__(self, x, update_stats=False):
        count, height, width, channels = x.shape
        kernel = _kernel(self, (4, 4, channels, self.features), update_stats, self.kernel_scale)
        rows, columns = -(-height // 2) + 1, -(-width // 2) + 1
        x = jnp.pad(x, ((0, 0), (1, 2 * rows - height - 1), (1, 2 * columns - width - 1), (0, 0)))
        x = x.reshape(count, rows, 2, columns, 2, channels).transpose(0, 1, 3, 2, 4, 5)
        x = x.reshape(count, rows, columns, 4 * channels)
        kernel = kernel.reshape(2, 2, 2, 2, channels, -1).transpose(0, 2, 1, 3, 4, 5).reshape(2, 2, 4 * channels, -1)
        return _add_bias(self, _by_fours(x.astype(kernel.dtype), kernel).astype(x.dtype))


class DoublingConv(Conv):
    """`Conv` of 3x3 on the map doubled by repetition: `[N, H, W, in]` -> `[N, 2H, 2W, features]`.

    A doubled cell sees 2x2 different ones, with sums of the kernel's rows and columns: four products in place of nine.
    """

    @nn.compact
    def __call__(self, x, update_stats=False):
        kernel = _kernel(self, (3, 3, x.shape[-1], self.features), update_stats, self.kernel_scale)
        for axis in (0, 2):  # rows [3, ...] -> [2, 2, ...]: the two that an even and an odd new row see
            first, middle, last = jnp.split(kernel, 3, axis)
            seen = jnp.concatenate([first, first + middle, middle + last, last], axis)
            kernel = seen.reshape(*kernel.shape[:axis], 2, 2, *kernel.shape[axis + 1:])
        return _add_bias(self, _doubled(x, kernel.transpose(0, 2, 4, 1, 3, 5)))


class TransposedConv(Conv):
    """Transposed convolution of 4x4 with a stride of 2: `[N, H, W, in]` -> `[N, 2H, 2W, features]`.

    A doubled cell sees every other row and column of the kernel, on 2x2 cells.
    """

    @nn.compact
    def __call__(self, x, update_stats=False):
        channels = x.shape[-1]
        kernel = _kernel(self, (4, 4, channels, self.features), update_stats, self.kernel_scale)
        kernel = kernel.reshape(2, 2, 2, 2, channels, -1).transpose(0, 2, 4, 1, 3, 5)
        return _add_bias(self, _doubled(x, kernel))


class SelfAttention(nn.Module):
    """Self-attention over the cells of a map: `[N, H, W, C]` -> the same shape.

    s_ij = f(x_i).g(x_j), beta_ji = softmax_i(s_ij), o_j = v(sum_i beta_ji h(x_i)), y = gamma o + x with
    gamma starting at 0; f, g, h, v are 1x1 convolutions (Zhang et al. 2019, arXiv:1805.08318, section 3).
    """

    spectral_norm: bool = False
    reduction: int = 8

    @nn.compact
    def __call__(self, x, update_stats=False):
        channels = x.shape[-1]
        inner = max(1, channels // self.reduction)
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

    The conditional normalisation of self-attention GANs, made per shower, so that a shower depends on
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


def framed(views):
    """Views of 30x30 cells with a frame of zeros: `[N, 30, 30, C]` -> `[N, 32, 32, C]`."""
    return jnp.pad(views, ((0, 0), (1, 1), (1, 1), (0, 0)))


def down_blocks(x, widths, spectral_norm=False, attention=0, update_stats=False, start=0, stop=None):
    """`DownBlock`s `start` to `stop` of a network, of these widths, inside whose `__call__` this is.

    Args:
      x: `[N, 32, 32, C]`, halved with each block since the first.
      attention: side of the map after which self-attention follows; 0 for none.
    """
    for i, width in list(enumerate(widths))[start:stop]:
        x = DownBlock(width, spectral_norm, name=f"down{i}")(x, update_stats)
        if x.shape[1] == attention:
            x = SelfAttention(spectral_norm, name="attention")(x, update_stats)
    return x


def pooled(x, features, spectral_norm=False, update_stats=False):
    """One more convolution of a network, inside whose `__call__` this is, summed: `[N, H, W, C]` -> `[N, features]`."""
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
    """A small network of every cell and of its shower, inside whose `__call__` this is.

    Args:
      place: `[F, N, 30, 30]`, what is known of each cell.
      given: `[N, Y]`, what is known of the shower.
      widths: of the hidden layers.
      outputs: how many numbers a cell.
      kernel_scale: of the last layer, as in `Dense`.

    Returns:
      `[outputs, N, 30, 30]`.
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
        for _ in range(iterations):
            u, sigma = power_iteration(kernels[path], u)
        kernels[path] = kernels[path] / sigma
    return flax.traverse_util.unflatten_dict(kernels)


def at_precision(params, dtype):
    """Parameters whose kernels are of that dtype, so that dense and convolutional layers multiply in it, and only they.

    Biases, normalisations and all that follows a layer stay as they are.
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


def _doubled(x, kernel):
    """2x2 cells for each one, by a kernel `[2, 2, in, 2, 2, out]`: row 2i + a sees rows i + a - 1 and i + a.

    Zeros are added before, as the gradient of a kernel larger than an unpadded map is slow on a CPU.
    """
    (count, height, width, channels), features = x.shape, kernel.shape[-1]
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    y = _convolve(x, kernel.reshape(2, 2, channels, -1), "VALID")
    y = y.reshape(count, height + 1, width + 1, 2, 2, features)
    y = jnp.stack([y[:, odd:height + odd, :, odd] for odd in (0, 1)], axis=2)
    y = jnp.stack([y[:, :, :, odd:width + odd, odd] for odd in (0, 1)], axis=4)
    return y.reshape(count, 2 * height, 2 * width, features)


@jax.custom_vjp
def _by_fours(x, kernel):
    """Convolution of 2x2 without edges: `[N, H, W, in]` -> `[N, H - 1, W - 1, out]`.

    Its gradient by the map is such a convolution again, of what comes back with zeros around it. In JAX's own the zeros
    are padding, of which a CPU is slow at the gradient by the kernel, as a penalty of the slope asks for it.
    """
    return _convolve(x, kernel, "VALID")


def _by_fours_forward(x, kernel):
    return _convolve(x, kernel, "VALID"), (x, kernel)


def _by_fours_backward(seen, back):
    x, kernel = seen
    turned = jnp.flip(kernel, (0, 1)).transpose(0, 1, 3, 2)
    around = jnp.pad(back, ((0, 0), (1, 1), (1, 1), (0, 0)))
    (kernel_gradient,) = jax.linear_transpose(lambda kernel: _convolve(x, kernel, "VALID"), kernel)(back)
    return _by_fours(around, turned), kernel_gradient


_by_fours.defvjp(_by_fours_forward, _by_fours_backward)


def _convolve(x, kernel, padding):
    """In the precision of the kernel."""
    y = lax.conv_general_dilated(x.astype(kernel.dtype), kernel, (1, 1), padding,
                                 dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return y.astype(x.dtype)


def _add_bias(layer, y, axis=-1):
    if not layer.use_bias:
        return y
    bias = layer.param("bias", nn.initializers.zeros, (layer.features,))
    return y + jnp.expand_dims(bias, [i for i in range(y.ndim) if i != axis % y.ndim])


def _unit(vector):
    return vector / (jnp.linalg.norm(vector) + 1e-12)
