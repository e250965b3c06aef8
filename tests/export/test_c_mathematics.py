"""Functions of the C helpers against NumPy in float64, at random arguments and at the edges."""
import ctypes

import numpy as np
import pytest
from exporting import compile_c

from ecalgen.export.c_mathematics import HELPERS

NAMES = ("exp_of", "log_of", "log1p_of", "tanh_of", "logistic_of", "sqrt_of")


@pytest.fixture(scope="module", params=[(), ("-O3",), ("-O3", "-march=native")], ids=" ".join)
def functions(request, tmp_path_factory):
    """Name -> the function of an array, compiled with each set of options; loops over it are vectorised."""
    folder = tmp_path_factory.mktemp("mathematics")
    loops = "".join(f"void {name}_all(const float *restrict x, float *restrict y, int n) "
                    f"{{ for (int i = 0; i < n; ++i) y[i] = {name}(x[i]); }}\n" for name in NAMES)
    (folder / "test.c").write_text(f"{HELPERS}\n{loops}")
    compile_c(folder, *request.param, "-shared", "-fPIC", "-o", "test.so", "test.c")
    library = ctypes.CDLL(str(folder / "test.so"))

    def call(name, x):
        x = np.ascontiguousarray(x, np.float32)
        y = np.empty_like(x)
        pointer = lambda array: array.ctypes.data_as(ctypes.c_void_p)
        getattr(library, f"{name}_all")(pointer(x), pointer(y), len(x))
        return x.astype(np.float64), y.astype(np.float64)

    return call


def spaced(low, high, count=20_000):
    """Numbers of all sizes between two positive ones."""
    return np.exp(np.random.default_rng(0).uniform(np.log(low), np.log(high), count))


def test_exp(functions):
    x, y = functions("exp_of", np.random.default_rng(0).uniform(-86.9, 87.9, 20_000))
    np.testing.assert_allclose(y, np.exp(x), rtol=4e-7)
    x, y = functions("exp_of", [0.0, -1000.0, 1000.0, -87.0, 88.0])
    assert y[0] == 1 and 0 <= y[1] < 2e-38 and 1e38 < y[2] < 3.4e38


def test_log(functions):
    x, y = functions("log_of", spaced(2e-38, 3e38))
    assert (np.abs(y - np.log(x)) < 4e-7 * np.maximum(1, np.abs(np.log(x)))).all()
    x, y = functions("log_of", 1 + np.linspace(-0.2, 0.2, 4001))
    np.testing.assert_allclose(y, np.log(x), rtol=4e-7, atol=1e-12)  # also near 1
    assert (functions("log_of", [0.0, -1.0, 1e-45])[1] < -87).all()


def test_log1p(functions):
    x, y = functions("log1p_of", spaced(1e-12, 1e6))
    np.testing.assert_allclose(y, np.log1p(x), rtol=5e-7)


def test_tanh_and_logistic(functions):
    x = np.random.default_rng(1).uniform(-60, 60, 20_000)
    x, y = functions("tanh_of", np.concatenate([x, x / 60]))
    np.testing.assert_allclose(y, np.tanh(x), atol=4e-7)
    x, y = functions("logistic_of", x)
    np.testing.assert_allclose(y, 1 / (1 + np.exp(-x)), rtol=4e-7)


def test_sqrt(functions):
    x, y = functions("sqrt_of", spaced(1e-20, 1e30))
    np.testing.assert_allclose(y, np.sqrt(x), rtol=4e-7)
    assert functions("sqrt_of", [0.0])[1][0] == 0
