"""AdaGAN: generators trained one after the other, each on the showers that those before it do not make.

Source: Tolstikhin et al. 2017, arXiv:1701.02386, algorithm 1; for calorimeters Jaruskova and Vallecorsa, "Generative
adversarial networks ensemble".
"""
import numpy as np


def shower_weights(real_probability, share):
    """w_i = (lambda - (1 - beta) h_i)_+ / (beta N): how often the next generator is shown each training shower.

    h = (1 - d) / d estimates how many times denser the generators so far are than the data. Showers that they make
    often enough get no weight at all, and lambda is such that the weights sum to 1 (their equations 17 and 18).

    Args:
      real_probability: `[N]`, d_i: what a classifier of real against generated showers says of each real one.
      share: beta, that of the next generator in the mixture: 1 / (t + 1) after t of them.

    Returns:
      `[N]`, sums to 1.
    """
    d = np.clip(np.asarray(real_probability, np.float64), 1e-6, 1 - 1e-6)
    made = (1 - share) * (1 - d) / d
    order = np.sort(made)
    count = np.arange(1, len(d) + 1)
    level = (share * len(d) + np.cumsum(order)) / count  # lambda, if the first `count` showers are those with a weight
    held = np.nonzero(level > order)[0][-1]
    return np.maximum(level[held] - made, 0) / (share * len(d))
