"""A trained generator as one function of plain arrays, for other programs."""
import math

import jax
import jax.numpy as jnp

from ecalgen.data.particles import held, limits, scaled
from ecalgen.data.transforms import make_transform
from ecalgen.errors import UserError
from ecalgen.models.library import ShowerLibrary
from ecalgen.sampling.cards import domain_of_card, generator_of_card
from ecalgen.sampling.weights import load_generator

CONDITIONS = {"px": "GeV", "py": "GeV", "pz": "GeV", "x": "cm", "y": "cm"}
"""Columns of the incident particle with their units; the point lies on the front face."""
LARGEST_NOISE = 10.0
"""Largest size of noise, to which it is clipped; a number of N(0, 1) exceeds it once in 10^22."""


class ExportError(UserError):
    """A model that cannot be written in a format; the message gives the reason and an alternative."""


def load_function(source, refine=1):
    """The generator of a run or of a shipped model, with its weights inside and all its noise in one array.

    Args:
      source: a workdir, or the name of a shipped model.
      refine: number of candidates for each shower, as of `load_sampler`.

    Returns:
      `(make_cells, latent, card)`: a pure function of `noise [N, latent]`, numbers of N(0, 1), and
      `conditions [N, 5]`, see CONDITIONS, to `[N, *grid.shape]` MeV; the number of noise variables of a shower; the
      card. Any finite input gives finite showers, and empty ones for particles that miss the calorimeter.

    Raises:
      WeightsError: no such model, damaged files, or no refiner.
      ExportError: a shower library, which is no function of noise.
    """
    params, card = load_generator(source, refine)
    domain = domain_of_card(card)
    generator = generator_of_card(card)
    if isinstance(generator, ShowerLibrary):
        raise ExportError(f"{source} is a library of stored showers, which cannot be exported; what a GAN or a VAE "
                          "learned can")
    variables = {"params": jax.tree.map(jnp.asarray, params)}
    transform = make_transform(**card["data"]["transform"])
    drawn, structure = jax.tree.flatten(jax.eval_shape(generator.draw_noise, jax.random.key(0)))
    sizes = [math.prod(part.shape) for part in drawn]

    def make_cells(noise, conditions):
        noise = jnp.clip(noise, -LARGEST_NOISE, LARGEST_NOISE)
        starts = [sum(sizes[:i]) for i in range(len(sizes))]
        parts = [noise[:, start:start + size].reshape(noise.shape[0], *part.shape)
                 for start, size, part in zip(starts, sizes, drawn, strict=True)]
        momentum, point, factors = held(
            limits(card["trained_on"], domain.grid), conditions[:, :3], conditions[:, 3:], domain.grid)
        cells = generator.apply(variables, jax.tree.unflatten(structure, parts), momentum, point)
        return scaled(transform.inverse(cells), factors)

    return make_cells, sum(sizes), card
