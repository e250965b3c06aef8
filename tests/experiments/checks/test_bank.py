"""The bank of repeated particles: its comparison by hand, and a bank of two particles to its end."""
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from real_geant4 import DATA, needs_geant4

from experiments.checks.bank import apart, compared, main, summary

ROOT = pathlib.Path(__file__).parents[3]


def particle(mean, deviation, quantiles=(0.0, 1.0), correlation=0.5):
    return {"names": ["visible_fraction", "sparsity"], "mean": [mean, 1.0], "deviation": [deviation, 0.5],
            "quantiles": [list(quantiles), [0.0, 1.0]], "correlation": [[1.0, correlation], [correlation, 1.0]],
            "floor": {"quantiles": 0.2, "correlation": 0.1}}


def test_the_comparison_by_hand():
    """Responses 1 % too high and right, resolutions 10 % too wide and right, of 100 showers each."""
    real = [particle(0.2, 0.02), particle(0.2, 0.02)]
    generated = [particle(0.202, 0.02222, (0.01, 1.0), 0.7), particle(0.2, 0.02)]
    found = compared(generated, real, 100)
    errors = np.array([np.hypot(0.11, 0.1), np.hypot(0.1, 0.1)]) / 10
    weights = errors**-2.0
    assert found["response"] == pytest.approx([(weights @ [1.01, 1]) / weights.sum(), weights.sum()**-0.5])
    assert found["resolution"] == pytest.approx([1.05, np.sqrt(1 / 200)])
    pull = (0.002 / (np.hypot(0.02222, 0.02) / 10))**2
    assert found["pulls"] == {"visible_fraction": round(pull / 2, 2), "sparsity": 0.0}
    assert found["quantiles"] == pytest.approx(0.01 / 0.02 / 4 / 2)
    assert found["correlation"] == pytest.approx(0.2 * 2 / 4 / 2)
    assert found["floor"] == pytest.approx({"quantiles": 0.2 / np.sqrt(2), "correlation": 0.1 / np.sqrt(2)})
    assert apart(real[0], real[0]) == {"quantiles": 0.0, "correlation": 0.0}


def test_a_summary_holds_moments_and_quantiles(showers):
    energy = showers.energy[:40]
    found = summary(energy, np.array([0.0, 0.0, 20.0]), np.array([1.0, 2.0]))
    visible = energy.sum((1, 2), dtype=float) / 20_000
    at = found["names"].index("visible_fraction")
    assert found["mean"][at] == pytest.approx(visible.mean(), rel=1e-5)
    assert found["deviation"][at] == pytest.approx(visible.std(ddof=1), rel=1e-4)
    assert found["quantiles"][at][9] == pytest.approx(np.median(visible), rel=1e-3)
    assert np.array(found["correlation"]).shape == (31, 31) and len(found["names"]) == 31


def test_a_bank_that_is_empty_or_of_other_showers_is_refused(tmp_path):
    path = tmp_path / "bank.json"
    with pytest.raises(SystemExit, match="holds no particles; fill the bank with --simulate"):
        main([f"--results={path}"])
    path.write_text(json.dumps({"showers": 4, "particles": [], "generators": {}}))
    with pytest.raises(SystemExit, match="holds 4 showers a particle; give --showers=4"):
        main([f"--results={path}", "--simulate"])


@needs_geant4
@pytest.mark.slow
def test_a_small_bank_goes_on_and_judges(tmp_path):
    path = tmp_path / "bank.json"
    environment = os.environ | ({"GEANT4_DATA_DIR": str(DATA)} if DATA else {})
    run = lambda particles: subprocess.run(
        [sys.executable, "-m", "experiments.checks.bank", "--simulate", f"--particles={particles}", "--showers=4",
         "--only=anchored_light", f"--results={path}"], cwd=ROOT, env=environment, check=True, capture_output=True)
    run(1)
    first = json.loads(path.read_text())["particles"]
    run(2)
    bank = json.loads(path.read_text())
    assert len(bank["particles"]) == 2 and bank["particles"][:1] == first
    assert bank["generators"]["anchored_light"]["response"][0] == pytest.approx(1, abs=0.3)
