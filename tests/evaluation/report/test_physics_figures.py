"""The figures hold the numbers of the evaluation, with their intervals."""
import matplotlib
import numpy as np
import pytest

from ecalgen.evaluation.report import physics_figures
from ecalgen.evaluation.report.figures import png


def texts(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


def moments(mean):
    return {"mean": mean, "mean_interval": [mean - 0.01, mean + 0.02], "resolution": mean / 10,
            "resolution_interval": [mean / 20, mean / 5]}


def test_response_draws_every_bin_in_percent():
    bins = [{"low": low, "high": 2 * low, "real": moments(0.17), "generated": moments(0.2), "reference": moments(0.17)}
            for low in (1.0, 2.0, 8.0)]
    upper, lower = physics_figures.response(bins).axes
    for axes, factor in ((upper, 1), (lower, 0.1)):
        real, generated = (container.lines[0].get_ydata() for container in axes.containers)
        np.testing.assert_allclose(real, [17 * factor] * 3)
        np.testing.assert_allclose(generated, [20 * factor] * 3)
    segments = upper.containers[1].lines[2][0].get_segments()
    np.testing.assert_allclose([segment[:, 1] for segment in segments], [[19, 22]] * 3)
    png(upper.figure, dpi=20)


def test_an_interval_that_leaves_out_its_value_is_drawn():
    """The bootstrap of a few showers, each repeated many times, may give such numbers."""
    beside = moments(0.17) | {"mean_interval": [0.18, 0.19], "resolution": 0.0, "resolution_interval": [0.01, 0.02]}
    figure = physics_figures.response([{"low": 1.0, "high": 2.0, "real": beside, "generated": beside,
                                        "reference": beside}])
    assert png(figure, dpi=20)


def test_profiles_draw_both_axes_and_their_ratios():
    values = {"real": [1.0, 5.0, 2.0, 0.0], "generated": [1.0, 4.0, 2.4, 0.1], "ratio": [1.0, 0.8, 1.2, None],
              "ratio_interval": [[0.9, 1.1], [0.7, 0.9], [1.1, 1.3], [None, None]],
              "reference_ratio_interval": [[0.9, 1.1], [0.9, 1.2], [0.9, 1.1], [None, None]]}
    figure = physics_figures.profiles({"edges_cells": [-1.0, 0.0, 1.0], "along": values, "across": values})
    png(figure, dpi=20)
    along, across, ratio, _ = figure.axes
    np.testing.assert_array_equal(along.lines[0].get_xydata(), [[-1.5, 1], [-0.5, 5], [0.5, 2], [1.5, 0]])
    assert [patch.get_data().values.tolist() for patch in across.patches] == [values["generated"]]
    assert ratio.get_ylim() == pytest.approx((1 - 0.23, 1 + 0.23))
    assert {"Along the track [cells]", "Across the track [cells]"} <= set(texts(figure))


def test_verdict_has_a_panel_for_each_condition_with_bins():
    entries = [{"low": 1.0, "high": 3.0, "auc": 0.6, "interval": [0.55, 0.64]},
               {"low": 3.0, "high": 10.0, "auc": 0.7, "interval": [0.65, 0.75]}]
    figure = physics_figures.verdict_by_condition({"energy_gev": entries, "angle_degrees": [], "entry_cm": entries,
                                                   "azimuth_degrees": entries[:1]})
    png(figure, dpi=20)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_xlabel() for axes in shown] == [
        "Incident energy [GeV]", "Track to the centre [cm]", "Azimuth [degrees]"]
    np.testing.assert_allclose(shown[0].containers[0].lines[0].get_ydata(), [0.6, 0.7])
    assert [label.get_text() for label in shown[0].get_xticklabels()] == ["1–3", "3–10"]


def test_a_generator_that_gives_nothing_is_drawn():
    nothing = {"mean": 0.0, "mean_interval": [0.0, 0.0], "resolution": 0.0, "resolution_interval": [0.0, 0.0]}
    for real in (moments(0.17), nothing):
        bins = [{"low": low, "high": 2 * low, "real": real, "generated": nothing, "reference": real}
                for low in (1.0, 2.0)]
        png(physics_figures.response(bins), dpi=20)
    values = {"real": [0.0] * 4, "generated": [0.0] * 4, "ratio": [None] * 4, "ratio_interval": [[None, None]] * 4,
              "reference_ratio_interval": [[None, None]] * 4}
    png(physics_figures.profiles({"edges_cells": [-1.0, 0.0, 1.0], "along": values, "across": values}), dpi=20)
