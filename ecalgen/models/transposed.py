"""The generator of the 2018 Wasserstein GAN: transposed convolutions from 512 noise variables to the cells."""
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax

from ecalgen.data.grid import OLD, Domain
from ecalgen.data.octant import fold, unfold_cells
from ecalgen.data.showers import conditions
from ecalgen.models.layers import Dense, Modulation, TransposedConv, cells_relu, cropped, first_maps, first_pixels


class DeconvolutionalGenerator(nn.Module):
    """Cells of a shower, in the space of the transform, from noise and the incident particle joined at the input.

    A dense layer makes 4x4 maps. Transposed convolutions with 4x4 kernels double the maps to 8x8, 16x16 and 32x32,
    cropped to 30x30; on another grid the first maps differ. Between them maps are divided by their root mean square
    over channels (`Modulation`). DCGAN has batch normalisation there, which would make a shower depend on the others in
    its batch. Noise and conditions have a
    kernel each at the input: in a common kernel, the five conditions would start with a hundredth of the variance.

    Source: Chekalina et al. 2018, arXiv:1812.01319 (512 noise variables); Radford, Metz and Chintala 2015,
    arXiv:1511.06434.

    Args:
      latent: number of noise variables of a shower.
      widths: channels at 4x4, 8x8 and 16x16.
      octant: generate every shower in the octant px >= py >= 0, then turn it to the octant of its particle.
    """

    WIDTHS: ClassVar = 3
    COUNTS: ClassVar = ("latent",)
    latent: int = 512
    widths: Sequence[int] = (128, 64, 32)
    octant: bool = False
    domain: Domain = OLD

    def draw_noise(self, key):
        """The noise of one shower: `[latent]`, N(0, 1)."""
        return jax.random.normal(key, (self.latent,))

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        """`noise [N, latent]`, `momentum [N, 3]` GeV, `point [N, 2]` cm -> `[N, nx, ny]`."""
        grid = self.domain.grid
        incident = fold(momentum, point, grid) if self.octant else (momentum, point)
        given, features = conditions(*incident, self.domain.scales), first_pixels(grid.shape) * self.widths[0]
        x = Dense(features, kernel_scale=self.latent**-0.5, name="noise")(noise)
        x += Dense(features, use_bias=False, kernel_scale=given.shape[-1]**-0.5, name="particle")(given)
        x = first_maps(x, grid.shape)
        for i, width in enumerate((*self.widths[1:], 1)):
            x = nn.relu(Modulation()(x))
            x = TransposedConv(width, name=f"up{i}")(x)
        cells = cells_relu(cropped(x, grid.shape)[..., 0])
        return unfold_cells(cells, momentum, grid) if self.octant else cells
