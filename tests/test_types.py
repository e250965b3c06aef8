"""The public names have types that a checker of a user's code can use."""
import pathlib
import subprocess
import sys

import pytest

CODE = """
import numpy as np
import ecalgen

showers = ecalgen.load_showers("mine.npz")
reveal_type(showers)
sampler = ecalgen.load_sampler("anchored")
reveal_type(sampler)
reveal_type(sampler(showers.momentum, showers.point, seed=1))
reveal_type(ecalgen.observables(showers.energy, showers.momentum, showers.point))
reveal_type(ecalgen.evaluate(showers, showers))
reveal_type(ecalgen.list_models()[0].reached)
ecalgen.load_sampler(3)
sampler(showers.momentum, showers.point, misses="never")
"""
REVEALED = ("ecalgen.data.showers.Showers", "ecalgen.sampling.sampler.Sampler", "Any", "dict[str, Any]", "dict[",
            "dict[")
"""Types that mypy finds; arrays are `Any`, because NumPy and JAX, which take it long, are left out."""


def test_mypy_sees_them(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "mine.py").write_text(CODE)
    root = pathlib.Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-m", "mypy", "--ignore-missing-imports", "--no-site-packages",
                           "--follow-imports=silent",
                           f"--cache-dir={tmp_path / 'cache'}", "mine.py"], cwd=tmp_path, env={"MYPYPATH": str(root)},
                          capture_output=True, text=True)
    found = [line.partition('Revealed type is "')[2] for line in done.stdout.splitlines() if "Revealed type" in line]
    assert [name[:len(start)] for name, start in zip(found, REVEALED, strict=True)] == list(REVEALED), done.stdout
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 2 and "load_sampler" in errors[0] and "misses" in errors[1], done.stdout


def test_the_package_says_that_it_has_types():
    assert (pathlib.Path(__file__).parents[1] / "ecalgen" / "py.typed").exists()
