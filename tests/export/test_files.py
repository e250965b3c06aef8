"""The command: files and their card, and what it refuses."""
import hashlib
import json
import re
import sys

import numpy as np
import pytest
from exporting import RANGES, save_run

from ecalgen.data.grid import SHASHLIK
from ecalgen.data.showers import names_of_quantities
from ecalgen.export.__main__ import main
from ecalgen.export.function import CONDITIONS
from ecalgen.sampling.weights import save_weights


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return save_run(tmp_path_factory.mktemp("run"), "plain")


@pytest.mark.parametrize(("kind", "files"), [
    ("onnx", {"plain.onnx", "plain_joined.onnx"}), ("stablehlo", {"plain.jax", "plain.stablehlo.mlir"}),
    ("c", {"plain.c", "plain.h", "plain_example.c"})])
def test_files_and_card(run, kind, files, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    main(["--run", str(run), "--format", kind, "--out", str(out), "--name=plain"])
    assert {path.name for path in out.iterdir()} == files | {f"plain.{kind}.json"}
    assert capsys.readouterr().out.splitlines()[-1] == str(out / f"plain.{kind}.json")
    card = json.loads((out / f"plain.{kind}.json").read_text())
    assert card["files"] == {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in files}
    assert card["inputs"]["noise"]["numbers"] == 6
    assert {column["name"]: column["unit"] for column in card["inputs"]["conditions"]} == CONDITIONS
    assert card["output"]["unit"] == "MeV" and card["trained_on"] == RANGES
    assert card["model"]["sha256"] == json.loads((run / "generator" / "card.json").read_text())["sha256"]
    assert card["format"] == 1 and card["exported_with"]["versions"]["ecalgen"]


@pytest.mark.parametrize("words, name", [(["--name=my-own"], "my_own"), ([], None), (["--name=2d"], "_2d")])
def test_names_of_files_and_of_the_function_in_c(run, words, name, tmp_path):
    """Those of the folder without a name, so that two runs of a system do not meet."""
    name = name or re.sub(r"\W", "_", run.name)
    main(["--run", str(run), "--format", "c", "--out", str(tmp_path), *words])
    assert f"void {name}_shower(" in (tmp_path / f"{name}.h").read_text()
    assert f'#include "{name}.h"' in (tmp_path / f"{name}.c").read_text()


@pytest.mark.parametrize(("kind", "package"), [("onnx", "onnx"), ("stablehlo", "flatbuffers")])
def test_without_the_extra_it_is_named(run, kind, package, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == package or "export.serialization" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SystemExit, match=r"error: .*ecalgen\[export\]"):
        main(["--run", str(run), "--format", kind, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_no_such_model(tmp_path):
    with pytest.raises(SystemExit, match="error: 'nothing' is neither a run's folder nor a shipped model"):
        main(["--run", "nothing", "--format", "c", "--out", str(tmp_path)])


def test_a_library_is_no_function_of_noise(tmp_path):
    stored = {"energy": np.zeros((3, 30, 30), "f2"), "momentum": np.ones((3, 3), "f4"), "point": np.ones((3, 2), "f4")}
    save_weights(tmp_path / "generator", stored, {
        "kind": "generator", "system": "library", "preset": "test", "generator": {"name": "library", "showers": 3},
        "data": {"transform": {"name": "none"}}, "steps": 1,
        "trained_on": dict.fromkeys(names_of_quantities(SHASHLIK), [0, 1]),
        "provenance": {}})
    with pytest.raises(SystemExit, match="library of stored showers"):
        main(["--run", str(tmp_path), "--format", "onnx", "--out", str(tmp_path / "out")])


def test_a_file_in_the_way_of_the_folder(run, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(SystemExit, match="error: .*out"):
        main(["--run", str(run), "--format", "c", "--out", str(tmp_path / "out")])
    assert (tmp_path / "out").read_text() == "mine"
