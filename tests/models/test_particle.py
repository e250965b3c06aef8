"""The incident particle for networks, by hand."""
import jax.numpy as jnp
import numpy as np

from ecalgen.data.grid import OLD
from ecalgen.models import particle


def test_the_direction_is_of_length_one_at_normal_incidence():
    slope = jnp.array([[0.0, 0.0], [1e-5, 0.0], [0.03, 0.04]])
    np.testing.assert_allclose(particle.azimuth(slope), [[1, 0], [1, 0], [0.6, 0.8]], atol=0.006)


def test_the_direction_is_continuous_and_along_the_slope_but_at_normal_incidence():
    """Nowhere near length zero on the way to the normal, and slopes of a per cent have their own direction."""
    size = np.linspace(0, 0.02, 401)
    for x, y in [(1, 0), (0.6, 0.8), (0, 1), (0, -1)]:
        direction = np.asarray(particle.azimuth(jnp.array(np.outer(size, [x, y]))))
        assert np.linalg.norm(direction, axis=1).min() > 0.9
        assert np.linalg.norm(np.diff(direction, axis=0), axis=1).max() < 0.05
        np.testing.assert_allclose(direction[size >= 0.01], np.tile([x, y], (201, 1)), atol=0.006)


def test_incident_vector_by_hand():
    """E = 10 GeV, a slope of 0.175 along x, and the track through (0.583, 0) cm at 15 cm depth."""
    pz = 10 / np.sqrt(1 + 0.175**2)
    vector = particle.incident_vector(jnp.array([[0.175 * pz, 0, pz]]), jnp.array([[0.583 - 15 * 0.175, 0]]), OLD)
    np.testing.assert_allclose(vector, [[0, 1, 0, 1, 0, 1, 0]], atol=1e-3)
