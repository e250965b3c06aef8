"""Convolutions with a stride, and transposed ones, as convolutions without a stride, which a CPU computes faster.

XLA on a CPU is slow at strides, at padding inside a convolution and at the gradients of both. Every function here gives
the same numbers as the convolution in its docstring, from a convolution of stride 1 on rearranged cells. All of them
multiply in the precision of the kernel.
"""
import jax
import jax.numpy as jnp
from jax import lax


def convolve(x, kernel, padding="SAME"):
    """Convolution with stride 1: `[N, H, W, in]`, `[rows, columns, in, out]` -> `[N, H, W, out]` for "SAME"."""
    y = lax.conv_general_dilated(x.astype(kernel.dtype), kernel, (1, 1), padding,
                                 dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return y.astype(x.dtype)


def convolve_halving(x, kernel):
    """Convolution of 4x4 with stride 2: `[N, H, W, in]`, `[4, 4, in, out]` -> `[N, H/2, W/2, out]`, rounded up.

    Blocks of 2x2 cells become channels, on which a kernel of 2x2 has stride 1.
    """
    count, height, width, channels = x.shape
    rows, columns = -(-height // 2) + 1, -(-width // 2) + 1
    x = jnp.pad(x, ((0, 0), (1, 2 * rows - height - 1), (1, 2 * columns - width - 1), (0, 0)))
    x = x.reshape(count, rows, 2, columns, 2, channels).transpose(0, 1, 3, 2, 4, 5)
    x = x.reshape(count, rows, columns, 4 * channels)
    kernel = kernel.reshape(2, 2, 2, 2, channels, -1).transpose(0, 2, 1, 3, 4, 5).reshape(2, 2, 4 * channels, -1)
    return _convolve_blocks(x.astype(kernel.dtype), kernel).astype(x.dtype)


def convolve_doubled(x, kernel):
    """Convolution of 3x3 on the map repeated twice along both axes: `[N, H, W, in]` -> `[N, 2H, 2W, out]`.

    A cell of the doubled map sees 2x2 different cells, through sums of the kernel's rows and columns: four products in
    place of nine.
    """
    for axis in (0, 2):  # rows [3, ...] -> [2, 2, ...]: the two that an even and an odd new row see
        first, middle, last = jnp.split(kernel, 3, axis)
        seen = jnp.concatenate([first, first + middle, middle + last, last], axis)
        kernel = seen.reshape(*kernel.shape[:axis], 2, 2, *kernel.shape[axis + 1:])
    return _doubled(x, kernel.transpose(0, 2, 4, 1, 3, 5))


def convolve_transposed(x, kernel):
    """Transposed convolution of 4x4 with stride 2: `[N, H, W, in]`, `[4, 4, in, out]` -> `[N, 2H, 2W, out]`.

    A cell of the doubled map sees 2x2 cells, through every other row and column of the kernel.
    """
    return _doubled(x, kernel.reshape(2, 2, 2, 2, x.shape[-1], -1).transpose(0, 2, 4, 1, 3, 5))


def _doubled(x, kernel):
    """2x2 cells for each one, by a kernel `[2, 2, in, 2, 2, out]`: row 2i + a sees rows i + a - 1 and i + a.

    Zeros are added before, as the gradient of a kernel larger than an unpadded map is slow on a CPU.
    """
    (count, height, width, channels), features = x.shape, kernel.shape[-1]
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    y = convolve(x, kernel.reshape(2, 2, channels, -1), "VALID")
    y = y.reshape(count, height + 1, width + 1, 2, 2, features)
    y = jnp.stack([y[:, odd:height + odd, :, odd] for odd in (0, 1)], axis=2)
    y = jnp.stack([y[:, :, :, odd:width + odd, odd] for odd in (0, 1)], axis=4)
    return y.reshape(count, 2 * height, 2 * width, features)


@jax.custom_vjp
def _convolve_blocks(x, kernel):
    """Convolution of 2x2 without padding: `[N, H, W, in]` -> `[N, H - 1, W - 1, out]`.

    Its gradient with respect to the map is another such convolution, of the incoming gradient with zeros around it. In
    JAX's own gradient these zeros are padding. A CPU is slow at the derivative of that by the kernel, which a penalty
    on the discriminator's gradient needs.
    """
    return convolve(x, kernel, "VALID")


def _convolve_blocks_forward(x, kernel):
    return convolve(x, kernel, "VALID"), (x, kernel)


def _convolve_blocks_backward(saved, gradient):
    x, kernel = saved
    turned = jnp.flip(kernel, (0, 1)).transpose(0, 1, 3, 2)
    around = jnp.pad(gradient, ((0, 0), (1, 1), (1, 1), (0, 0)))
    (kernel_gradient,) = jax.linear_transpose(lambda kernel: convolve(x, kernel, "VALID"), kernel)(gradient)
    return _convolve_blocks(around, turned), kernel_gradient


_convolve_blocks.defvjp(_convolve_blocks_forward, _convolve_blocks_backward)
