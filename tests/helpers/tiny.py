"""A tiny stage on synthetic showers, for the tests of training; run as a script it is a run to be killed.

    python tiny.py WORKDIR STEPS [RATE]
"""
import dataclasses
import functools
import sys

import jax
import ml_collections
import numpy as np

from ecalgen.models.discriminator import Discriminator
from ecalgen.models.plain import PlainGenerator
from ecalgen.training.loop import Stage, run_stage
from ecalgen.training.networks import optimiser
from ecalgen.training.objective import Objective
from ecalgen.training.state import Networks, init_gan
from ecalgen.training.steps import gan_step

BATCH = 16
GENERATOR = PlainGenerator(latent=4, widths=(4, 4, 4, 4), attention=8)
DISCRIMINATOR = Discriminator(widths=(4, 4, 4), attention=8, embedding=4)
OBJECTIVE = Objective(batch_size=BATCH, discriminator_steps=1, loss="hinge", r1=0.0, r1_every=1, gradient_penalty=0.0,
                      ema=0.9)


def data(count=64):
    """Showers that look like nothing, but the same on every machine."""
    rng = np.random.default_rng(5)
    momentum = np.column_stack([rng.normal(size=(count, 2)), rng.uniform(5, 50, count)]).astype("f4")
    return {"cells": rng.gamma(0.3, size=(count, 30, 30)).astype("f4"), "momentum": momentum,
            "point": rng.normal(size=(count, 2)).astype("f4")}


def train_config(**changes):
    """Fields of `config.train` for a few steps."""
    fields = dict(steps=30, batch_size=BATCH, generator_rate=1e-3, discriminator_rate=1e-3, constant_fraction=0.5,
                  final_fraction=0.1, clip=10.0, log_every=5, checkpoint_every=5, divergence=1e4)
    return ml_collections.ConfigDict(fields | changes)


def networks(*optimisers, generator=GENERATOR, discriminator=DISCRIMINATOR):
    """A generator against a discriminator, each moved by its optimiser."""
    return Networks(generator, discriminator, *optimisers)


def step(networks, **changes):
    """`gan_step` of these networks, with changes of `OBJECTIVE`."""
    return functools.partial(gan_step, networks=networks, objective=dataclasses.replace(OBJECTIVE, **changes))


def stage(train):
    """The GAN stage of the tiny networks."""
    trained = networks(*(optimiser(rate, train) for rate in (train.generator_rate, train.discriminator_rate)))
    return Stage(name="gan", steps=train.steps, step=step(trained, batch_size=train.batch_size),
                 batch_size=train.batch_size, init=lambda key, before=None: init_gan(trained, key, data()))


def run(workdir, **changes):
    """Train the tiny stage in a workdir; its last state."""
    train = train_config(**changes)
    return run_stage(stage(train), data(), train, seed=3, workdir=workdir)


if __name__ == "__main__":
    print("started", flush=True)
    state = run(sys.argv[1], steps=int(sys.argv[2]), **({"generator_rate": float(sys.argv[3])} if sys.argv[3:] else {}))
    np.savez(f"{sys.argv[1]}/final.npz", *map(np.asarray, jax.tree.leaves(state)))
