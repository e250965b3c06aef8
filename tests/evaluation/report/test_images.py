"""Figures are compared, as images, with stored ones that were checked by eye."""
import evaluations
import pytest
from matplotlib.testing.compare import compare_images
from pictures import IMAGES, PICTURES, draw

from ecalgen.evaluation.report import figures

TOLERANCE = 3.0
"""Root mean square over pixels, of 255. Another release of FreeType changes less, a missing curve more."""


@pytest.mark.parametrize("name", PICTURES)
def test_as_it_was(name, tmp_path):
    assert compare_images(str(IMAGES / f"{name}.png"), str(draw(name, tmp_path)), TOLERANCE) is None


def test_a_curve_that_moved_is_seen(tmp_path):
    moved = evaluations.evaluation()["prd"] | {
        "physics": evaluations.feature_set(0.611, 0.927) | {"curve": evaluations.curve(4)}}
    path = tmp_path / "moved.png"
    path.write_bytes(figures.png(figures.prd_curves(moved), dpi=40))
    assert compare_images(str(IMAGES / "prd_curves.png"), str(path), TOLERANCE)
