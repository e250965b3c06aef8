"""The notebook runs from its first cell to its last, on what this machine has."""
import json
import pathlib
import shutil

import judging
import nbformat
import pytest
from nbclient import NotebookClient

ROOT = pathlib.Path(__file__).parents[1]


@pytest.mark.slow
def test_every_cell(finished_run, tmp_path, monkeypatch):
    """Its run is finished; the command of the README finds that, judges it again and trains nothing."""
    run = shutil.copytree(finished_run, tmp_path / "run")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("ECALGEN_SOURCE", str(ROOT))
    monkeypatch.setenv("ECALGEN_PRESET", "test")
    monkeypatch.setenv("ECALGEN_WORKDIR", str(run))
    notebook = nbformat.read(ROOT / "docs" / "colab.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # it is kept without
    training, = (cell for cell in notebook.cells if '"ecalgen.main"' in cell.source)
    training.source = training.source.replace('"-m", "ecalgen.main"', f'{judging.__file__!r}, "ecalgen.main"')
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    text = "".join(output["text"] for output in outputs if output["output_type"] == "stream")
    assert "showers/s" in text and "longitudinal width" in text
    shown = {kind for output in outputs for kind in output.get("data", {})}
    assert {"image/png", "text/html"} <= shown
    for kept in ("generator/weights.npz", "metrics.jsonl"):
        assert (run / kept).read_bytes() == (finished_run / kept).read_bytes()
    judged = [json.loads((folder / "evaluation.json").read_text())["provenance"] for folder in (run, finished_run)]
    assert judged[0] != judged[1]
