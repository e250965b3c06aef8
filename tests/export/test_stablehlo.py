"""StableHLO: what was serialised is the same function, for any number of showers and every platform."""
import jax
import numpy as np
from exporting import check_hostile, difference, draw, save_run
from jax import export

from ecalgen.export.files import write_stablehlo
from ecalgen.export.function import load_function
from ecalgen.export.stablehlo import PLATFORMS


def test_what_was_written_is_the_same_function(tmp_path):
    make_cells, latent, _ = load_function(save_run(tmp_path, "anchored"))
    files, said = write_stablehlo(make_cells, latent, "test", None)
    exported = export.deserialize(bytearray(files["test.jax"]))
    assert exported.platforms == PLATFORMS == said["platforms"]
    for count in (1, 5):
        noise, conditions = draw(latent, count)
        made = exported.call(noise, conditions)
        assert difference(made, jax.jit(make_cells)(noise, conditions)) < 1e-5
    assert np.isfinite(made).all() and b"stablehlo." in files["test.stablehlo.mlir"]


def test_the_light_generator_takes_any_conditions():
    make_cells, latent, _ = load_function("anchored_light")
    files, _ = write_stablehlo(make_cells, latent, "test", None)
    shares = check_hostile(export.deserialize(bytearray(files["test.jax"])).call, latent)
    assert (shares < 1.05).all()
