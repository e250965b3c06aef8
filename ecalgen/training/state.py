"""What training carries from step to step: one immutable state a stage, nothing outside it."""
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from ecalgen.models.layers import fold_spectral_norm, settled_vectors
from ecalgen.models.whitening import fit_whitening, turned

START = "start"
"""Name of the `start.Start` of a run among the stages before a stage."""


class Network(struct.PyTreeNode):
    """A network in training: its parameters, spectral-norm vectors and optimiser state."""

    params: Any
    spectral: Any
    optimiser: Any

    @property
    def variables(self):
        """What `Module.apply` takes."""
        return {"params": self.params, "spectral": self.spectral}

    def updated(self, gradients, optimiser, spectral):
        """After one step of an optax optimiser."""
        updates, optimiser_state = optimiser.update(gradients, self.optimiser, self.params)
        params = jax.tree.map(jnp.add, self.params, updates)
        return Network(params=params, spectral=spectral, optimiser=optimiser_state)


class Networks(NamedTuple):
    """A generator, its discriminator, and how both move.

    Args:
      generator, discriminator: the modules.
      generator_optimiser, discriminator_optimiser: optax.
      frozen: names of the parameters, at the top of either network, that an earlier stage has fitted.
      features: of an energy score; one of `features.FEATURES`, made for these networks.
    """

    generator: Any
    discriminator: Any
    generator_optimiser: Any
    discriminator_optimiser: Any
    frozen: tuple[str, ...] = ()
    features: Callable | None = None


class GANState(struct.PyTreeNode):
    """Both networks, the average of the generator's parameters, and how many steps they have seen."""

    step: jax.Array
    generator: Network
    discriminator: Network
    ema: Any

    @property
    def sampled(self):
        """The generator's variables to draw showers with."""
        return {"params": self.ema, "spectral": self.generator.spectral}

    @property
    def fitted(self):
        """A GAN fits no parameters that a later stage takes over by their names."""
        return {}


class BoundState(struct.PyTreeNode):
    """A model fitted by the lower bound of its likelihood, and how many steps it has seen."""

    step: jax.Array
    network: Network
    drawn_from: tuple[str, ...] = struct.field(pytree_node=False)
    """Names of the parameters that the generator of this model shares."""
    fits: tuple[str, ...] = struct.field(pytree_node=False, default=())
    """Names of the parameters that later stages take over."""

    @property
    def sampled(self):
        """The variables of the generator that consists of this model alone."""
        params = self.network.params
        return {"params": {name: params[name] for name in self.drawn_from if name in params}, "spectral": {}}

    @property
    def fitted(self):
        """The parameters that later stages take over."""
        return {name: self.network.params[name] for name in self.fits if name in self.network.params}


class LibraryState(struct.PyTreeNode):
    """A library of showers, which is filled when the state is made."""

    step: jax.Array
    params: Any

    @property
    def sampled(self):
        """The variables of the generator that is the library."""
        return {"params": self.params, "spectral": {}}

    @property
    def fitted(self):
        """A library fits no parameters that a later stage takes over."""
        return {}


class RegressorState(struct.PyTreeNode):
    """A regressor and how many steps it has seen."""

    step: jax.Array
    regressor: Network

    @property
    def fitted(self):
        """The frozen regressor, its spectral norm folded into the kernels."""
        return {"regressor": fold_spectral_norm(self.regressor.params, self.regressor.spectral)}


def init_key(seed):
    """The key of initial parameters, which must be the same wherever a state is made.

    The generator of random numbers is `rbg`: with it a program of many small draws compiles several times faster.
    """
    return jax.random.key(seed, impl="rbg")


def init_network(module, optimiser, key, *example, fitted=None):
    """A network before its first step.

    Args:
      module: flax.
      optimiser: optax.
      key: of the initial parameters.
      example: the arguments of one call, of any batch size.
      fitted: {name at the top: parameters} that replace initial ones.
    """
    variables = _init(module, key, *example)
    params = {name: (fitted or {}).get(name, value) for name, value in variables["params"].items()}
    return Network(params=params, spectral=variables.get("spectral", {}), optimiser=optimiser.init(params))


@functools.partial(jax.jit, static_argnums=0)
def _init(module, key, *example):
    """The variables of a module, from one program for all equal modules and shapes."""
    return module.init(key, *example)


def init_gan(networks, key, data, before=None):
    """The state before the first step; generator and discriminator start from keys of their own.

    Args:
      networks: `Networks`.
      key: as of `init_key`.
      data: the training showers, as `steps.gan_step` takes them; only shapes are used.
      before: {name: last state} of the stages before, whose `fitted` parameters both networks take over, and the
        `Start` of the run, whose other parameters the generator starts from.
    """
    generator_key, discriminator_key = jax.random.split(key)
    momentum, point = data["momentum"][:1], data["point"][:1]
    noise = jax.vmap(networks.generator.draw_noise)(key[None])
    fitted = {name: value for state in (before or {}).values() for name, value in state.fitted.items()}
    generator = init_network(networks.generator, networks.generator_optimiser, generator_key, noise, momentum, point,
                             fitted=_carried(before) | fitted)
    if before and START in before:  # whose kernels have their spectral norm folded in: it is 1
        generator = generator.replace(spectral=settled_vectors(generator.params, generator.spectral))
    discriminator = init_network(networks.discriminator, networks.discriminator_optimiser, discriminator_key,
                                 data["cells"][:1], momentum, point, fitted=fitted)
    return GANState(step=jnp.zeros((), jnp.int32), generator=generator, discriminator=discriminator,
                    ema=jax.tree.map(jnp.copy, generator.params))


def init_prior(prior, optimiser, key, data, fits, before=None):
    """The state of a prior before the first step, its whitening fitted to the training showers.

    `fits` are the names of the parameters that later stages take over; `before` is that of `init_gan`.
    """
    example = [data[name][:1] for name in ("cells", "momentum", "point")]
    network = init_network(prior, optimiser, key, *example, jnp.zeros((1, prior.shape_latents)),
                           fitted=_carried(before))
    whitening = fit_whitening(*(prior.seen(data["cells"], data["momentum"], data["point"])), prior.domain)
    if before and START in before:
        whitening = turned(whitening, before[START].whitening)
    drawn_from = tuple(name for name in fits if name != "whitening")
    return BoundState(step=jnp.zeros((), jnp.int32), drawn_from=drawn_from, fits=fits,
                      network=network.replace(params=network.params | {"whitening": whitening}))


def init_vae(vae, optimiser, key, data, before=None):
    """The state of a variational autoencoder before the first step; `before` is that of `init_gan`."""
    example = [data[name][:1] for name in ("cells", "momentum", "point")]
    return BoundState(step=jnp.zeros((), jnp.int32), drawn_from=("decoder",),
                      network=init_network(vae, optimiser, key, *example, jnp.zeros((1, vae.latent)),
                                           fitted=_carried(before)))


def _carried(before):
    """The parameters that a generator starts from; none without a `Start`."""
    return jax.tree.map(jnp.asarray, before[START].params) if before and START in before else {}


def init_regressor(regressor, optimiser, key, example, start=None):
    """The state of a regressor before its first step.

    Args:
      example: its arguments for one shower, views and conditions.
      start: the `Network` of a discriminator whose `auxiliary` parameters it starts from.
    """
    network = init_network(regressor, optimiser, key, *example)
    if start is not None:
        params = start.params["auxiliary"]
        network = Network(params, start.spectral.get("auxiliary", {}), optimiser.init(params))
    return RegressorState(step=jnp.zeros((), jnp.int32), regressor=network)
