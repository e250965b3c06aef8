"""Observables of blocks, by hand."""
import numpy as np
import pytest

from ecalgen.data.volume_observables import observables, profile, sampling_fraction
from ecalgen.data.volumes import Volumes


@pytest.fixture
def volumes():
    """3 GeV: 30 MeV in one cell and 10 MeV in another, two planes away in x and four in z; and an empty shower."""
    energy = np.zeros((2, 25, 25, 25))
    energy[0, 10, 5, 3], energy[0, 12, 5, 7] = 30, 10
    return Volumes(energy, [3.0, 50.0])


def test_sampling_fraction(volumes):
    np.testing.assert_allclose(sampling_fraction(volumes), [0.04 / 3, 0])


def test_profile(volumes):
    shares = profile(volumes.energy, "z")
    assert shares.shape == (2, 25)
    np.testing.assert_allclose(shares[0, [3, 7]], [0.75, 0.25])
    assert shares[1].sum() == 0


def test_observables(volumes):
    found = observables(volumes)
    expected = {"sampling_fraction": 0.04 / 3, "centre_x": 10.5 + 0.25 * 2, "centre_y": 5.5, "centre_z": 3.5 + 0.25 * 4,
                "width_x": 2 * np.sqrt(0.75 * 0.25), "width_y": 0, "width_z": 4 * np.sqrt(0.75 * 0.25), "lit_cells": 2,
                "largest_cell": 0.75}
    assert {name: value[0] for name, value in found.items()} == pytest.approx(expected, abs=1e-6)
    assert all(np.isfinite(value).all() for value in found.values()) and found["lit_cells"][1] == 0
