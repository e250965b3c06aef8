"""The stages of an ensemble, in turn: a member, then a judge of the members so far, who weights the showers anew."""
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.adagan.boosting import shower_weights
from ecalgen.data.transforms import make_transform
from ecalgen.data.volume_observables import observables
from ecalgen.data.volumes import Volumes
from ecalgen.evaluation.metrics.distances import wasserstein_distance
from ecalgen.machine.chunks import mapped, slices
from ecalgen.models.build import build_discriminator, build_generator
from ecalgen.models.three_views import energy_condition, fit_typical
from ecalgen.sampling.sampler import make_sampler
from ecalgen.training.loop import Stage
from ecalgen.training.stages import falling_adam, optimiser
from ecalgen.training.state import init_gan, init_judge
from ecalgen.training.steps import gan_step, judge_step

CHUNK = 64
"""Blocks that a judge looks at, or a generator makes, at once."""
MONITORED = 200
"""Validation showers that a member is compared with."""


class Start(NamedTuple):
    """Parameters that a network starts from, by their names at its top."""

    fitted: dict


def training_arrays(volumes, transform):
    """What a step takes; the target of the auxiliary task is (log E - 4) / 1.5."""
    momentum = along_z(volumes.incident_energy)
    return {"cells": transform.forward(volumes.energy), "momentum": momentum,
            "point": np.zeros((len(volumes), 2), np.float32), "targets": np.asarray(energy_condition(momentum)[:, :1])}


def along_z(incident_energy):
    """Momenta of particles that fly along z: `[N]` GeV -> `[N, 3]` GeV."""
    straight = np.zeros((len(incident_energy), 3), np.float32)
    straight[:, 2] = incident_energy
    return straight


def member_stage(config, number, data, validation):
    """One GAN of the ensemble: hinge, and the squared error of E read off real and off generated showers."""
    train = config.train
    generator, discriminator = build_generator(config.generator), build_discriminator(config.discriminator)
    optimisers = (optimiser(train.generator_rate, train),
                  optimiser(train.discriminator_rate, train, updates=train.discriminator_steps))
    auxiliary = np.array([config.ensemble.energy_weight], np.float32)
    step = functools.partial(gan_step, generator=generator, discriminator=discriminator, optimisers=optimisers,
                             batch_size=train.batch_size, discriminator_steps=train.discriminator_steps, ema=train.ema,
                             loss=train.loss, r1=0.0, gradient_penalty=0.0, weights=auxiliary, steering=auxiliary)
    start = lambda: {"typical": Start({"typical": fit_typical(data["cells"], data["momentum"])})}
    return Stage(name=f"member{number}", steps=train.steps, batch_size=train.batch_size, step=step,
                 init=lambda key, before: init_gan(generator, discriminator, optimisers,
                                                   jax.random.fold_in(key, number), data, start()),
                 monitor=distance_monitor(generator, make_transform(**config.data.transform), validation), score="w1")


def judge_stage(config, number, data, members):
    """A classifier of real showers against those of the first `number` members, of which `members` are the states."""
    fit, generator = config.ensemble.judge, build_generator(config.generator)
    judge = build_judge(config)
    adam = falling_adam(fit, config.train.clip)
    step = functools.partial(judge_step, judge=judge, generator=generator, optimiser=adam, batch_size=fit.batch_size)
    made_by = [state.sampled for state in members]
    return Stage(name=f"judge{number}", steps=fit.steps, batch_size=fit.batch_size, step=step,
                 init=lambda key, before: init_judge(judge, adam, jax.random.fold_in(key, number), data, made_by))


def build_judge(config):
    """The members' discriminator as a plain classifier."""
    return build_discriminator(config.discriminator.to_dict() | {"spectral_norm": False, "gain": 1.0})


def weighted(config, data, judged, number):
    """The training arrays with the weights that member `number` is to see them with.

    Args:
      judged: the last state of `judge_stage(config, number, ...)`.
    """
    judge = build_judge(config)
    look = jax.jit(lambda *arrays: jax.nn.sigmoid(judge.apply(judged.network.variables, *arrays)[0]))
    probability = mapped(look, CHUNK, *(data[name] for name in ("cells", "momentum", "point")))
    weights = shower_weights(probability, 1 / (number + 1))
    return data | {"cumulative": np.cumsum(weights).astype(np.float32)}, weights


def distance_monitor(generator, transform, validation):
    """state -> mean Wasserstein-1 distance of each observable to the validation showers, in their deviations."""
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
