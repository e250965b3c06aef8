"""Intervals of the numbers in an evaluation, from resampling the showers."""
import numpy as np


def interval(value, resampled, level=0.95):
    return tuple(np.quantile(resampled, [0.025, 0.975]))
