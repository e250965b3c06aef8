"""The pages: links lead to files and headings that are there; the Python in docs runs as it stands."""
import pathlib
import re

import jax
import numpy as np
import pytest

from ecalgen.export.__main__ import main as export

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *DOCS.glob("*.ipynb"), *(ROOT / "ecalgen").rglob("README.md")])
FOLDERS = ("ecalgen", "configs", "docs", "experiments", "tests")
"""Folders whose files the pages name by their path."""


def blocks(page, language="python"):
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.S)


def anchors(page):
    """What links to the headings of a page call them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    headings = re.findall("^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        if not path.startswith("http"):
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_that_are_named(page):
    for path in re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]+)`", page.read_text()):
        assert (ROOT / path).exists() or "/x/" in path, path


@pytest.fixture
def loose():
    """Without the tests' strictness about shapes, as a reader runs it."""
    with jax.numpy_rank_promotion("allow"):
        yield


def test_analysis(loose, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in blocks("analysis.md"):
        exec(code, names)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["20", "40", "60"]
    assert 0.130 < names["value"] / 20e3 < 0.150  # the cluster's share of E in results/reconstruction.json is 0.140
    np.testing.assert_allclose(names["per_gev"] * 20, names["value"], rtol=0.1)  # the response is linear
    assert np.isfinite(names["per_cm"]) and (tmp_path / "showers.npz").exists()


def test_export(loose, tmp_path, monkeypatch):
    """The commands leave the files that the Python reads."""
    monkeypatch.chdir(tmp_path)
    text = "\n".join(blocks("export.md", "bash"))
    commands = re.findall(r"-m ecalgen\.export (--run anchored .*?--out exported)", text)
    assert len(commands) == 3
    for command in commands:
        if "--format c" not in command:
            export(command.split())
    names = {}
    for code in blocks("export.md"):
        exec(code, names)
    assert names["cells"].shape == (8, 30, 30) and 2_500 < names["cells"].sum() / 8 < 4_500
