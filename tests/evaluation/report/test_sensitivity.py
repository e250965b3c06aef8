"""The sentences on what a number sees agree with the experiments."""
import json

import pytest

from ecalgen.evaluation.metrics.registry import families
from ecalgen.evaluation.report import sensitivity

KNOWN = {"showers": 5000, "responses": {
    "A": {"one": {"noise": 6.0, "shift": 0.1, "copies": -3.0}, "two": {"noise": 1.0, "shift": 3.0, "copies": 0.5}},
    "B": {"one": {"noise": 0.0, "shift": 1.0, "copies": 40.0}}}}


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(sensitivity, "load_sensitivity", lambda: KNOWN)


def test_the_best_number_of_a_family_counts(known):
    assert sensitivity.describe("A", ["one", "two"]) == (
        "Of 3 ways of distorting 5\u202f000 real showers, even the most sensitive of these numbers missed (by less "
        "than 2 standard deviations): copies; hardly seen: shift.")
    assert sensitivity.describe("A", ["one", "none"]) == (
        "Of 3 ways of distorting 5\u202f000 real showers, this number saw (by 5 standard deviations or more) only: "
        "noise.")


def test_what_is_seen_is_listed_where_that_is_shorter(known):
    assert sensitivity.describe("B", ["one"]).endswith(
        "this number saw (by 5 standard deviations or more) only: copies.")


def test_nothing_is_said_of_numbers_that_were_not_tried(known):
    assert sensitivity.describe("A", ["embedding"]) == ""


def test_the_package_holds_responses_of_every_family():
    known = json.loads(sensitivity.WHERE.read_text())
    assert set(known["responses"]) == set(families())
    assert known["showers"] == 5000
    tried = {tuple(found) for family in known["responses"].values() for found in family.values()}
    assert len(tried) == 1 and len(*tried) == 21
    assert sensitivity.describe("Near to reference showers [%]", ["share of the generated"]).count("copies") == 2
