"""The README: its first two commands are what CI runs, its figures come from results, its Python runs."""
import importlib
import pathlib
import re
import shlex

import numpy as np

import ecalgen
from ecalgen import cli

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
    for path, make in tables.RECORDS.items():
        assert (ROOT / path).read_text() == make() + "\n", path


def test_it_is_one_page():
    words = [word for word in re.sub("<!--.*?-->|[|`*]", " ", README).split() if re.search(r"\w", word)]
    assert len(words) <= 900


def test_the_example_prints_what_it_says(capsys):
    code, = blocks("python")
    exec(code, {})
    shape, said = re.search(r"`(\(1000, 30, 30\)) (\d+) MeV`", README).groups()
    printed = capsys.readouterr().out.strip()
    assert printed.startswith(shape)
    np.testing.assert_allclose(float(printed.split()[-2]), float(said), rtol=0.002)


def test_its_commands_are_those_of_the_program():
    for line in "".join(blocks("bash")[2:]).splitlines():
        name, subcommand, *words = shlex.split(line)
        assert name == "ecalgen" and subcommand in cli.COMMANDS
        if subcommand != "train":
            importlib.import_module(cli.COMMANDS[subcommand].parser).make_parser().parse_args(words)


def test_the_examples_of_the_sampler():
    names = {}
    for code in re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "sampler.md").read_text(), re.S):
        exec(code, names)
    assert names["energy"].shape == (1000, 30, 30) and names["width"].shape == (1000,)
    along = (names["gain"] * names["momentum"]).sum()  # p dS/dp = S: the response is linear
    np.testing.assert_allclose(along, names["energy"].sum(), rtol=0.1)
    assert set(ecalgen.__all__) >= {"load_sampler", "make_sampler", "Showers", "evaluate", "observables"}
