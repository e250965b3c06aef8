"""What training carries from step to step: one immutable state a stage, nothing outside it."""
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from ecalgen.models.layers import fold_spectral_norm
from ecalgen.models.whitening import fit_whitening


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
        """Nothing that a later stage takes over by its name."""
        return {}


class BoundState(struct.PyTreeNode):
    """A model fitted by the lower bound of its likelihood, and how many steps it has seen."""

    step: jax.Array
    network: Network
    drawn_from: tuple[str, ...] = struct.field(pytree_node=False)
    """Names of those of its parameters that make showers."""
    fits: tuple[str, ...] = struct.field(pytree_node=False, default=())
    """Names of those that later stages take over."""

    @property
    def sampled(self):
        """The variables of the generator that the model is alone."""
        params = self.network.params
        return {"params": {name: params[name] for name in self.drawn_from if name in params}, "spectral": {}}

    @property
    def fitted(self):
        """The parameters that later stages take over."""
        return {name: self.network.params[name] for name in self.fits if name in self.network.params}


class LibraryState(struct.PyTreeNode):
    """A library of showers; its only step fills it."""

    step: jax.Array
    params: Any

    @property
    def sampled(self):
        """The variables of the generator that is the library."""
        return {"params": self.params, "spectral": {}}

    @property
    def fitted(self):
        """Nothing that a later stage takes over."""
        return {}


class JudgeState(struct.PyTreeNode):
    """A classifier of real against generated showers, how many steps it has seen, and who makes the latter."""

    step: jax.Array
    network: Network
    made_by: Any
    """The variables of several generators of one kind, stacked."""

    @property
    def fitted(self):
        """Nothing that a later stage takes over."""
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

    They are drawn by the generator `rbg`: a program of many small draws compiles several times faster with it.
    """
    return jax.random.key(seed, impl="rbg")


def init_network(module, optimiser, key, *example, fitted=None):
    """A network with fresh parameters, but those that are `fitted`: {name at the top: parameters}.

    `example` holds the arguments of one call, of any batch size.
    """
    variables = jax.jit(module.init)(key, *example)
    params = {name: (fitted or {}).get(name, value) for name, value in variables["params"].items()}
    return Network(params=params, spectral=variables.get("spectral", {}), optimiser=optimiser.init(params))


def init_gan(generator, discriminator, optimisers, key, data, before=None):
    """The state before the first step; generator and discriminator start from keys of their own.

    Args:
      optimisers: (generator's, discriminator's), optax.
      data: the training showers, as `steps.gan_step` takes them; only shapes are used.
      before: {name: last state} of the stages before, whose `fitted` parameters both networks take over.
    """
    generator_key, discriminator_key = jax.random.split(key)
    momentum, point = data["momentum"][:1], data["point"][:1]
    noise = jax.vmap(generator.draw_noise)(key[None])
    fitted = {name: value for state in (before or {}).values() for name, value in state.fitted.items()}
    g = init_network(generator, optimisers[0], generator_key, noise, momentum, point, fitted=fitted)
    d = init_network(discriminator, optimisers[1], discriminator_key, data["cells"][:1], momentum, point, fitted=fitted)
    return GANState(step=jnp.zeros((), jnp.int32), generator=g, discriminator=d, ema=jax.tree.map(jnp.copy, g.params))


def init_prior(prior, optimiser, key, data, fits):
    """The state of a prior before the first step, its whitening fitted to the training showers.

    `fits` are the names of the parameters that later stages take over.
    """
    example = [data[name][:1] for name in ("cells", "momentum", "point")]
    network = init_network(prior, optimiser, key, *example, jnp.zeros((1, prior.shape_latents)))
    whitening = fit_whitening(*(prior.seen(data["cells"], data["momentum"], data["point"])))
    return BoundState(step=jnp.zeros((), jnp.int32), drawn_from=("total", "profile"), fits=fits,
                      network=network.replace(params=network.params | {"whitening": whitening}))


def init_vae(vae, optimiser, key, data):
    """The state of a variational autoencoder before the first step."""
    example = [data[name][:1] for name in ("cells", "momentum", "point")]
    return BoundState(step=jnp.zeros((), jnp.int32), drawn_from=("decoder",),
                      network=init_network(vae, optimiser, key, *example, jnp.zeros((1, vae.latent))))


def init_judge(judge, optimiser, key, data, made_by):
    """The state of a classifier of real against generated showers before its first step.

    Args:
      made_by: variables of the generators whose showers it is to tell.
    """
    network = init_network(judge, optimiser, key, *(data[name][:1] for name in ("cells", "momentum", "point")))
    return JudgeState(step=jnp.zeros((), jnp.int32), network=network,
                      made_by=jax.tree.map(lambda *leaves: jnp.stack(leaves), *made_by))


def init_regressor(regressor, optimiser, key, example, start=None):
    """The state of a regressor before its first step.

    Args:
      example: what it is shown of a shower: views and conditions.
      start: the `Network` of a discriminator whose `auxiliary` part it goes on from.
    """
    network = init_network(regressor, optimiser, key, *example)
    if start is not None:
        params = start.params["auxiliary"]
        network = Network(params, start.spectral.get("auxiliary", {}), optimiser.init(params))
    return RegressorState(step=jnp.zeros((), jnp.int32), regressor=network)
