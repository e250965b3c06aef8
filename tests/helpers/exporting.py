"""Functions and generators that the tests of exports try."""
import ctypes
import math
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ecalgen.data.grid import OLD, PAPERS, Domain, Grid, domain_record
from ecalgen.export.c import to_c
from ecalgen.export.c_mathematics import HELPERS
from ecalgen.models.build import build_generator
from ecalgen.sampling.weights import save_weights

WEIGHTS = np.random.default_rng(1).normal(size=(5, 7)).astype("f4")
KERNEL = np.random.default_rng(2).normal(size=(3, 3, 2, 4)).astype("f4")


def convolved(x):
    return lax.conv_general_dilated(x.reshape(-1, 4, 5, 2), KERNEL, (1, 1), "SAME",
                                    dimension_numbers=("NHWC", "HWIO", "NHWC"))


def attended(x):
    weights = jax.nn.softmax(jnp.einsum("bnc,bmc->bnm", x, x + 1), axis=-1)
    return jnp.einsum("bnm,bmc->bnc", weights, x)


FUNCTIONS = {
    "matrix": (lambda x: x @ WEIGHTS, (5,)),
    "matrices": (lambda x: x @ WEIGHTS, (3, 5)),
    "attention": (attended, (4, 3)),
    "convolution": (convolved, (40,)),
    "strided convolution": (lambda x: lax.conv_general_dilated(
        x.reshape(-1, 4, 5, 2), KERNEL, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")), (40,)),
    "transposed convolution": (lambda x: lax.conv_transpose(
        x.reshape(-1, 4, 5, 2), np.arange(96, dtype="f4").reshape(4, 4, 2, 3) / 50, (2, 2), "SAME"), (40,)),
    "repetition": (lambda x: jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2), (3, 4)),
    "reductions": (lambda x: x.sum(2) + x.max(2) - x.min(2) * jnp.prod(x, axis=2), (3, 4)),
    "sum, spread": (lambda x: x.sum((1, 2))[:, None, None] * x, (3, 4)),
    "edges": (lambda x: jnp.pad(x, ((0, 0), (1, 1), (2, 0)), mode="edge"), (3, 4)),
    "zeros": (lambda x: jnp.pad(x, ((0, 0), (1, 1), (2, 0))), (3, 4)),
    "turned": (lambda x: jnp.flip(x, 1) + jnp.roll(x, 1, 2) + x[:, ::2].sum(1, keepdims=True), (3, 4)),
    "columns": (lambda x: x[:, np.array([[0, 2], [1, 1]])], (3,)),
    "table": (lambda x: jnp.asarray(WEIGHTS)[jnp.clip(x * 2, 0, 4).astype(int)], (6,)),
    "table, beyond its ends": (lambda x: jnp.asarray(WEIGHTS).at[(40 * x).astype(int)].get(mode="clip"), (6,)),
    "sums so far": (lambda x: jnp.cumsum(x, -1), (6,)),
    "stack": (lambda x: jnp.stack([x, x * 2], -1).transpose(0, 2, 1), (6,)),
    "split": (lambda x: jnp.concatenate(jnp.split(x, 3, -1)[::-1], -1), (6,)),
    "cases": (lambda x: jnp.where((x > 0) & (x != 1), x**3, -jnp.log1p(jnp.abs(x))) + jnp.sign(x) / (1 + x**-2), (6,)),
    "curves": (lambda x: jnp.tanh(x) + jax.nn.sigmoid(x) + jnp.arcsinh(x) + lax.erf(x) + lax.erfc(x) + jnp.expm1(x)
               + lax.rsqrt(1 + x**2) + lax.clamp(-1.0, x, 1.0) + jnp.square(x) - jnp.sqrt(jnp.exp(x)), (6,)),
}
"""Name -> (function of `[N, ...]`, the shape behind N)."""
RANGES = {"energy (GeV)": [1.0, 100.0], "px/pz": [-1.0, 1.0], "py/pz": [-1.0, 1.0],
          "x at 15 cm depth (cm)": [-9.0, 9.0], "y at 15 cm depth (cm)": [-9.0, 9.0]}
"""A training range."""
GENERATORS = {
    "plain": dict(latent=6, widths=[8, 8, 4, 4], attention=8, spectral_norm=True, conditioning="projection"),
    "octant, noise": dict(latent=6, widths=[8, 8, 4, 4], attention=0, cell_noise=2, unit="root", octant=True,
                          spectral_norm=True, conditioning="concatenation"),
    "deconvolutional": dict(latent=6, widths=[8, 4, 4]),
    "vae": dict(latent=6, widths=[8, 8, 4]),
    "anchored": dict(latent=6, widths=[8, 8, 4]),
    "anchored, attention": dict(latent=6, widths=[8, 8, 4], attention=8, octant=False, correlated=False),
    "anchored, cells": dict(latent=6, network="cells", widths=[8, 8, 4], profile_widths=[8, 8], by_hits=True),
    "anchored, fixed": dict(latent=6, widths=[8, 8, 4], profile="fixed", sight=False, total=False),
    "anchored, in depth": dict(latent=6, network="cells", widths=[8, 8, 4], profile_widths=[8, 8], spectrum=True,
                               shared=True, mixture=3),
    "anchored, rings in depth": dict(latent=6, network="cells", widths=[8, 8, 4], profile_widths=[8, 8]),
}
"""Name, of which the first word counts but for `octant, noise` -> fields of a generator."""
DOMAINS = {
    "anchored, in depth": Domain(Grid((6, 5, 4), (5.0, 5.0, 8.0), 15.0), PAPERS),
    "anchored, rings in depth": Domain(Grid((8, 3, 4), (5.0, 5.0, 8.0), 15.0, radii=(0, 3, 8, 15)), PAPERS),
}
"""Name -> the domain of a generator that has another one than that of older versions."""


def save_run(folder, name, seed=0, trained_on=None):
    """A run's folder with an untrained generator of `GENERATORS`, whose weights are all as if trained."""
    kind = "plain" if name == "octant, noise" else name.split(",")[0]
    fields, domain = dict(name=kind) | GENERATORS[name], DOMAINS.get(name, OLD)
    generator = build_generator({field: value for field, value in fields.items() if field != "spectral_norm"} | (
        {"spectral_norm": False} if "spectral_norm" in fields else {}), domain)
    particle = jnp.array([[1.0, 2.0, 20.0]]), jnp.array([[0.1, -0.2]])
    noise = jax.tree.map(lambda part: part[None], generator.draw_noise(jax.random.key(seed)))
    params = jax.jit(generator.init)(jax.random.key(seed), noise, *particle)["params"]
    rng = np.random.default_rng(seed)
    params = jax.tree.map(lambda leaf: np.asarray(leaf) + rng.normal(0, 0.02, leaf.shape).astype("f4"), params)
    save_weights(folder / "generator", params, {
        "kind": "generator", "system": kind, "preset": "test", "generator": fields, "steps": 0,
        "data": {"transform": {"name": "none" if kind in ("vae", "anchored") else "sqrt", "scale": 100.0}},
        "trained_on": RANGES | (trained_on or {}), "domain": domain_record(domain), "provenance": {}})
    return folder


def draw(latent, count, seed=0):
    """Noise and conditions of so many showers."""
    rng = np.random.default_rng(seed)
    conditions = np.column_stack(
        [rng.normal(0, 2, (count, 2)), rng.uniform(5, 50, count), rng.uniform(-1, 1, (count, 2))])
    return rng.normal(size=(count, latent)).astype("f4"), conditions.astype("f4")


HOSTILE = np.array([
    [0, 0, 20, 30, 0], [100, 90, 20, 0, 0], [5, 5, 1e-6, 0, 0], [0, 0, 1e5, 1, -1], [0, 0, 1e-3, 0, 0],
    [1, 1, 1e-30, 0, 0],
    [0, 0, 20, 200, 0], [0, 0, -5, 0, 0], [0, 0, 0, 0, 0], [3e38, 3e38, 3e38, 0, 0], [0, 0, 5, 0, -3e38]], np.float32)
"""Conditions far outside of any training range, of which the last five are no particle that hits the calorimeter."""
MISSING = 5


def check_hostile(make, latent):
    """The shares of their energy that an exported program makes of hostile conditions and noise; all are finite.

    Args:
      make: (noise, conditions) -> cells, NumPy.
      latent: numbers of noise of a shower.
    """
    noise, _ = draw(latent, len(HOSTILE))
    noise[0], noise[1, ::2] = 1e30, -3e38
    cells = np.asarray(make(noise, HOSTILE))
    assert np.isfinite(cells).all() and (cells >= 0).all()
    assert not cells[-MISSING:].any() and cells[2:4].any((1, 2)).all()
    return cells.sum((1, 2)) / (1000 * np.linalg.norm(HOSTILE[:, :3].astype(float), axis=1) + 1e-30)


def run_c(program, folder, *arguments):
    """What the C of a `Program` of one argument makes of it, compiled with every warning an error."""
    names = [f"given{i}" for i in range(len(arguments))]
    constants, body, workspace = to_c(program, "test", names, "cells")
    heads = ", ".join(f"const float *{name}" for name in names)
    (folder / "test.c").write_text(f"#include <math.h>\n{HELPERS}\n{constants}\n"
                                   f"void shower({heads}, float *cells, float *workspace) {{\n{body}\n}}\n")
    compile_c(folder, "-shared", "-fPIC", "-Wno-unused-function", "-Wno-unused-parameter", "-o", "test.so", "test.c",
              "-lm")
    made = np.zeros(program.output.shape, "f4")
    call(ctypes.CDLL(str(folder / "test.so")).shower, *arguments, made, np.full(workspace + 1, np.nan, "f4"))
    return made


def compile_c(folder, *arguments):
    subprocess.run(["cc", "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", *arguments], cwd=folder, check=True)


def call(function, *arrays):
    """A C function of pointers to floats."""
    assert all(array.dtype == np.float32 and array.flags.c_contiguous for array in arrays)
    function(*(array.ctypes.data_as(ctypes.POINTER(ctypes.c_float)) for array in arrays))


def difference(ours, expected):
    """The largest one of cells, relative to the largest cell."""
    assert ours.shape == expected.shape and math.prod(ours.shape)
    return float(np.abs(np.asarray(ours) - np.asarray(expected)).max() / np.abs(expected).max())
