"""What the tests of the experiments share: their modules, and small real sets."""
import importlib
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def experiment(monkeypatch):
    """`experiment("sweeps.engine")`: a module of the experiments."""
    monkeypatch.syspath_prepend(ROOT)
    return lambda name: importlib.import_module(f"experiments.{name}")


@pytest.fixture
def measures(experiment, monkeypatch):
    """The measures, with few clusters."""
    module = experiment("measures")
    monkeypatch.setattr(module, "CLUSTERS", 5)
    return module
