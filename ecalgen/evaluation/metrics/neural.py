"""Neural classifiers of showers, with scikit-learn's `fit` and `predict_proba`."""
import functools
from collections.abc import Callable, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from ecalgen.machine.chunks import mapped
from ecalgen.models.layers import Dense, DownBlock, framed

ROWS = 1024
"""Showers in one call that predicts."""
ZERO = 0.1
"""MeV: cells enter as log(1 + e / ZERO)."""


class ImageNetwork(nn.Module):
    """A logit of images `[N, nx, ny]`, or with channels, from three strided convolutions and a dense layer."""

    @nn.compact
    def __call__(self, images):
        x = framed((images if images.ndim == 4 else images[..., None]) / 3)
        for i, width in enumerate((16, 32, 64)):
            x = DownBlock(width, name=f"down{i}")(x)
        x = nn.leaky_relu(Dense(64, name="dense")(x.reshape(len(x), -1)), 0.1)
        return Dense(1, name="logit")(x)[:, 0]


class CellNetwork(nn.Module):
    """A logit of cells and conditions `[N, cells + K]`, from two hidden layers.

    Source: Krause et al. 2024, arXiv:2410.21611, section 4: the classifier of the calorimeter challenge, of two hidden
    layers of 512.
    """

    conditions: int
    widths: Sequence[int] = (512, 512)

    @nn.compact
    def __call__(self, rows):
        cells, given = split(rows, self.conditions)
        x = jnp.concatenate([jnp.log1p(cells / ZERO) / 3, given], axis=1)
        for i, width in enumerate(self.widths):
            x = nn.leaky_relu(Dense(width, name=f"hidden{i}")(x), 0.01)
        return Dense(1, name="logit")(x)[:, 0]


class PictureNetwork(nn.Module):
    """A logit of cells and conditions `[N, nx ny + K]`: three convolutions of stride 2, then the particle joins.

    The maps are log(1 + e / 0.1 MeV) and the root of the cell's share of the energy, of the central cells.
    """

    conditions: int
    shape: tuple[int, int]
    side: int = 24
    widths: Sequence[int] = (32, 64, 96)

    @nn.compact
    def __call__(self, rows):
        cells, given = split(rows, self.conditions)
        cells = cells.reshape(-1, *self.shape)
        share = cells / jnp.maximum(cells.sum((1, 2), keepdims=True), 1e-3)
        maps = jnp.stack([jnp.log1p(cells / ZERO) / 3, 3 * jnp.sqrt(share)], axis=-1)
        middle = tuple(slice((n - min(n, self.side)) // 2, (n + min(n, self.side)) // 2) for n in self.shape)
        x = framed(maps[:, *middle])
        for i, width in enumerate(self.widths):
            x = DownBlock(width, name=f"down{i}")(x)
        x = jnp.concatenate([x.reshape(len(x), -1), given], axis=1)
        x = nn.leaky_relu(Dense(128, name="dense")(x), 0.1)
        return Dense(1, name="logit")(x)[:, 0]


def split(rows, conditions):
    """Cells in MeV, and conditions: `[N, cells + K]` -> `[N, cells]`, `[N, K]`."""
    return rows[:, :rows.shape[1] - conditions], rows[:, rows.shape[1] - conditions:]


class NeuralClassifier:
    """Logistic regression on a network, trained by Adam with weight decay and a rate that falls along a cosine.

    Args:
      network: a Flax module, rows -> logits.
      seed: of the initial weights and of the order of the rows.
      epochs: passes through the rows.
      batch: rows a step.
      rate: learning rate at the start.
    """

    def __init__(self, network: nn.Module, seed: int = 0, epochs: int = 8, batch: int = 64, rate: float = 2e-3):
        self.network, self.seed, self.epochs, self.batch, self.rate = network, seed, epochs, batch, rate

    def fit(self, rows, labels):
        """Train on rows `[N, ...]` and labels `[N]`, 0 or 1; return the classifier."""
        labels = np.asarray(labels, np.float32)
        steps = max(1, len(rows) // self.batch) * self.epochs
        start, step = _programs(self.network, steps, self.rate)
        params, state = start(jax.random.key(self.seed), jnp.asarray(rows[:1], jnp.float32))
        rng = np.random.default_rng(self.seed)
        order = np.concatenate([rng.permutation(len(rows)) for _ in range(-(-steps * self.batch // len(rows)))])
        for i in range(steps):
            batch = order[i * self.batch:(i + 1) * self.batch]
            params, state = step(params, state, jnp.asarray(rows[batch], jnp.float32), labels[batch])
        self.params = params
        return self

    def predict_proba(self, rows):
        """Probabilities of both labels: rows as in `fit` -> `[N, 2]`."""
        predict = _probability(self.network)
        one = mapped(lambda part: predict(self.params, jnp.asarray(part, jnp.float32)), ROWS, rows)
        return np.stack([1 - one, one], axis=1)


def image_classifier(seed: int = 0, epochs: int = 8) -> NeuralClassifier:
    """The classifier of images in every evaluation."""
    return NeuralClassifier(ImageNetwork(), seed, epochs)


@functools.lru_cache(maxsize=16)
def _programs(network, steps, rate) -> tuple[Callable, Callable]:
    """(start, step) of a training of so many steps, compiled once for all folds and sets of showers of a size."""
    optimiser = optax.adamw(optax.cosine_decay_schedule(rate, steps), weight_decay=1e-3)

    def loss_fn(params, rows, labels):
        return jnp.mean(optax.sigmoid_binary_cross_entropy(network.apply(params, rows), labels))

    @jax.jit
    def start(key, rows):
        params = network.init(key, rows)
        return params, optimiser.init(params)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(params, state, rows, labels):
        updates, state = optimiser.update(jax.grad(loss_fn)(params, rows, labels), state, params)
        return optax.apply_updates(params, updates), state

    return start, step


@functools.lru_cache(maxsize=8)
def _probability(network):
    return jax.jit(lambda params, rows: jax.nn.sigmoid(network.apply(params, rows)))
