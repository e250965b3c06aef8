"""Evaluation of blocks: real ones are as good as real ones, and known faults show where they should."""
import json

import numpy as np
import pytest

from ecalgen.adagan.volume_evaluation import evaluate_volumes
from ecalgen.adagan.volume_report import volume_verdict, write_volume_report
from ecalgen.data.volumes import Volumes


def blocks(seed, count=120, brightness=1.0, shift=0):
    """Exponential cells in a blob of 9 x 9 x 12 cells, whose sum is a few percent of the energy."""
    rng = np.random.default_rng(seed)
    incident = np.linspace(2, 100, count)
    energy = np.zeros((count, 25, 25, 25))
    energy[:, 8 + shift:17 + shift, 8:17, 2:14] = rng.exponential(1, (count, 9, 9, 12)) * rng.gamma(
        100, 0.01, (count, 1, 1, 1)) * incident[:, None, None, None] * brightness / 30
    return Volumes(energy, incident)


@pytest.fixture(scope="module")
def judged():
    judge = lambda generated: evaluate_volumes(blocks(0), generated, blocks(1), bootstrap=20, clusters=20, runs=2)
    return {"real": judge(blocks(2)), "brighter": judge(blocks(2, brightness=1.15)), "moved": judge(blocks(2, shift=1))}


def test_real_showers_are_as_good_as_real_showers(judged):
    result = judged["real"]
    assert 0.3 < result["c2st"]["auc"] < 0.7 and result["prd"]["raw"]["ratio"] > 0.9
    assert all(entry["w1"] < 0.5 for entry in result["observables"].values())
    json.dumps(result, allow_nan=False)


def test_a_wrong_scale_shows_in_the_sampling_fraction(judged):
    for entry in judged["brighter"]["sampling_fraction"]:
        assert entry["generated"]["mean"] == pytest.approx(1.15 * entry["real"]["mean"], rel=0.1)
    assert judged["brighter"]["c2st"]["auc"] > judged["real"]["c2st"]["auc"] + 0.1
    ratio = judged["brighter"]["profiles"]["z"]["ratio"]  # of shares, which a scale leaves alone
    assert np.array(ratio)[2:14] == pytest.approx(1, abs=0.05)


def test_a_shift_shows_in_the_profile_of_its_axis(judged):
    profile = judged["moved"]["profiles"]["x"]
    assert profile["ratio"][8] == pytest.approx(0, abs=1e-6)
    assert profile["generated"][17] == pytest.approx(1 / 9, rel=0.1)
    assert judged["moved"]["observables"]["centre_x"]["w1"] > 5 > judged["moved"]["observables"]["centre_y"]["w1"]


def test_the_page_says_what_later_generators_changed(judged, tmp_path):
    members = {1: judged["moved"], 2: judged["real"]}
    said = volume_verdict(members)
    assert said["Ensemble"].startswith("one generator reaches AUC 1.000")
    evaluation = {"members": {str(count): result for count, result in members.items()}, "training": {"steps": [10, 10]}}
    page = write_volume_report(blocks(0), blocks(2), evaluation, tmp_path).read_text()
    assert "Numbers, by how many generators take part" in page and page.count("<figure") == 3
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == {"sampling_fraction", "profiles", "mean_blocks"}
