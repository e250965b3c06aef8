"""The C++ class against JAX, its random numbers against published ones, and its use in a Geant4 application."""
import concurrent.futures
import ctypes
import os
import pathlib
import shutil
import subprocess

import jax
import numpy as np
import pytest
from exporting import call, difference, draw
from scipy.stats import kstest

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.particles import trained_range
from ecalgen.data.showers import quantities
from ecalgen.export.files import export_generator
from ecalgen.export.function import load_function

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "geant4"
WRAPPER = """
#include "anchored_light.hpp"
using G = ecalgen::anchored_light;
static const G generator;
extern "C" {
void given(const float *noise, const float *p, float *cells) {
  static thread_local G::Workspace workspace;
  generator.shower(noise, p[0], p[1], p[2], p[3], p[4], cells, workspace);
}
void seeded(unsigned long long event, unsigned long long particle, const float *p, float *cells) {
  static thread_local G::Workspace workspace;
  generator.shower(event, particle, p[0], p[1], p[2], p[3], p[4], cells, workspace);
}
int knows(const float *p) { return G::knows(p[0], p[1], p[2], p[3], p[4]); }
void philox(unsigned long long key, unsigned long long high, unsigned long long low, unsigned *out) {
  ecalgen::anchored_light_parts::philox(key, high, low, out);
}
void normal(unsigned long long key, unsigned long long stream, int blocks, float *out) {
  ecalgen::anchored_light_parts::normal_numbers(key, stream, blocks, out);
}
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cpp")
    export_generator("anchored_light", "cpp", folder)
    (folder / "test.cpp").write_text(WRAPPER)
    subprocess.run(["c++", "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", "test.so",
                    "test.cpp"], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "test.so"))


def seeded(library, event, particle, conditions):
    cells = np.zeros((30, 30), np.float32)
    pointer = lambda array: array.ctypes.data_as(ctypes.c_void_p)
    library.seeded(ctypes.c_uint64(event), ctypes.c_uint64(particle), pointer(conditions), pointer(cells))
    return cells


def test_it_is_the_generator_from_several_threads(library):
    make_cells, latent, _ = load_function("anchored_light")
    noise, conditions = draw(latent, 40)

    def shower(numbers, particle):
        cells = np.zeros((30, 30), np.float32)
        call(library.given, numbers, particle, cells)
        return cells

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        made = np.stack(list(pool.map(shower, noise, conditions)))
    assert difference(made, jax.jit(make_cells)(noise, conditions)) < 1e-4


@pytest.mark.parametrize("word, expected", [
    (0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"), (2**64 - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd")])
def test_random_bits_are_the_published_ones(library, word, expected):
    """Random123, kat_vectors: philox4x32 of ten rounds."""
    out = np.zeros(4, np.uint32)
    library.philox(*[ctypes.c_uint64(word)] * 3, out.ctypes.data_as(ctypes.c_void_p))
    assert " ".join(f"{number:08x}" for number in out) == expected


def test_noise_is_normal_and_independent(library):
    rows = np.zeros((200, 1000), np.float32)
    for stream, row in enumerate(rows):
        library.normal(ctypes.c_uint64(5), ctypes.c_uint64(stream), 250, row.ctypes.data_as(ctypes.c_void_p))
    assert kstest(rows.ravel(), "norm").pvalue > 1e-3 and np.abs(rows).max() < 7
    for lag in (1, 2, 4, 1000):
        flat = rows.ravel().astype(float)
        assert abs(np.mean(flat[:-lag] * flat[lag:])) < 4 / np.sqrt(len(flat))


def test_event_and_particle_decide(library):
    conditions = np.array([0.5, -1.0, 20.0, 0.3, 0.2], np.float32)
    first, again, event, particle = (seeded(library, *numbers, conditions) for numbers in (
        (7, 1), (7, 1), (8, 1), (7, 2)))
    np.testing.assert_array_equal(first, again)
    assert (first != event).any() and (first != particle).any()
    sums = [seeded(library, 1, track, conditions).sum() for track in range(300)]
    assert np.mean(sums) == pytest.approx(0.1735 * 20_025, rel=0.01)  # the visible fraction of docs/calorimeters


def test_it_knows_the_particles_of_its_training(library):
    rng, count = np.random.default_rng(0), 2000
    slope, track = rng.normal(0, 0.4, (count, 2)), rng.uniform(-1.3, 1.3, (count, 2))
    pz = np.exp(rng.uniform(np.log(0.5), np.log(150), count))
    momentum, point = np.column_stack([slope * pz[:, None], pz]), track - 15 * slope
    low, high = trained_range(load_function("anchored_light")[2]["trained_on"], SHASHLIK)
    given = np.stack(list(quantities(momentum, point, SHASHLIK).values()), axis=1)
    expected = ((given >= low) & (given <= high)).all(axis=1) & (np.abs(point) <= 30.3).all(axis=1)
    rows = np.hstack([momentum, point]).astype(np.float32)
    found = [bool(library.knows(row.ctypes.data_as(ctypes.c_void_p))) for row in rows]
    assert 0.05 < np.mean(expected) < 0.95 and np.mean(found == expected) > 0.999  # float32 at the very edges
    backwards = np.array([0, 0, -5, 0, 0], np.float32)
    assert not library.knows(backwards.ctypes.data_as(ctypes.c_void_p))


def test_the_program_of_the_page(library, tmp_path):
    """The program of docs/export.md, by the command in its first line."""
    page = (EXAMPLE.parents[1] / "docs" / "export.md").read_text()
    program = page.split("```cpp\n")[1].split("```")[0]
    export_generator("anchored_light", "cpp", tmp_path)
    (tmp_path / "main.cpp").write_text(program)
    command = program.splitlines()[0].partition(": ")[2]
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    sums = [float(line.split()[0]) for line in done.stdout.splitlines()]
    assert len(sums) == 3 and all(3000 < value < 3900 for value in sums)


HEADERS = os.environ.get("GEANT4_INCLUDE_DIR")
INSTALLED = shutil.which("geant4-config")


@pytest.mark.skipif(not (HEADERS or INSTALLED), reason="no headers of Geant4: neither geant4-config nor "
                    "$GEANT4_INCLUDE_DIR")
def test_the_geant4_application_compiles(tmp_path):
    export_generator("anchored_light", "cpp", tmp_path)
    flags = [f"-I{HEADERS}"] if HEADERS else subprocess.run([INSTALLED, "--cflags"], capture_output=True, text=True,
                                                            check=True).stdout.split()
    subprocess.run(["c++", "-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", f"-I{tmp_path}", *flags,
                    str(EXAMPLE / "electrons.cc")], check=True)


@pytest.mark.skipif(not (INSTALLED and shutil.which("cmake")), reason="Geant4 for C++, or CMake, is not installed")
def test_the_geant4_application_runs(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "source")
    export_generator("anchored_light", "cpp", tmp_path / "source")
    for words in (["cmake", "-S", "source", "-B", "build"], ["cmake", "--build", "build"]):
        subprocess.run(words, cwd=tmp_path, check=True)
    fast = subprocess.run([tmp_path / "build" / "electrons", "2", "5", "fast"], capture_output=True, text=True,
                          check=True)
    assert fast.stdout.count(" GeV in ") == 2
