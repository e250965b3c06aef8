"""Showers from a trained generator: a pure jitted function, and the same with weights from a run or shipped."""
import functools
import json
import operator
import warnings

import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.chunks import in_chunks
from ecalgen.data.showers import CELLS, check_incident, incident_energy, reference_point, slopes
from ecalgen.data.transforms import make_transform
from ecalgen.models.build import build_generator
from ecalgen.models.layers import at_precision, fold_spectral_norm
from ecalgen.provenance import provenance
from ecalgen.weights import load_weights, save_weights

CHUNKS = {"cpu": 64}
"""Backend -> showers made at once, here what stays in a core's cache."""
LARGE_CHUNK = 8192
"""On accelerators."""
PRECISIONS = ("float32", "bfloat16")
MARGIN = 0.02
"""Share of a limit by which conditions may exceed it unremarked: a finite sample misses the very edge."""


def make_sampler(generator, transform):
    """A pure jitted `sample(variables, key, momentum, point, first=0)` -> `[N, 30, 30]` MeV.

    Shower `i` depends on its conditions and (key, first + i) alone, so a set may be made in pieces.

    Args:
      generator: module with `draw_noise(key)` and `(noise, momentum, point)` -> cells.
      transform: whose inverse turns cells into MeV.
    """

    @jax.jit
    def sample(variables, key, momentum, point, first=0):
        keys = jax.vmap(jax.random.fold_in, (None, 0))(key, first + jnp.arange(len(momentum)))
        cells = generator.apply(variables, jax.vmap(generator.draw_noise)(keys), momentum, point)
        return transform.inverse(cells)

    return sample


def chunk_size():
    """Showers that are made at once on this machine."""
    return CHUNKS.get(jax.default_backend(), LARGE_CHUNK)


class Sampler:
    """A trained generator as a function of the incident particles.

    Attributes:
      card: what it is: system, config, training range, provenance.
      sample, variables: the pure function of `make_sampler` and its first argument, for jitted code of your own.
    """

    def __init__(self, sample, variables, card):
        self.sample, self.variables, self.card = sample, variables, card

    def __call__(self, momentum, point, seed=0, first=0):
        """Showers at these conditions, float32 `[N, 30, 30]` MeV; the same seed gives the same showers.

        Conditions outside the range it was trained on are made all the same, with a warning.

        Args:
          momentum: `[N, 3]` GeV.
          point: `[N, 2]` cm, on the front face.
          seed: whole number.
          first: number of the first shower, for a set made in pieces.

        Raises:
          BadShowers: conditions that are not numbers, do not match, or do not fly into the calorimeter.
        """
        momentum, point = check_incident(momentum, point)
        _warn_outside(self.card["trained_on"], momentum, point)
        key = jax.random.key(_whole(seed))
        sample = lambda momentum, point, start: self.sample(self.variables, key, momentum, point, first + start)
        return in_chunks(sample, chunk_size(), (CELLS, CELLS), momentum, point)


def load_sampler(source, precision="float32"):
    """The `Sampler` of a finished run, or one that ships with the package.

    Args:
      source: a workdir, or the name of a shipped model.
      precision: of the networks' products, one of `PRECISIONS`; `bfloat16` is for accelerators, and makes other showers
        of a seed.

    Raises:
      WeightsError: no such model, or its files are damaged.
      ValueError: an unknown precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}; it is one of {', '.join(PRECISIONS)}")
    params, card = load_weights(source, "generator")
    sample = _sample_of(json.dumps(card["generator"]), json.dumps(card["data"]["transform"]))
    params = at_precision(jax.tree.map(jnp.asarray, params), precision)
    return Sampler(sample, {"params": params}, card)


@functools.lru_cache(maxsize=16)
def _sample_of(generator, transform):
    """The pure function of generator and transform, as JSON, so that models of one kind share their programs."""
    return make_sampler(build_generator(folded(json.loads(generator))), make_transform(**json.loads(transform)))


def folded(fields):
    """The fields of a generator whose spectral norm is folded into its kernels, as it is in every file."""
    return fields | {name: False for name in fields if name == "spectral_norm"}


def export_generator(folder, state, config, showers):
    """Write a trained generator as `load_sampler` reads it: averaged, spectral norm folded in, with its card.

    Args:
      folder: made when missing.
      state: of the last stage, with `sampled`.
      config: of the run.
      showers: what it was trained on; their range goes into the card.
    """
    params = fold_spectral_norm(**jax.device_get(state.sampled))
    fields = config.to_dict()
    card = {"kind": "generator", "system": config.system, "preset": config.preset, "generator": fields["generator"],
            "data": fields["data"], "steps": int(state.step), "trained_on": condition_range(showers),
            "provenance": provenance(config.seed)}
    if config.regressor:
        card["regressor"] = fields["regressor"]
    save_weights(folder, params, card)


def condition_range(showers):
    """{quantity: [lowest, highest]} of energy (GeV), slopes and reference point (cm) among showers."""
    return {name: [float(np.min(value)), float(np.max(value))]
            for name, value in _quantities(showers.momentum, showers.point).items()}


def _whole(seed):
    try:
        return operator.index(seed)
    except TypeError:
        raise TypeError(f"seed is {seed!r}; it must be a whole number") from None


def _warn_outside(trained_on, momentum, point):
    messages = []
    for name, value in _quantities(momentum, point).items():
        low, high = trained_on[name]
        below, above = value < low - MARGIN * abs(low), value > high + MARGIN * abs(high)
        if outside := int(np.sum(below | above)):
            messages.append(f"{name} of {outside} showers is outside [{low:.3g}, {high:.3g}]")
    if messages:
        warnings.warn(f"conditions outside the range this generator was trained on: {'; '.join(messages)}; do not "
                      "trust these showers (momenta are in GeV, points in cm)", stacklevel=3)


def _quantities(momentum, point):
    slope, r0 = slopes(momentum), reference_point(momentum, point)
    return {"energy (GeV)": incident_energy(momentum), "px/pz": slope[:, 0], "py/pz": slope[:, 1],
            "x at 15 cm depth (cm)": r0[:, 0], "y at 15 cm depth (cm)": r0[:, 1]}
