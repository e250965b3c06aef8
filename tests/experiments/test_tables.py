"""The tables that `experiments.tables` writes, on results of today and of older evaluations."""
import importlib
import json
import pathlib

import pytest

RESULTS = pathlib.Path(__file__).parents[2] / "experiments" / "results"


@pytest.fixture
def tables(monkeypatch):
    """The module that writes them."""
    monkeypatch.syspath_prepend(RESULTS.parents[1])
    return importlib.import_module("experiments.tables")


def changed(tables, monkeypatch, change):
    """Pass every result through `change(name, result)` as it is loaded."""
    load = lambda name: change(name, json.loads((RESULTS / f"{name}.json").read_text()))
    monkeypatch.setattr(tables, "load", load)


@pytest.mark.parametrize(("result", "split"), [
    ({}, "selection"), ({"split": "test"}, "test"), ({"settings": {"split": "test"}}, "test"), ({"settings": {}},
                                                                                                "selection")])
def test_the_split_comes_from_the_results(tables, result, split):
    assert tables._judged(result | {"showers": 5000}) == f"5,000 `{split}`"


def test_every_table_names_the_split(tables, monkeypatch):
    def change(name, result):
        parts = result["sets"] if name == "prd_benchmark" else [result]
        for part in parts:
            part["split"] = "fresh"
        return result

    changed(tables, monkeypatch, change)
    for table in (tables.systems, tables.cards, tables.auxiliary, tables.auxiliary_targets, tables.auxiliary_anchored,
                  tables.lineage, tables.ranking, tables.reconstruction, tables.precision, tables.prd_benchmark):
        text = table()
        assert "`fresh`" in text and "00 `selection`" not in text and "test showers" not in text, table


def test_samples_of_one_test_split(tables):
    assert "900 `test` showers" in tables.wgan_1d() and "600 `test` showers" in tables.adagan()


def unmatched(result):
    """A result as evaluations without repeated showers give it."""
    for part in (*result["prd"].values(), *result["c2st"].values()):
        for field in [field for field in part if field.startswith("matched_")] if isinstance(part, dict) else ():
            del part[field]
    return result


def test_the_matched_ceiling_is_shown_where_it_is_known(tables, monkeypatch):
    changed(tables, monkeypatch, lambda name, result: unmatched(result))
    assert "matched" not in tables.systems() + tables.cards() and "same conditions" not in tables.cards()

    def change(name, result):
        result = unmatched(result)
        if name == "anchored":
            for features, ceiling in (("raw", 0.931), ("physics", 0.942)):
                result["prd"][features] |= dict(matched_ceiling=ceiling, matched_ceiling_std=0.002, matched_n=2000,
                                                matched_auc=0.913)
            result["c2st"]["cells"]["matched_floor"] = 0.487
        return result

    changed(tables, monkeypatch, change)
    assert ("the first 2,000 particles a second time" in tables.systems() and tables.systems().endswith(
        "`anchored` physics 0.913 (0.942 ± 0.002), raw 0.913 (0.931 ± 0.002)."))
    cards = tables.cards()
    assert "| physics PRD-AUC of the first 2,000 (matched ceiling) | 0.913 (0.942 ± 0.002) |" in cards
    assert cards.count("matched ceiling") == 2
    assert "| cells, floor at the same conditions | 0.487 |" in cards


@pytest.mark.parametrize("name", ["ring_shares", "ring_energies"])
def test_the_rings_of_either_name(tables, monkeypatch, name):
    def change(_, result):
        for row in [result["real_against_real"], *result["runs"]]:
            row["w1"][name] = row["w1"].pop("ring_energies")
        return result

    changed(tables, monkeypatch, change)
    assert f"W1 of the {name.replace('_', ' ')}" in tables.reached("vae")
