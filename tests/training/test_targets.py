"""What a regressor is to learn: named observables or a user's function, on the scale of the training showers."""
import numpy as np
import pytest

from ecalgen.data.observables import longitudinal_asymmetry, ring_energies
from ecalgen.errors import ConfigError
from ecalgen.models.build import build_discriminator
from ecalgen.training.targets import fit_targets

AS_IT_IS = build_discriminator(dict(name="plain")).frame
OWN = '''
import numpy as np
def brightest(energy, momentum, point):
    return np.asarray(energy).max((1, 2))
def lit(energy, momentum, point):
    return (np.asarray(energy) > 0).sum((1, 2))
def constant(energy, momentum, point):
    return np.ones(len(energy))
def words(energy, momentum, point):
    return np.array(["a"] * len(energy))
def one(energy, momentum, point):
    return np.float32(1)
def of_energy(energy):
    return np.asarray(energy).max((1, 2))
def infinite(energy, momentum, point):
    return np.where(np.arange(len(energy)) % 10 == 3, np.inf, np.asarray(energy).max((1, 2)))
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_targets.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def test_they_have_mean_zero_and_deviation_one(showers):
    targets = fit_targets(("longitudinal_asymmetry", "ring_energies"), (1.0, 0.5), AS_IT_IS, showers)
    values = targets(showers)
    assert targets.names == ("longitudinal_asymmetry", *(f"ring_energies[{k}]" for k in range(4)))
    np.testing.assert_allclose(targets.weights, [1, 0.5, 0.5, 0.5, 0.5])
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(values.std(axis=0), 1, rtol=1e-4)
    few = showers[:7]
    rings = ring_energies(few.energy, few.momentum, few.point)
    np.testing.assert_allclose(targets(few)[:, 1:] * targets.std[1:] + targets.mean[1:], rings, rtol=1e-3, atol=0.1)


def test_a_function_of_ones_own_that_has_no_gradient(own, showers):
    targets = fit_targets(("own_targets:brightest", "own_targets:lit"), (1.0, 1.0), AS_IT_IS, showers)
    counts = targets(showers)[:, 1] * targets.std[1] + targets.mean[1]
    np.testing.assert_allclose(counts, (showers.energy > 0).sum((1, 2)), atol=0.01)


def test_they_are_seen_from_the_octant(showers):
    """Along the track a mirror changes nothing, across it the sign where the octant's mirrors are odd in number."""
    frame = build_discriminator(dict(name="physics")).frame
    targets = fit_targets(("longitudinal_asymmetry", "transverse_asymmetry"), (1.0, 1.0), frame, showers)
    plain = fit_targets(("longitudinal_asymmetry", "transverse_asymmetry"), (1.0, 1.0), AS_IT_IS, showers)
    folded, seen = (target(showers) * target.std + target.mean for target in (targets, plain))
    np.testing.assert_allclose(folded[:, 0], seen[:, 0], atol=1e-4)
    px, py, _ = showers.momentum.T
    odd = (px < 0) ^ (py < 0) ^ (abs(py) > abs(px))
    np.testing.assert_allclose(folded[:, 1], np.where(odd, -1, 1) * seen[:, 1], atol=1e-4)
    exact = longitudinal_asymmetry(showers.energy, showers.momentum, showers.point)
    np.testing.assert_allclose(seen[:, 0], exact, atol=1e-4)


@pytest.mark.parametrize("names, weights, message", [
    (("asymmetry",), (1.0,), "names 'asymmetry'; it is one of longitudinal_asymmetry, .* or your own function"),
    (("nowhere:f",), (1.0,), "targets: nowhere:f cannot be imported .No module named 'nowhere'"),
    (("own_targets:missing",), (1.0,), "own_targets:missing cannot be imported .*missing"),
    (("own_targets:constant",), (1.0,), "own_targets:constant is the same in all showers"),
    (("own_targets:words",), (1.0,), r"own_targets:words gives <U1 of shape \[1\]"),
    (("own_targets:one",), (1.0,), r"own_targets:one gives float32 of shape \[\]"),
    (("own_targets:of_energy",), (1.0,), r"own_targets:of_energy\(energy, momentum, point\) fails: .*1 positional"),
    (("own_targets:infinite",), (1.0,), "own_targets:infinite is not finite for 5 of 50 showers"),
    (("delta_x", "delta_y"), ("a", "b"), r"config.regressor.weights is \('a', 'b'\); a weight is a number"),
    ((), (), "has 0 targets and 0 weights"),
    (("delta_x",), (1.0, 2.0), "has 1 targets and 2 weights"),
    (("delta_x",), (-1.0,), "a weight is a number of at least 0"),
])
def test_what_cannot_be_learnt(own, showers, names, weights, message):
    with pytest.raises(ConfigError, match=message):
        fit_targets(names, weights, AS_IT_IS, showers[:50])
