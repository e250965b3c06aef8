"""The pages: links lead to files and headings that are there; the Python in docs runs as it stands."""
import pathlib
import re
import shlex

import commands
import h5py
import jax
import numpy as np
import pytest
import uproot
from absl import flags
from ml_collections import config_flags

import ecalgen
from ecalgen.data.files.formats import iter_showers
from ecalgen.data.files.writer import save_showers
from ecalgen.data.reconstruction import aggregated
from ecalgen.data.sources import sample_path
from ecalgen.evaluation.__main__ import main as judge
from ecalgen.evaluation.metrics.registry import metrics
from ecalgen.export.__main__ import main as export
from ecalgen.runs import check_config
from ecalgen.training.recipe import source_of

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *DOCS.glob("*.ipynb"), *(ROOT / "ecalgen").rglob("README.md")])
FOLDERS = ("ecalgen", "configs", "docs", "examples", "experiments", "tests")
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
    assert (tmp_path / "gallery.png").exists() and (tmp_path / "mean_response.png").exists()


@pytest.fixture
def user_files(tmp_path, monkeypatch, showers):
    """The files that docs/files.md names, of 150 shipped showers or of made-up ones; the working folder holds them."""
    monkeypatch.chdir(tmp_path)
    real, rng = showers[:150], np.random.default_rng(0)
    (px, py, pz), (x, y), incident = real.momentum.T, real.point.T, np.linalg.norm(real.momentum, axis=1)
    with uproot.recreate("mine.root") as file:
        branches = dict.fromkeys(("px", "py", "pz", "x", "y"), "f4")
        file.mktree("events", {"cell_E": np.dtype(("f4", (30, 30)))} | branches)
        file["events"].extend({"cell_E": real.energy, "px": px, "py": py, "pz": pz, "x": x, "y": y})
    with h5py.File("mine.h5", "w") as file:
        file.update({"run1/E": real.energy, "run1/p": real.momentum, "run1/entry": real.point})
    np.savez("beam.npz", cells=real.energy, E_beam=incident)
    particles = {"ParticleMomentum": real.momentum, "ParticlePoint": real.point}
    np.savez("coarse.npz", EnergyDeposit=real.energy.reshape(150, 15, 2, 15, 2).sum((2, 4)), **particles)
    np.savez("long.npz", EnergyDeposit=real.energy[:, 3:27, 5:25], **particles)
    with h5py.File("dataset_2_1.hdf5", "w") as file:
        rows = rng.exponential(1000 * incident[:, None] / 6480, (150, 6480))
        file.update({"showers": rows, "incident_energies": 1000 * incident[:, None]})
    layer = '<Layer id="{}" r_edges="0,4.65,9.3,13.95,18.6,23.25,27.9,32.55,37.2,41.85" n_bin_alpha="16" />'
    layers = "".join(map(layer.format, range(45)))
    pathlib.Path("binning_dataset_2.xml").write_text(f'<Bins><Bin pid="11">{layers}</Bin></Bins>')
    with h5py.File("blocks.h5", "w") as file:
        file.update({"ECAL": rng.exponential(0.027 * incident[:, None, None, None] / 25**3, (150, 25, 25, 25)),
                     "energy": incident})
    with h5py.File("points.h5", "w") as file:
        points = file.create_dataset("showers", (150,), h5py.vlen_dtype(np.float32))
        for event in range(150):
            points[event] = np.column_stack([rng.normal(0, 10, (20, 2)), rng.integers(0, 30, 20),
                                             np.full(20, incident[event] / 1000)]).ravel()
        file.update({"energies": incident[:, None], "directions": np.tile([0.0, 0.0, 1.0], (150, 1)),
                     "pdg": np.full(150, 22), "num_points": np.full(150, 20)})
    return real


def test_the_page_of_metrics_names_them_all():
    text = (DOCS / "metrics.md").read_text()
    assert [name for name in metrics() if f"`{name}`" not in text] == []


def test_files(user_files, capsys):
    """Every file loads by the lines of the page."""
    names, loaded = {}, []
    for line in re.split(r"\n(?=showers)", "\n".join(blocks("files.md")[:-1])):  # the last one prepares all showers
        exec(line, names)
        loaded.append(names.get("showers"))
    assert capsys.readouterr().out == "16 x 9 x 45 cells, sectors of rings of 0.465 cm in 45 layers of 0.34 cm\n"
    root, hdf5, beam, coarse, long, challenge, binned, layered, points = loaded[1:]
    for showers in (root, hdf5, beam, coarse):
        np.testing.assert_allclose(showers.energy.sum((1, 2)), user_files.energy.sum((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(beam.momentum, axis=1), np.linalg.norm(root.momentum, axis=1), rtol=1e-6)
    assert not beam.point.any() and hdf5.point.tolist() == root.point.tolist() == user_files.point.tolist()
    assert coarse.energy.shape[1:] == (15, 15) and long.energy.shape[1:] == (24, 20)
    assert challenge.grid == binned.grid and challenge.energy.tolist() == binned.energy.tolist()
    assert layered.energy.shape[1:] == (25, 25, 25) and points.energy.shape[1:] == (30, 30, 30)


def test_the_commands_of_files(user_files, recipe):
    """Their options are fields of the recipe, and give the showers of the file."""
    lines = re.sub(r"\\\n", " ", "".join(blocks("files.md", "bash"))).splitlines()
    for line, count in zip(lines, (900, 900, 225, 480), strict=True):
        preset, *words = [word for word in shlex.split(line) if word.startswith("--config")]
        values = flags.FlagValues()
        config_flags.DEFINE_config_dict("config", recipe("anchored:cpu"), flag_values=values, sys_argv=list(words))
        values(["main", *words])
        config = values["config"].value
        config.evaluation.showers = 200
        check_config(config)
        source = source_of(config)
        test = source.load("test")
        assert source.stream(seed=0) is None and source.count("train") == 108
        assert preset == "--config=anchored:cpu" and test.energy[0].size == count and len(test) == 30


@pytest.mark.filterwarnings("ignore:conditions outside the range")
@pytest.mark.slow
def test_calorimeters(loose, tmp_path, monkeypatch, showers, capsys):
    """From a ROOT file to a report and a C file by the lines of the page, with the `test` preset."""
    monkeypatch.chdir(tmp_path)
    real = next(iter_showers(sample_path("electron_5d"), 1_000))
    (px, py, pz), (x, y) = real.momentum.T, real.point.T
    with uproot.recreate("mine.root") as file:
        names = dict.fromkeys(("px", "py", "pz", "x", "y"), "f4")
        file.mktree("events", {"cell_E": np.dtype(("f4", (15, 15)))} | names)
        file["events"].extend({"cell_E": np.asarray(aggregated(real.energy, 2)), "px": px, "py": py, "pz": pz, "x": x,
                               "y": y})
    names, (look, use) = {}, blocks("calorimeters.md")
    exec(look, names)
    assert "Showers(1,000, of " in capsys.readouterr().out
    train, c_file = (shlex.split(text)[2:] for text in blocks("calorimeters.md", "bash")[:2])
    here = [re.sub("=(mine.npz|runs/mine)", rf"={tmp_path}/\1", word).replace(":cpu", ":test") for word in train]
    commands.command("judging", "ecalgen.main", *here, "--config.evaluation.showers=200")
    assert pathlib.Path("runs/mine/report.html").exists()
    exec(use, names)
    assert names["energy"].shape == (100, 15, 15)
    export(c_file)
    assert list(pathlib.Path("exported").glob("*.c"))


def test_export(loose, tmp_path, monkeypatch):
    """The commands leave the files that the Python reads."""
    monkeypatch.chdir(tmp_path)
    text = "\n".join(blocks("export.md", "bash"))
    exports = re.findall(r"ecalgen export (--run anchored .*?--out exported)", text)
    assert len(exports) == 3
    for words in exports:
        if "--format c" not in words:
            export(words.split())
    names = {}
    for code in blocks("export.md"):
        exec(code, names)
    assert names["cells"].shape == (8, 30, 30) and 2_500 < names["cells"].sum() / 8 < 4_500


def test_judge(showers, tmp_path, monkeypatch, quick_judge):
    """The showers of another generator, here Geant4's with a tenth more energy, from Python and by the command."""
    monkeypatch.chdir(tmp_path)
    parts = {"real.npz": showers[:200], "other_real.h5": showers[200:400]}
    for path, part in parts.items():
        save_showers(path, part)
    names = {"energy": 1.1 * showers[:200].energy, "momentum": showers[:200].momentum, "point": showers[:200].point,
             "ecalgen": ecalgen}
    code, shipped = blocks("judge.md")
    exec(code, names)
    assert "load_split" in shipped  # which prepares all showers
    assert names["result"]["c2st"]["observables"]["auc"] > 0.6 and names["result"]["conditions"] == "matched"
    save_showers("mine.root", names["mine"])
    command = shlex.split(blocks("judge.md", "bash")[0])
    judge(command[2:])
    assert pathlib.Path("report/report.html").exists()
