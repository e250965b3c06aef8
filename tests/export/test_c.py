"""C against JAX, compiled by the machine's compiler."""
import concurrent.futures
import ctypes
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exporting import FUNCTIONS, GENERATORS, call, check_hostile, compile_c, difference, draw, run_c, save_run

from ecalgen.export.c import to_c
from ecalgen.export.c_text import flat, literal
from ecalgen.export.files import export_generator
from ecalgen.export.function import ExportError, load_function
from ecalgen.export.program import trace


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_operator(name, tmp_path):
    function, shape = FUNCTIONS[name]
    given = np.random.default_rng(0).normal(size=(1, *shape)).astype("f4")
    made = run_c(trace(function, given.shape), tmp_path, given)
    np.testing.assert_allclose(made, function(given), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator(name, tmp_path):
    make_cells, latent, _ = load_function(save_run(tmp_path, name))
    noise, conditions = draw(latent, 1)
    made = run_c(trace(make_cells, noise.shape, conditions.shape), tmp_path, noise, conditions)
    expected = jax.jit(make_cells)(noise, conditions)
    assert expected.max() > 0 and difference(made, expected) < 1e-4


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """The folder of the light generator in C, compiled, with its example."""
    folder = tmp_path_factory.mktemp("c")
    export_generator("anchored_light", "c", folder)
    compile_c(folder, "-shared", "-fPIC", "-o", "anchored_light.so", "anchored_light.c", "-lm")
    compile_c(folder, "-o", "example", "anchored_light_example.c", "anchored_light.c", "-lm")
    return folder


def light(folder):
    """The compiled light generator as a function of one shower's noise and conditions."""
    function = ctypes.CDLL(str(folder / "anchored_light.so")).anchored_light_shower
    header = (folder / "anchored_light.h").read_text()
    workspace = int(header.split("anchored_light_workspace =")[1].split()[0])

    def shower(noise, conditions):
        cells = np.zeros((30, 30), "f4")
        call(function, noise, conditions, cells, np.full(workspace, np.nan, "f4"))
        return cells

    return shower


def test_the_light_generator_from_several_threads(shipped):
    make_cells, latent, _ = load_function("anchored_light")
    noise, conditions = draw(latent, 40)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        made = np.stack(list(pool.map(light(shipped), noise, conditions)))
    assert difference(made, jax.jit(make_cells)(noise, conditions)) < 1e-4


def test_the_light_generator_takes_any_conditions(shipped):
    shares = check_hostile(lambda noise, conditions: np.stack(list(map(light(shipped), noise, conditions))),
                           load_function("anchored_light")[1])
    assert (shares < 1.05).all()


def test_the_example_prints_a_shower(shipped):
    """20 GeV, of which the shashlik's cells see 17 %."""
    first, again, other = (subprocess.run(["./example", seed], cwd=shipped, capture_output=True, text=True, check=True)
                           for seed in ("1", "1", "2"))
    assert first.stdout == again.stdout != other.stdout
    cells = np.array([row.split() for row in first.stdout.splitlines()], float)
    assert cells.shape == (30, 30) and 2800 < cells.sum() < 4200
    assert first.stderr == f"{cells.sum():.1f} MeV in all cells\n" or abs(
        float(first.stderr.split()[0]) - cells.sum()) < 1e-3 * cells.sum()


def test_a_primitive_without_a_writing_is_named():
    with pytest.raises(ExportError, match="sort of mine cannot be written as C"):
        to_c(trace(jnp.sort, (1, 3)), "mine", ["given"], "cells")


@pytest.mark.parametrize(("number", "text"), [
    (np.float32(1), "1.0f"), (np.float32(-0.1), "-0.100000001f"), (np.float32(1e-30), "1.00000000e-30f"),
    (np.int32(7), "7"), (np.float32("inf"), "3.4e38f"), (np.bool_(True), "1")])
def test_numbers_read_back_as_they_are(number, text):
    written = literal(number)
    assert float(written.strip("f")) == float(text.strip("f")) and written.endswith("f") == text.endswith("f")


def test_index_of_an_element():
    assert flat((3, 1, 4), ["i0", "i1", "i2"]) == "i0 * 4 + i2"
    assert flat((1, 1), ["i0", "i1"]) == "0"
