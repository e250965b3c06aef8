"""An ensemble far outside of its range, and its seeds; without training."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.adagan.ensemble_sampler import EnsembleSampler
from ecalgen.data.transforms import make_transform
from ecalgen.errors import UserError
from ecalgen.models.three_views import SIDE


class Even:
    """A generator that spreads the energy evenly, but for a little noise."""

    def draw_noise(self, key):
        return jax.random.uniform(key)

    def apply(self, variables, noise, momentum, point):
        del variables, point
        total = 1000 * jnp.linalg.norm(momentum, axis=1) * (1 + 0.01 * noise)
        return jnp.broadcast_to((total / SIDE**3)[:, None, None, None], (len(total), SIDE, SIDE, SIDE))


@pytest.fixture
def sampler():
    return EnsembleSampler(Even(), make_transform("none"), [{}, {}], {"trained_on": {"energy (GeV)": [2.0, 500.0]}})


@pytest.mark.filterwarnings("ignore:the energy of")
def test_energies_outside_the_range_are_held_and_the_showers_scaled(sampler, monkeypatch):
    seen = []
    monkeypatch.setattr("ecalgen.adagan.ensemble_sampler.along_z", lambda energy: (
        seen.extend(energy.tolist()), jnp.stack([0 * energy, 0 * energy, energy], 1))[1])
    energy = np.array([1e-6, 1.0, 10.0, 1e9])
    made = sampler(energy, members=1)
    np.testing.assert_allclose(made.sum((1, 2, 3), dtype=float), 1000 * energy, rtol=0.02)
    np.testing.assert_allclose(sorted(set(seen)), [2 / 1.5, 10, 750], rtol=1e-6)


@pytest.mark.parametrize("energy, seed, message", [
    ([1e10], 0, r"1 of 1 particles \(rows 0\) have an energy outside of"), ([5, 1e-7], 0, r"rows 1\)"),
    ([[1.0], [1.0, 2.0]], 0, "must be positive numbers in GeV"), ([5.0], -1, "seed is -1"),
    ([5.0], 0.5, "seed is 0.5")])
def test_what_cannot_be_is_refused(sampler, energy, seed, message):
    with pytest.raises(UserError, match=message):
        sampler(energy, seed=seed)


def test_seeds_of_64_bits(sampler):
    made = [sampler(np.full(4, 10.0), seed=seed)[:, 0, 0, 0] for seed in (0, 2**32, 2**64 - 1, 2**32 - 1)]
    assert len(set(map(tuple, made))) == 4
