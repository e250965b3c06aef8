"""Figures for analyses are those of the report, of showers alone."""
import dataclasses

import numpy as np
import pytest

from ecalgen import plots


@pytest.fixture(scope="module")
def generated(showers):
    """Showers of a tenth more energy."""
    return dataclasses.replace(showers, energy=1.1 * showers.energy)


@pytest.mark.parametrize("draw, panels", [
    (lambda real, made: plots.gallery(real, made, count=3), 7),
    (plots.mean_response, 5),
    (plots.distributions, 12),
    (lambda real, made: plots.linearity(real, made, real), 2),
], ids=["gallery", "mean_response", "distributions", "linearity"])
def test_they_are_drawn(showers, generated, draw, panels, tmp_path):
    figure = draw(showers, generated)
    assert len(figure.axes) == panels
    figure.savefig(tmp_path / "figure.png", dpi=30)
    assert (tmp_path / "figure.png").stat().st_size > 1_000


def test_linearity_shows_the_mean_response(showers, generated):
    upper = plots.linearity(showers, generated, showers).axes[0]
    real, made = (bars.lines[0].get_ydata() for bars in upper.containers)
    np.testing.assert_allclose(made / real, 1.1, rtol=1e-5)


def test_a_gallery_needs_the_same_particles(showers):
    with pytest.raises(ValueError, match="same|momentum and point"):
        plots.gallery(showers[:10], showers[10:20])
