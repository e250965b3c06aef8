"""The tables of the report: what a metric brings, its headline numbers otherwise, and no empty ones."""
from evaluations import evaluation

from ecalgen.evaluation.metrics.registry import Family, Measure
from ecalgen.evaluation.report.tables import measures_table, sections, small_tables


def test_headline_numbers_stand_beside_those_of_real_sets():
    family = Family("Distances", larger_is_better=False)
    table = measures_table(family, {"delta x": Measure(0.123, [0.1, 0.15], 0.02, None)})
    assert table.head == "Distances" and table.columns == ["Value", "95 % interval", "Real sets", "Their interval"]
    assert table.rows == [("Delta x", ["0.123", "[0.100, 0.150]", "0.020", "–"])]


def test_each_metric_that_was_judged_has_a_section():
    titles = [section["title"] for section in sections(evaluation())]
    assert "PRD-AUC" in titles and all(section["tables"] for section in sections(evaluation()))
    fewer = evaluation()
    del fewer["prd"]
    assert [title for title in titles if title != "PRD-AUC"] == [section["title"] for section in sections(fewer)]


def test_small_tables_list_settings_and_leave_empty_ones_out():
    tables = small_tables(evaluation())
    assert set(tables) == {"Provenance", "Training", "Settings"}  # it has no regressor
    settings = dict(tables["Settings"])
    assert settings["Protocol"] == "paper" and settings["Seconds for prd"] and "Notes" not in settings
    assert dict(tables["Provenance"])["Commit"] == "f9fa4e7"
    target = {"weight": 2.0, "unexplained": 0.25, "w1": 0.1, "w1_reference": 0.02}
    (name, said), = small_tables(evaluation() | {"regressor": {"point[0]": target}})["What its regressor predicts"]
    assert "weight 2; leaves 25.0 % of its variance" in said and "oint" in name
