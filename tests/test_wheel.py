"""The wheel, in an environment of its own and far from the clone: the command, the recipes, the models."""
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[1]
NEEDED = ("ecalgen", "configs", "setup.py", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """`installed(*words)` runs the command of the wheel in an empty folder, and returns what it printed."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "source").mkdir()
    for name in NEEDED:  # not in the clone, where an older build would join the wheel
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / "source" / name)
    pip = [sys.executable, "-m", "pip"]
    run = lambda *words: subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)
    run(*pip, "wheel", "--no-deps", "--wheel-dir", folder, folder / "source")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    wheel, = folder.glob("*.whl")
    run(*pip, "--python", folder / "venv" / "bin" / "python", "install", "--no-deps", wheel)
    site = pathlib.Path(run(folder / "venv" / "bin" / "python", "-c",
                            "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")  # the dependencies, behind the wheel
    (folder / "empty").mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def command(*words, name="ecalgen", status=0):
        done = subprocess.run([folder / "venv" / "bin" / name, *words], cwd=folder / "empty", env=environment,
                              capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    command.folder, command.site = folder / "empty", site
    return command


@pytest.mark.slow
def test_it_holds_all_that_it_needs(installed):
    where = installed("-c", "import ecalgen, ecalgen.configs.base as base; print(ecalgen.__file__, base.__file__, "
                      "ecalgen.__version__)", name="python").split()
    assert all(path.startswith(str(installed.site)) for path in where[:2])
    assert (installed.site / "ecalgen" / "py.typed").exists()
    assert installed("--version") == f"ecalgen {where[2]}\n"
    assert "anchored_light: " in installed("models")


@pytest.mark.slow
def test_recipes_by_name_and_by_path(installed):
    assert "train.steps = 5000" in installed("train", "--config=anchored:cpu", "--help")
    (installed.folder / "mine.py").write_text(
        "from ecalgen.configs import anchored\n\ndef get_config(preset=''):\n    return anchored.get_config(preset)\n")
    said = installed("train", "--config=mine.py:test", "--mode=evaluate", "--workdir=none", status=1)
    assert "error: none holds no run" in said and "Traceback" not in said


@pytest.mark.slow
def test_showers(installed):
    np.savez(installed.folder / "particles.npz", ParticleMomentum=[[0.0, 0.0, 20.0]], ParticlePoint=[[0.0, 0.0]])
    said = installed("sample", "--run=anchored_light", "--particles=particles.npz", "--out=showers.npz")
    assert said.startswith("1 showers in showers.npz\n") and "Traceback" not in said
    with np.load(installed.folder / "showers.npz") as made:
        assert 3_000 < made["EnergyDeposit"].sum() < 4_000
