"""The TensorBoard extra: written where it is installed, named where it is not."""
import builtins
import subprocess
import sys

import pytest

from ecalgen.errors import UserError
from ecalgen.training.tensorboard import make_writers


def test_not_wanted():
    assert make_writers("anywhere", wanted=False) == ()


def test_the_missing_extra_is_named(tmp_path, monkeypatch):
    real_import = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "tensorboardX":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"pip install 'ecalgen\[tensorboard\]'"):
        make_writers(tmp_path, wanted=True)


def test_an_event_file_is_written(tmp_path):
    pytest.importorskip("tensorboardX", reason="the extra tensorboard is not installed")
    code = f"""
import pathlib
from ecalgen.errors import UserError
from ecalgen.training.tensorboard import make_writers
(write,) = make_writers(pathlib.Path({str(tmp_path)!r}), wanted=True)
write("gan", 3, {{"loss": 1.5}})
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    (file,) = (tmp_path / "tensorboard").iterdir()
    assert b"gan/loss" in file.read_bytes()
