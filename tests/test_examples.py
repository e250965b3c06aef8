"""The examples run to their end, with the models of the package."""
import os
import pathlib
import re
import subprocess
import sys

from real_geant4 import DATA, needs_geant4

ROOT = pathlib.Path(__file__).parents[1]


@needs_geant4
def test_inside_geant4(tmp_path):
    """Its electrons are replaced in both arms; the same electrons in full deposit as much, within a tenth."""
    command = [sys.executable, ROOT / "examples" / "inside_geant4.py", "--events=1", "--electrons=6", "--full=1",
               "--seed=3", "--model=anchored_light"]
    environment = os.environ | ({"GEANT4_DATA_DIR": str(DATA)} if DATA else {})
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = re.findall(r"run (\d), event 0, (\w+): ([\d.]+) GeV", done.stdout)
    assert [arm[:2] for arm in found] == [("0", "left"), ("0", "right"), ("1", "left"), ("1", "right")]
    energies = [float(energy) for _, _, energy in found]
    for fast, full in zip(energies[:2], energies[2:], strict=True):
        assert abs(fast / full - 1) < 0.1
    for arm in ("left", "right"):
        assert re.search(rf"{arm} arm\n1 events, [23] particles replaced, of \d+ GeV in all\n.*\nseconds: .*\n"
                         r"in full simulation: about [\d.]+ s, from 1 such events\n", done.stdout), done.stdout
