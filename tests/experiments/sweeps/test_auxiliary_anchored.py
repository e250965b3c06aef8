"""The quantities without a gradient that a regressor may bring into the anchored generator's training."""
import numpy as np

from ecalgen.data.grid import SHASHLIK


def test_quantities_without_a_gradient_by_hand(experiment):
    """Two clusters: 60 MeV in the first cell beyond the centre, and 40 MeV spread over two cells three further on."""
    module = experiment("sweeps.auxiliary_anchored")
    energy = np.zeros((1, 30, 30), np.float32)
    energy[0, 15, 15], energy[0, 18, 15], energy[0, 18, 16] = 60, 39, 1
    straight, centre = np.array([[0, 0, 10.0]], np.float32), np.zeros((1, 2), np.float32)
    assert module.maxima(energy, straight, centre, SHASHLIK).tolist() == [2]
    assert module.brightest_nine(energy, straight, centre, SHASHLIK).tolist() == [1]
    expected = np.hypot(3.5, 0.5)  # 60 % lie within 0.7 cells, 99 % within this
    np.testing.assert_allclose(module.radius_90(energy, straight, centre, SHASHLIK), [expected], rtol=1e-5)
