"""What is said of a number's eyesight is what the experiments found."""
import json

import pytest

from ecalgen.evaluation.report import sensitivity
from ecalgen.evaluation.report.measures import FAMILIES

KNOWN = {"showers": 5000, "responses": {
    "A": {"one": {"noise": 6.0, "shift": 0.1, "copies": -3.0}, "two": {"noise": 1.0, "shift": 3.0, "copies": 0.5}},
    "B": {"one": {"noise": 0.0, "shift": 1.0, "copies": 40.0}}}}


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(sensitivity, "load_sensitivity", lambda: KNOWN)


def test_the_best_number_of_a_family_counts(known):
    assert sensitivity.eyesight("A", ["one", "two"]) == (
        "Of 3 ways in which 5\u202f000 real showers were spoiled, even the keenest of these numbers missed (by less "
        "than 2 deviations): copies; hardly seen: shift.")
    assert sensitivity.eyesight("A", ["one", "none"]) == (
        "Of 3 ways in which 5\u202f000 real showers were spoiled, this number saw (by 5 deviations or more) only: "
        "noise.")


def test_what_is_seen_is_listed_where_that_is_shorter(known):
    assert sensitivity.eyesight("B", ["one"]).endswith("this number saw (by 5 deviations or more) only: copies.")


def test_nothing_is_said_of_numbers_that_were_not_tried(known):
    assert sensitivity.eyesight("A", ["embedding"]) == ""


def test_the_package_holds_responses_of_every_family():
    known = json.loads(sensitivity.WHERE.read_text())
    assert set(known["responses"]) == set(FAMILIES)
    assert known["showers"] == 5000
    tried = {tuple(found) for family in known["responses"].values() for found in family.values()}
    assert len(tried) == 1 and len(*tried) == 21
    assert sensitivity.eyesight("Near to reference showers [%]", ["share of the generated"]).count("copies") == 2
