"""Whole-or-nothing writes: what was there stays where they fail, and nothing else is left."""
import concurrent.futures
import os
import pathlib

import pytest

from ecalgen.machine import files


def test_content_and_permissions_are_those_of_an_ordinary_file(tmp_path):
    files.write_text(tmp_path / "ours.json", "µ\n")
    (tmp_path / "theirs.json").write_text("µ\n", encoding="utf-8")
    ours, theirs = ((tmp_path / f"{whose}.json") for whose in ("ours", "theirs"))
    assert ours.read_bytes() == theirs.read_bytes() and ours.stat().st_mode == theirs.stat().st_mode


@pytest.mark.parametrize("where", ["write_bytes", "replace"])
def test_a_full_disk_is_named_and_leaves_all_as_it_was(tmp_path, monkeypatch, where):
    path = tmp_path / "config.json"
    path.write_text("old")
    real = pathlib.Path.write_bytes

    def full(first, *rest):
        if where == "write_bytes":
            real(first, b"ha")  # what fits on the disk
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((pathlib.Path, where) if where == "write_bytes" else (os, where)), full)
    with pytest.raises(files.WriteError, match=r"config.json cannot be written \(No space left on device\); free"):
        files.write_text(path, "new")
    assert [found.name for found in tmp_path.iterdir()] == ["config.json"] and path.read_text() == "old"


def test_many_at_once_do_not_meet(tmp_path):
    """Each takes its own temporary file, so that no write fails and one of them wins."""
    contents = [str(number) * 100_000 for number in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: files.write_text(tmp_path / "card.json", content), contents * 5))
    assert (tmp_path / "card.json").read_text() in contents
    assert [found.name for found in tmp_path.iterdir()] == ["card.json"]


def test_a_block_that_fails_replaces_nothing(tmp_path):
    path = tmp_path / "showers.npz"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), files.replacing(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert [found.name for found in tmp_path.iterdir()] == ["showers.npz"] and path.read_text() == "old"
    with files.replacing(path) as temporary:
        temporary.write_text("new")
    assert [found.name for found in tmp_path.iterdir()] == ["showers.npz"] and path.read_text() == "new"
