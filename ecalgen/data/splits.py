"""Which showers of a file train, which validate, and which test."""
import warnings

import numpy as np
from scipy.stats import ks_2samp

from ecalgen.data.showers import BadShowers, Showers, quantities

LARGEST = {"test": 10_000, "validation": 4_000}
"""Largest number of showers of these splits."""
LEAST = 10
"""Smallest number of showers that can be split."""
SEED = 20180709
"""Seed of the random numbers that draw the rows."""
UNLIKELY = 1e-5
"""Probability of a difference by chance, below which a warning is issued."""


class DifferentSplits(UserWarning):
    """The splits of a file hold different particles; the text names the conditions that differ."""


def split_sizes(count: int) -> dict[str, int]:
    """How many of `count` showers test (a fifth), validate (8 %) and train (the rest).

    Test and validation stop growing at 10,000 and 4,000.

    Raises:
      BadShowers: for fewer than 10 showers, which would leave a split empty or nearly so.
    """
    if count < LEAST:
        raise BadShowers(f"{count} showers are too few to split into train, validation and test; give at least {LEAST}")
    test = min(count // 5, LARGEST["test"])
    validation = min(max(1, count * 2 // 25), LARGEST["validation"])
    return {"test": test, "validation": validation, "train": count - test - validation}


def ordered_splits(count: int) -> dict[str, np.ndarray]:
    """Rows of each split in the file's order: test first, then validation, then train.

    This is for showers that do not depend on their place in the file, such as those of the shipped samples.

    Raises:
      BadShowers: the errors of `split_sizes`.
    """
    sizes = split_sizes(count)
    return dict(zip(sizes, np.split(np.arange(count), np.cumsum([*sizes.values()])[:-1]), strict=True))


def drawn_splits(count: int) -> dict[str, np.ndarray]:
    """Rows of each split, drawn at random and in a random order, so that a sorted file splits evenly.

    The random number of a row depends only on its place in the file. The same file always splits alike, and a file
    that has grown keeps most of its splits.

    Raises:
      BadShowers: the errors of `split_sizes`.
    """
    order = np.argsort(np.random.PCG64(SEED).random_raw(count), kind="stable")
    return {split: order[rows] for split, rows in ordered_splits(count).items()}


def warn_of_differences(training: Showers, test: Showers) -> None:
    """Warn where two splits differ in a condition, by a Kolmogorov-Smirnov test of each."""
    ours, theirs = (quantities(showers.momentum, showers.point, showers.grid) for showers in (training, test))
    different = [name for name in ours if ks_2samp(*map(np.asarray, (ours[name], theirs[name]))).pvalue < UNLIKELY]
    if different:
        warnings.warn(f"training and test showers differ in {', '.join(different)} (Kolmogorov-Smirnov test); figures "
                      "of one say little about the other, so mix the rows of the file", DifferentSplits, stacklevel=2)
