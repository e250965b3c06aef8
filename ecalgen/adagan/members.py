"""The members of an ensemble: each is a GAN with the regression of the incident energy as its auxiliary task."""
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.data.grid import OLD
from ecalgen.data.transforms import make_transform
from ecalgen.data.volume_observables import observables
from ecalgen.data.volumes import Volumes
from ecalgen.evaluation.metrics.distances import wasserstein_distance
from ecalgen.machine.chunks import slices
from ecalgen.models.build import build_discriminator
from ecalgen.models.three_views import energy_condition, fit_typical
from ecalgen.sampling.sampler import make_sampler
from ecalgen.training.loop import Stage
from ecalgen.training.objective import Objective
from ecalgen.training.stages import make_networks
from ecalgen.training.state import init_gan
from ecalgen.training.steps import gan_step

CHUNK = 64
"""Blocks that a generator makes at once."""
MONITORED = 200
"""Validation showers that a member is compared with."""


class Start(NamedTuple):
    """Parameters that a network starts from, by their names at its top."""

    fitted: dict


def volume_arrays(volumes, transform):
    """The arrays that a step takes; the target of the auxiliary task is (log E - 4) / 1.5."""
    momentum = along_z(volumes.incident_energy)
    return {"cells": transform.forward(volumes.energy), "momentum": momentum,
            "point": np.zeros((len(volumes), 2), np.float32), "targets": np.asarray(energy_condition(momentum)[:, :1])}


def along_z(incident_energy):
    """Momenta of particles that fly along z: `[N]` GeV -> `[N, 3]` GeV."""
    straight = np.zeros((len(incident_energy), 3), np.float32)
    straight[:, 2] = incident_energy
    return straight


def member_stage(config, number, data, validation):
    """One GAN of the ensemble: hinge, and the squared error of the energy predicted for real and generated showers."""
    networks = make_networks(config, OLD, f"member{number}", build_discriminator(config.discriminator))
    transform = make_transform(**config.data.transform)
    start = lambda: {"typical": Start({"typical": fit_typical(data["cells"], data["momentum"])})}
    return Stage(name=f"member{number}", steps=config.train.steps, batch_size=config.train.batch_size,
                 step=functools.partial(gan_step, networks=networks, objective=member_objective(config)),
                 init=lambda key, before: init_gan(networks, jax.random.fold_in(key, number), data, start()),
                 monitor=distance_monitor(networks.generator, transform, validation), score="w1")


def member_objective(config):
    """The losses of a member: the auxiliary task has the same weight in both, and no gradient is penalised."""
    train, weight = config.train, (config.ensemble.energy_weight,)
    return Objective(train.batch_size, train.discriminator_steps, train.loss, r1=0.0, r1_every=1, gradient_penalty=0.0,
                     ema=train.ema, weights=weight, steering=weight)


def distance_monitor(generator, transform, validation):
    """state -> mean Wasserstein-1 distance of each observable to the validation showers, in standard deviations."""
    real = validation[:MONITORED]
    sample, expected = make_sampler(generator, transform), observables(real)
    momentum, point = along_z(real.incident_energy), jnp.zeros((len(real), 2))

    def monitor(state):
        energy = np.concatenate([
            sample(state.sampled, jax.random.key(0), momentum[rows], point[rows], rows.start)
            for rows in slices(len(real), CHUNK)])
        found = observables(Volumes(energy, real.incident_energy))
        distances = {f"w1_{name}": wasserstein_distance(expected[name][:, None], value[:, None])
                     for name, value in found.items()}
        return distances | {"w1": float(np.mean(list(distances.values())))}

    return monitor
