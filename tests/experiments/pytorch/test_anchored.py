"""The anchored generator in PyTorch is the same network as ours: same weights, same numbers."""
import jax
import numpy as np
import pytest
from parameters import stirred

from ecalgen.models.build import build_generator

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch")


@pytest.mark.parametrize("preset", ["cpu", "cpu,size=light"])
def test_the_same_anchored_showers(experiment, recipe, showers, preset):
    theirs, theirs_anchored = experiment("pytorch.plain"), experiment("pytorch.anchored")
    fields = recipe(f"anchored:{preset}").generator.to_dict()
    generator, momentum, point = build_generator(fields), showers.momentum[:40], showers.point[:40]
    noise = jax.vmap(generator.draw_noise)(jax.random.split(jax.random.key(0), 40))
    params = stirred(generator.init(jax.random.key(1), noise, momentum, point)["params"])
    ours = generator.apply({"params": params}, noise, momentum, point)
    module = theirs.take(theirs_anchored.AnchoredGenerator(**fields), params)
    with torch.no_grad():
        cells = module({name: torch.from_numpy(np.array(value)) for name, value in noise.items()},
                       torch.from_numpy(momentum), torch.from_numpy(point))
    assert np.ptp(ours) > 0
    np.testing.assert_allclose(cells.numpy(), ours, rtol=1e-3, atol=1e-4 * np.abs(ours).max())
