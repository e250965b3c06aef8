"""What a run's regressor predicts, from its training to its report."""
import json

import numpy as np
import pytest

from ecalgen import runs
from ecalgen.data.observables import transverse_asymmetry
from ecalgen.errors import RunError
from ecalgen.training.material import load_material
from ecalgen.training.readout import regression, regressor_report


@pytest.mark.slow
def test_a_run_with_a_regressor(recipe, tmp_path, showers, few_showers):
    """All three stages of a tuned one; what its regressor predicts can be asked for."""
    config = recipe("aux_twostep:test,regressor=disc_arch_llr,recipe=paper", **{
        "data.source": str(few_showers), "generator.attention": 0, "discriminator.attention": 0})
    runs.prepare(config, tmp_path)
    runs.train(config, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(row["stage"] for row in rows)) == ["multitask", "regressor", "gan"]
    few = showers[:30]
    material = load_material(config)
    true, predicted = regression(tmp_path, material, few)["transverse_asymmetry"]
    expected = transverse_asymmetry(few.energy, few.momentum, few.point)
    np.testing.assert_allclose(true, expected, atol=1e-4)
    assert predicted.shape == (30,) and predicted.std() > 0
    report = regressor_report(tmp_path, material, few, showers[30:60], few)
    found = report["transverse_asymmetry"]
    others = transverse_asymmetry(*(column[30:60] for column in (showers.energy, showers.momentum, showers.point)))
    assert found["weight"] == 1 and found["w1_reference"] == 0
    assert found["unexplained"] == pytest.approx(np.mean((true - predicted)**2) / np.var(true), rel=1e-3)
    assert found["w1"] == pytest.approx(np.abs(np.sort(true) - np.sort(others)).mean() / np.std(true), rel=1e-3)
    with pytest.raises(RunError, match="is a run without a regressor"):
        regression(tmp_path, load_material(recipe("baseline:test")), few)
