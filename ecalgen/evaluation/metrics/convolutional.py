"""A small convolutional classifier of shower images, with scikit-learn's `fit` and `predict_proba`."""
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from ecalgen.machine.chunks import mapped
from ecalgen.models.layers import Dense, DownBlock, framed

BATCH = 64


class _Network(nn.Module):
    @nn.compact
    def __call__(self, images):
        x = framed((images if images.ndim == 4 else images[..., None]) / 3)
        for i, width in enumerate((16, 32, 64)):
            x = DownBlock(width, name=f"down{i}")(x)
        x = nn.leaky_relu(Dense(64, name="dense")(x.reshape(len(x), -1)), 0.1)
        return Dense(1, name="logit")(x)[:, 0]


class ConvolutionalClassifier:
    """Logistic regression on three strided convolutions, trained by Adam with weight decay and a cosine schedule.

    Args:
      seed: of the initial weights and of the order of the images.
      epochs: passes through the images.
    """

    def __init__(self, seed=0, epochs=8):
        self.seed, self.epochs = seed, epochs

    def fit(self, images, labels):
        """Train on `images [N, nx, ny]`, or with channels, and `labels [N]`, 0 or 1; return the classifier."""
        images, labels = jnp.asarray(images, jnp.float32), jnp.asarray(labels, jnp.float32)
        steps = max(1, len(images) // BATCH) * self.epochs
        start, step = _programs(steps)
        params, state = start(jax.random.key(self.seed), images[:1])
        rng = np.random.default_rng(self.seed)
        order = np.concatenate([rng.permutation(len(images)) for _ in range(-(-steps * BATCH // len(images)))])
        for i in range(steps):
            batch = order[i * BATCH:(i + 1) * BATCH]
            params, state = step(params, state, images[batch], labels[batch])
        self.params = params
        return self

    def predict_proba(self, images):
        """Probabilities of both labels: images as in `fit` -> `[N, 2]`."""
        one = mapped(lambda rows: _probability(self.params, jnp.asarray(rows, jnp.float32)), 1024, images)
        return np.stack([1 - one, one], axis=1)


@functools.lru_cache(maxsize=16)
def _programs(steps):
    """(start, step) of a training of so many steps, compiled once for all folds and sets of showers of a size."""
    optimiser = optax.adamw(optax.cosine_decay_schedule(2e-3, steps), weight_decay=1e-3)

    def loss_fn(params, images, labels):
        return jnp.mean(optax.sigmoid_binary_cross_entropy(_Network().apply(params, images), labels))

    @jax.jit
    def start(key, images):
        params = _Network().init(key, images)
        return params, optimiser.init(params)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(params, state, images, labels):
        updates, state = optimiser.update(jax.grad(loss_fn)(params, images, labels), state, params)
        return optax.apply_updates(params, updates), state

    return start, step


@jax.jit
def _probability(params, images):
    return jax.nn.sigmoid(_Network().apply(params, images))
