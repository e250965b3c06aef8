"""Blocks of cells from a trained ensemble; one of its generators, drawn at random, makes each shower."""
import warnings

import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.adagan.members import along_z
from ecalgen.data.particles import ENERGIES, ENERGY_MARGIN, refuse_rows
from ecalgen.data.showers import ENERGY, BadShowers
from ecalgen.data.transforms import make_transform
from ecalgen.machine.chunks import in_chunks
from ecalgen.machine.provenance import provenance
from ecalgen.machine.seeds import make_key
from ecalgen.models.build import build_generator
from ecalgen.models.three_views import SIDE
from ecalgen.sampling.weights import load_weights, save_weights

CHUNK = 128
"""Blocks made at once."""
KIND = "ensemble"


class EnsembleSampler:
    """A trained ensemble as a function of the incident energy.

    Attributes:
      card: system, config, training range and provenance.
      members: the variables of each generator, in the order of their training.
    """

    def __init__(self, generator, transform, members, card):
        self.card, self.members = card, members

        @jax.jit
        def sample(variables, key, momentum, index):
            keys = jax.vmap(jax.random.fold_in, (None, 0))(key, index)
            noise = jax.vmap(generator.draw_noise)(keys)
            return transform.inverse(generator.apply(variables, noise, momentum, jnp.zeros((len(momentum), 2))))

        self._sample = sample

    def __call__(self, incident_energy, seed=0, members=None):
        """Showers of these energies, float32 `[N, 25, 25, 25]` MeV; the same seed gives the same showers.

        The generator of shower i depends only on the seed and i; all are equally likely. An energy far outside of the
        training range is replaced by the nearest one within the range's margin, and the shower is scaled to its energy.

        Args:
          incident_energy: `[N]` GeV.
          seed: whole number from 0 to 2^64 - 1.
          members: how many generators take part, the first ones trained; all when None.

        Raises:
          BadShowers: energies that are not numbers from 1e-6 to 1e9 GeV.
          UserError: a seed that is no whole number from 0 to 2^64 - 1.
          ValueError: for more members than there are.
        """
        members = len(self.members) if members is None else members
        if not 1 <= members <= len(self.members):
            raise ValueError(f"members is {members}; this ensemble has {len(self.members)}")
        incident = _checked(incident_energy)
        key = make_key(seed)
        self._warn_outside(incident)
        held = np.clip(incident, *self._limits())
        picked = pick(key, len(incident), members)
        energy = np.empty((len(incident), SIDE, SIDE, SIDE), np.float32)
        for member in range(members):
            rows = np.nonzero(picked == member)[0]
            energy[rows] = in_chunks(
                lambda index, _, member=member: self._sample(
                    self.members[member], key, along_z(held[index]), index),
                CHUNK, (SIDE, SIDE, SIDE), rows)
        energy *= (incident / held)[:, None, None, None]
        return energy

    def _limits(self):
        low, high = self.card["trained_on"][ENERGY]
        return np.float32(low / ENERGY_MARGIN), np.float32(high * ENERGY_MARGIN)

    def _warn_outside(self, incident):
        low, high = self.card["trained_on"][ENERGY]
        if outside := int(((incident < 0.98 * low) | (incident > 1.02 * high)).sum()):
            warnings.warn(f"the energy of {outside} showers is outside [{low:.3g}, {high:.3g}] GeV, the range this "
                          "ensemble was trained on; do not trust these showers", stacklevel=3)


def pick(key, count, members):
    """The generator of each shower, `[count]`, uniform; that of shower i depends only on (key, i, members)."""
    uniform = jax.vmap(lambda i: jax.random.uniform(jax.random.fold_in(jax.random.fold_in(key, i), 1)))
    return np.minimum(np.asarray(uniform(jnp.arange(count)) * members).astype(int), members - 1)


def load_ensemble(source):
    """The `EnsembleSampler` of a run of configs/adagan.py, or of an ensemble that ships.

    Raises:
      WeightsError: no such ensemble, or its files are damaged.
    """
    params, card = load_weights(source, KIND)
    members = [{"params": jax.tree.map(jnp.asarray, params[f"member{number}"])} for number in range(len(params))]
    transform = make_transform(**card["data"]["transform"])
    return EnsembleSampler(build_generator(card["generator"]), transform, members, card)


def export_ensemble(folder, states, config, volumes):
    """Write the trained members as `load_ensemble` reads them, averaged, with their card."""
    fields = config.to_dict()
    incident = volumes.incident_energy
    card = {"kind": KIND, "system": config.system, "preset": config.preset, "generator": fields["generator"],
            "data": fields["data"], "steps": [int(state.step) for state in states],
            "trained_on": {ENERGY: [float(incident.min()), float(incident.max())]},
            "provenance": provenance(config.seed)}
    save_weights(folder, {f"member{number}": jax.device_get(state.ema) for number, state in enumerate(states)}, card)


def _checked(incident_energy):
    try:
        incident = np.atleast_1d(np.asarray(incident_energy))
    except ValueError:  # rows of different lengths
        incident = np.empty(0, object)
    if incident.dtype.kind not in "fiu" or incident.ndim != 1 or not (np.isfinite(incident) & (incident > 0)).all():
        raise BadShowers("incident energies must be positive numbers in GeV, [N]")
    refuse_rows((incident < ENERGIES[0]) | (incident > ENERGIES[1]),
                f"an energy outside of [{ENERGIES[0]:g}, {ENERGIES[1]:g}] GeV; energies are in GeV")
    return incident.astype(np.float32)
