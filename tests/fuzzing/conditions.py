"""Hostile particles, seeds and numbers of showers, given to samplers, to gflash and to an exported program."""
import functools

import jax
import numpy as np
import onnxruntime
from fuzzing.harness import Trial

from ecalgen.export.files import write_onnx
from ecalgen.export.function import load_function
from ecalgen.sampling.sampler import load_sampler
from ecalgen.simulation.gflash import Gflash

ROWS = 8
"""Rows of every accepted input, so that programs are compiled once."""
LARGEST_SHARE = 1.05
"""Of the incident energy that a shower of more than `RESOLVED` GeV may hold."""
RESOLVED = 0.5
"""GeV; below it, the visible energy of a shower fluctuates by more than its mean."""
LARGEST_SOFT_SHARE = 20
"""Of the incident energy that a shower of less may hold."""
SPECIAL = (0.0, -0.0, 1e-45, 1e-38, 1e-30, 1e-7, 1e-3, 1.0, 1e3, 1e6, 1e9, 1.1e9, 1e18, 1e30, 3.4e38, 1e300, np.nan,
           np.inf)
"""Numbers that are rarely tested."""


def draw(rng, folder):
    """One of the callers with one kind of hostile input."""
    del folder
    caller = CALLERS[rng.choice(len(CALLERS), p=(0.4, 0.1, 0.1, 0.2, 0.2))]
    kind = str(rng.choice([*PARTICLES, *SHAPES, *NUMBERS]))
    momentum, point, given = *beam(rng), {}
    if kind in PARTICLES:
        PARTICLES[kind](rng, momentum, point)
        given = {"misses": str(rng.choice(["refuse", "empty"]))}
    elif kind in SHAPES:
        momentum, point = SHAPES[kind](rng, momentum, point)
    else:
        given = {str(rng.choice(["seed", "first"])): NUMBERS[kind](rng)}
    return caller(kind, momentum, point, given)


def beam(rng):
    """Particles as in training, float64: `[8, 3]` GeV, `[8, 2]` cm."""
    slope = rng.normal(0, 0.175, (ROWS, 2))
    momentum = np.exp(rng.uniform(0, np.log(100), (ROWS, 1))) * np.column_stack([slope, np.ones(ROWS)])
    return momentum, rng.uniform(-1, 1, (ROWS, 2)) - 15 * slope


def _special(rng, momentum, point):
    for array in (momentum, point):
        for _ in range(rng.integers(4)):
            array.flat[rng.integers(array.size)] = rng.choice(SPECIAL) * rng.choice([-1, 1])


def _scaled(rng, momentum, point):
    momentum *= 10 ** rng.uniform(-9, 9, (ROWS, 1))
    if rng.random() < 0.3:
        point *= 10 ** rng.uniform(-3, 3)


def _steep(rng, momentum, point):
    momentum[:, :2] *= 10 ** rng.uniform(0, 6, (ROWS, 1))
    point[:] = rng.uniform(-30, 30, (ROWS, 2))


def _along(rng, momentum, point):
    momentum[rng.integers(ROWS), 2] = rng.choice([0.0, -1.0, 1e-20, 1e-30, 1e-38, 1e-44])


def _far(rng, momentum, point):
    point[:] = rng.uniform(-1, 1, (ROWS, 2)) * rng.choice([20, 30.3, 31, 300])


def _in_other_units(rng, momentum, point):
    momentum *= rng.choice([1e-3, 1, 1e3, 1e9])
    point *= rng.choice([0.01, 10])


PARTICLES = {"special numbers": _special, "scaled": _scaled, "steep": _steep, "along the face": _along, "far": _far,
             "other units": _in_other_units}
"""Kind -> (rng, momentum, point), which changes both arrays in place."""


def _other_shapes(rng, momentum, point):
    cut = lambda array: [array[0], array[:, :1], array[None], array[:3], array[:, :, None], array.T, array[0, 0],
                         np.concatenate([array, array], 1)][rng.integers(8)]
    return (cut(momentum), cut(point)) if rng.random() < 0.5 else (cut(momentum), point)


def _other_types(rng, momentum, point):
    kinds = [lambda x: x.astype(object), lambda x: x.astype(str), lambda x: x.astype(complex), lambda x: x > 0,
             lambda x: x.astype("f2"), lambda x: x.astype(int), lambda x: x.tolist(), lambda x: "anchored",
             lambda x: None, lambda x: {"p": x}, lambda x: [*x.tolist()[:-1], [1.0]], lambda x: np.ma.masked_array(x),
             lambda x: x.astype("M8[s]"), lambda x: x.astype(np.longdouble), lambda x: x[::-1],
             lambda x: x.astype(">f4")]
    change = kinds[rng.integers(len(kinds))]
    return (change(momentum), point) if rng.random() < 0.5 else (change(momentum), change(point))


def _empty(rng, momentum, point):
    return momentum[:0], point[:rng.integers(2)]


SHAPES = {"other shapes": _other_shapes, "other types": _other_types, "no rows": _empty}
"""Kind -> (rng, momentum, point) -> the same in another form."""


def _whole_number(rng):
    number = int(2 ** rng.uniform(0, 66)) + int(rng.integers(-2, 3))
    return number if rng.random() < 0.8 else -number


def _near_a_word(rng):
    return 2 ** int(rng.choice([8, 16, 31, 32, 33, 62, 63, 64, 65, 200])) + int(rng.integers(-9, 2))


def _numpy_number(rng):
    kind = np.dtype(rng.choice(["i1", "u1", "i4", "u4", "i8", "u8", "f4", "f8", "?"])).type
    return kind(rng.integers(0, 100)) if rng.random() < 0.8 else np.array([kind(1)] * rng.integers(3))


def _no_number(rng):
    return (True, 1.0, np.nan, "1", None, [1], {}, b"1", 1j, (), "x\ny" * 99)[rng.integers(11)]


NUMBERS = {"whole number": _whole_number, "near a word": _near_a_word, "NumPy number": _numpy_number,
           "no number": _no_number}
"""Kind -> rng -> a seed or the number of a first shower."""


@functools.cache
def _shipped(name):
    return load_sampler(name)


@functools.cache
def _gflash():
    return Gflash()


@functools.cache
def _exported():
    make_cells, latent, _ = load_function("anchored_light")
    files, _ = write_onnx(make_cells, latent, "light", None)
    return onnxruntime.InferenceSession(files["light.onnx"], providers=["CPUExecutionProvider"]), latent


def _sampled(name):
    def trial(kind, momentum, point, given):
        return Trial(f"{name}: {kind}", lambda: _shipped(name)(momentum, point, **given), _sound(momentum))

    return trial


def _parametrised(kind, momentum, point, given):
    """gflash, whose time grows with the energy, up to 1 TeV."""
    if kind in PARTICLES:
        momentum *= np.minimum(1, 1e3 / np.maximum(_energy(momentum), 1))[:, None]
    return Trial(f"gflash: {kind}", lambda: _gflash()(momentum, point, **given), _sound(momentum))


def _pure(kind, momentum, point, given):
    """The pure function, which never refuses a number."""
    del given
    momentum, point = _as_float32(*_plain_form(kind, momentum, point))
    light = _shipped("anchored_light")
    call = lambda: light.sample(light.variables, jax.random.key(0), momentum, point)
    return Trial(f"pure: {kind}", call, _sound(momentum))


def _program(kind, momentum, point, given):
    """The exported program, which takes any finite input."""
    del given
    momentum, point = _as_float32(*_plain_form(kind, momentum, point))
    momentum, point = np.nan_to_num(momentum), np.nan_to_num(point)

    def call():
        session, latent = _exported()
        noise = np.random.default_rng(0).normal(size=(ROWS, latent)).astype("f4")
        return session.run(None, {"noise": noise, "conditions": np.column_stack([momentum, point])})[0]

    return Trial(f"exported: {kind}", call, _sound(momentum))


def _plain_form(kind, momentum, point):
    """The particles, or plain ones where their form is hostile, which pure functions leave to JAX."""
    return (momentum, point) if kind not in SHAPES else beam(np.random.default_rng(0))


def _as_float32(*arrays):
    with np.errstate(over="ignore"):
        return [np.asarray(array).astype(np.float32) for array in arrays]


def _sound(momentum):
    """Check that showers are finite, not negative, and hold no more than their energy."""
    def sound(cells):
        cells = np.asarray(cells, np.float64)
        energy = _energy(momentum)
        assert cells.shape == (len(energy), 30, 30)
        assert np.isfinite(cells).all(), "cells are not finite"
        assert (cells >= 0).all(), "cells are negative"
        limit = np.where(energy > RESOLVED, LARGEST_SHARE, LARGEST_SOFT_SHARE)
        share = cells.sum((1, 2)) / (1000 * energy + 1e-30)
        assert (share <= limit).all(), f"shares of the energy are {share} of {energy} GeV"

    return sound


def _energy(momentum):
    """GeV, of any numbers: `[N]`."""
    return np.linalg.norm(np.clip(np.nan_to_num(np.asarray(momentum, np.float64)), -1e100, 1e100), axis=1)


CALLERS = (_sampled("anchored_light"), _sampled("anchored"), _parametrised, _pure, _program)
"""(kind, momentum, point, {"seed", "first", "misses"}) -> `Trial`."""
