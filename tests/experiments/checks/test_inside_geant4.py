"""Generated showers inside Geant4, compared with the full simulation of the same electrons."""
import json

import numpy as np
import pytest
from real_geant4 import DATA, needs_geant4

from experiments.checks import inside_geant4
from experiments.tables import common, inside


def test_the_comparison_by_hand():
    """Two cells above the limit, one of them 2 % too high; its paired differences are 0.1, 0.3, 0.2 and 0.2 MeV."""
    full = np.tile(np.array([[[10.0, 40.0], [0.5, 0.0]]]), (4, 1, 1, 1))
    fast = full.copy()
    fast[:, 0, 0, 0] += [0.1, 0.3, 0.2, 0.2]
    fast[:, 0, 0, 1] += [-4.0, 4.0, -4.0, 4.0]
    found = inside_geant4.compared(fast, full)
    assert found["cells"] == 2 and found["energy_in_these_cells"] == pytest.approx(50 / 50.5)
    assert found["response"][0] == pytest.approx(1 + 0.2 / 50.5)
    assert found["median_error_of_a_cell"] == pytest.approx(
        (np.std([0.1, 0.3, 0.2, 0.2], ddof=1) / 2 / 10 + np.std([4, 4, -4, -4], ddof=1) / 2 / 40) / 2)
    assert found["cells_within_one_percent_or_their_error"] == 0.5
    assert found["energy_weighted_deviation"] == pytest.approx(0.02 * 10 / 50)


def test_the_times_by_hand():
    arm = dict(events=2, tracking=1.0, sampling=0.2, depositing=0.1, full_events=4, full_seconds=80.0)
    found = inside_geant4.times({"left": arm, "right": arm | {"sampling": 0.4}})
    assert found["seconds_an_event"] == pytest.approx(dict(sampling=0.3, depositing=0.1, tracking=0.5, full=20.0))
    assert found["times_faster"] == pytest.approx(20 / 0.9)
    assert found["times_faster_in_the_calorimeter"] == pytest.approx(20 / 0.4)
    assert "full" not in inside_geant4.times({"left": arm | {"full_events": 0}})["seconds_an_event"]


@needs_geant4
@pytest.mark.slow
def test_it_runs_to_its_table(tmp_path, monkeypatch, capfd):
    if DATA:
        monkeypatch.setenv("GEANT4_DATA_DIR", str(DATA))
    path = tmp_path / "inside_geant4.json"
    inside_geant4.main(["--events=2", "--electrons=2", "--model=anchored_light", f"--results={path}"])
    assert json.loads(path.read_text())["generated"]["response"][0] == pytest.approx(1, abs=0.15)
    assert list(tmp_path.iterdir()) == [path]
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    assert "`anchored_light`, 4 electrons each way in 2 events" in inside.inside_geant4()
