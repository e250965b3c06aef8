"""Provenance names what ran without naming the machine's folders."""
import pathlib
import sys

from ecalgen.machine import provenance


def test_every_field(monkeypatch):
    root = pathlib.Path(provenance.__file__).parents[2]
    monkeypatch.setattr(sys, "argv", [str(root / "ecalgen" / "main.py"), "--config=configs/baseline.py:cpu"])
    fields = provenance.provenance(seed=3)
    assert fields["command"] == "python -m ecalgen.main --config=configs/baseline.py:cpu"
    assert fields["seed"] == 3 and fields["versions"]["jax"] and fields["date"].endswith("+00:00")
    assert fields["device"] and len(fields["commit"]) >= 7


def test_scripts_and_packages(monkeypatch):
    root = pathlib.Path(provenance.__file__).parents[2]
    for script, command in ((root / "experiments" / "x.py", "python -m experiments.x"),
                            (root / "ecalgen" / "evaluation" / "__main__.py", "python -m ecalgen.evaluation"),
                            ("/elsewhere/tool.py", "python tool.py")):
        monkeypatch.setattr(sys, "argv", [str(script)])
        assert provenance.provenance(0)["command"] == command
