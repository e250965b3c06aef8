"""The README: its first two commands are what CI runs, its figures come from results, its Python runs."""
import importlib
import pathlib
import re

import numpy as np

import ecalgen

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def test_the_first_two_commands():
    main_job, tests = blocks("bash")[:2]
    assert "pip install" in main_job and "-m ecalgen.main --config=configs/" in main_job and ":cpu" in main_job
    assert "pip install" in tests and "-m pytest" in tests


def test_the_tables_are_those_of_the_results(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    tables = importlib.import_module("experiments.tables.files")
    for path in tables.TABLES:
        text = (ROOT / path).read_text()
        assert tables.written(path, text) == text, path


def test_the_sampler_examples():
    names = {}
    for code in blocks("python")[:2]:
        exec(code, names)
    assert names["energy"].shape == (1000, 30, 30) and names["width"].shape == (1000,)
    along = (names["gain"] * names["momentum"]).sum()  # p dS/dp = S: the response is linear
    np.testing.assert_allclose(along, names["energy"].sum(), rtol=0.1)
    assert set(ecalgen.__all__) >= {"load_sampler", "make_sampler", "Showers", "evaluate", "observables"}
