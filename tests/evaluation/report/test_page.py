"""A page from a template: pictures lie inside it and beside it, and text cannot become markup."""
import base64

import pytest

from ecalgen.evaluation.report.page import anchor, is_numeric, picture, write_page


def test_a_page_holds_its_pictures(tmp_path):
    drawn = picture("map", "A map", b"not really a PNG", "What it shows.", "A map in words.")
    assert base64.b64decode(drawn["source"].removeprefix("data:image/png;base64,")) == b"not really a PNG"
    written = dict(title="<b>&", verdict={"Good": "all of it"}, showers="7", sections=[], matched=False, tables={})
    path = write_page(tmp_path / "new" / "a.html", "report.html.jinja", [drawn], **written)
    assert path == tmp_path / "new" / "a.html"
    assert (tmp_path / "new" / "figures" / "map.png").read_bytes() == b"not really a PNG"
    source = path.read_text(encoding="utf-8")
    assert drawn["source"] in source and "A map in words." in source and "all of it" in source
    assert "&lt;b&gt;&amp;" in source and "<b>&" not in source


@pytest.mark.parametrize("cell, numeric", [
    ("1.99/5", True), ("0.927\n[0.917, 0.937]", True), ("0.05 ± 0.01", True), ("17.3 %", True), ("–", False),
    ("", False), ("worse", False), ("2025-11-22T03:20:11+00:00", False), ("ffffffffffff", False),
    ("0.5 of anchored", False),
])
def test_cells_of_numbers_are_known(cell, numeric):
    assert is_numeric(cell) == numeric


def test_a_heading_is_an_anchor():
    assert anchor("Wasserstein-1 distance, all") == "wasserstein-1-distance-all"
