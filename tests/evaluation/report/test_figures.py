"""Figures hold the data they are given, on shared scales, and leave matplotlib as they found it."""
import io

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.collections import QuadMesh

from ecalgen.data.showers import Showers
from ecalgen.evaluation.metrics.features import observable_columns
from ecalgen.evaluation.report import figures

CURVE = {"precision": [1.0, 0.8, 0.0], "recall": [0.0, 0.7, 1.0]}
CEILING = {"precision": [1.0, 0.95, 0.0], "recall": [0.0, 0.9, 1.0]}


@pytest.fixture(scope="module")
def generated(showers):
    """The real showers 20 % brighter and moved by one cell along x, at the real conditions."""
    return Showers(np.roll(1.2 * showers.energy, 1, axis=1), showers.momentum, showers.point)


@pytest.fixture(scope="module")
def columns(showers, generated):
    return observable_columns(showers), observable_columns(generated)


def meshes(figure):
    """The maps of cells in a figure, without its colour bars."""
    return [item for axes in figure.axes for item in axes.collections if isinstance(item, QuadMesh)
            and item.get_array().shape == (30, 30)]


def pixels(figure):
    return pyplot.imread(io.BytesIO(figures.png(figure, dpi=50)))


def texts(figure):
    """All texts of the figure."""
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


def test_mean_response_draws_the_means_and_their_ratio(showers, generated):
    real, ours, ratio = meshes(figures.mean_response(showers, generated))
    mean = showers.energy.mean(0, dtype=np.float64)
    np.testing.assert_allclose(real.get_array().filled(0), mean.T)
    np.testing.assert_allclose(ours.get_array().filled(0), generated.energy.mean(0, dtype=np.float64).T)
    inside = np.s_[10:20, 10:20]
    expected = 1.2 * np.roll(mean, 1, axis=0)[inside] / mean[inside]
    np.testing.assert_allclose(ratio.get_array().T[inside], expected, rtol=1e-5)


def test_mean_response_shares_the_energy_scale_and_centres_the_ratio(showers, generated):
    real, ours, ratio = meshes(figures.mean_response(showers, generated))
    assert real.norm is ours.norm
    assert ratio.norm(1.0) == pytest.approx(0.5)


def test_maps_put_x_to_the_right(showers):
    energy = np.zeros_like(showers.energy[:1])
    energy[0, 25, 3] = 7.0
    mesh = meshes(figures.mean_response(*[Showers(energy, showers.momentum[:1], showers.point[:1])] * 2))[0]
    corners = mesh.get_coordinates()[3, 25], mesh.get_coordinates()[4, 26]
    assert mesh.get_array()[3, 25] == 7.0
    np.testing.assert_allclose(np.mean(corners, axis=0), [10.5 * 2.02, -11.5 * 2.02])


@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_gallery_pairs_showers_on_one_scale(showers, generated, count):
    figure = figures.gallery(showers, generated, count)
    drawn = meshes(figure)
    assert len(drawn) == 2 * count
    assert len({id(mesh.norm) for mesh in drawn}) == 1
    for real, ours in zip(drawn[::2], drawn[1::2], strict=True):
        np.testing.assert_allclose(ours.get_array().filled(0),
                                   np.roll(1.2 * real.get_array().filled(0), 1, axis=1), rtol=1e-6)


def test_gallery_shows_empty_cells_unlike_the_smallest_energies(showers, generated):
    mesh = meshes(figures.gallery(showers, generated))[0]
    empty = mesh.get_array().mask
    assert 0 < empty.sum() < 900
    colours = mesh.to_rgba(mesh.get_array()).reshape(30, 30, 4)
    grey = matplotlib.colors.to_rgba(figures.EMPTY)
    np.testing.assert_allclose(colours[empty], np.broadcast_to(grey, colours[empty].shape))
    assert np.abs(mesh.cmap(0.0)[:3] - np.array(grey[:3])).max() > 0.4


def test_gallery_titles_name_the_particle(showers, generated):
    order = np.argsort(np.linalg.norm(showers.momentum, axis=1))
    momentum = showers.momentum[order[len(showers) // 2]]
    said = " ".join(texts(figures.gallery(showers, generated, 1)))
    assert f"E = {np.linalg.norm(momentum):.3g} GeV" in said
    assert f"$p_x/p_z$ = {momentum[0] / momentum[2]:+.2f}".replace("-", "−") in said


def test_gallery_refuses_other_particles(showers):
    with pytest.raises(ValueError, match="shower by shower"):
        figures.gallery(showers[:10], showers[10:20])


def test_distributions_hold_every_shower(columns):
    figure = figures.distributions(*columns, 900)
    upper = figure.axes[::2]
    assert [axes.get_xlabel() for axes in figure.axes[1::2]] == list(figures.LABELS.values())
    for axes in upper:
        steps = [patch for patch in axes.patches if not patch.get_fill()][0].get_data().values
        points = axes.containers[0].lines[0].get_ydata()
        assert steps.sum() == pytest.approx(1)
        assert np.sum(points) == pytest.approx(1)


def test_distributions_agree_with_numpy(columns):
    axes = figures.distributions(*columns, 900).axes[2]
    steps = [patch for patch in axes.patches if not patch.get_fill()][0].get_data()
    values = columns[1]["transverse_width"][:, 0]
    counts = np.histogram(np.clip(values, steps.edges[0], steps.edges[-1]), steps.edges)[0]
    np.testing.assert_allclose(steps.values, counts / len(values))


def test_distributions_of_equal_sets_have_ratio_one(columns):
    for axes in figures.distributions(columns[0], columns[0], 900).axes[1::2]:
        ratio = axes.containers[0].lines[0].get_ydata()
        np.testing.assert_allclose(ratio, 1)
        assert len(ratio) > 5


def test_sparsity_bins_hold_whole_numbers_of_cells(columns):
    axes = figures.distributions(*columns, 900).axes[2 * list(figures.LABELS).index("sparsity")]
    edges = 900 * axes.patches[0].get_data().edges
    np.testing.assert_allclose(edges % 1, 0.5, atol=1e-6)
    assert np.ptp(np.diff(edges)) < 1e-6


def test_distributions_quote_the_distances(columns):
    said = " ".join(texts(figures.distributions(*columns, 900, {"delta_x": {"w1": 0.1234, "w1_reference": 0.0567}})))
    assert "0.123 (real sets: 0.057)" in said


def test_distributions_of_a_generator_that_gives_nothing(showers, columns):
    nothing = observable_columns(Showers(np.zeros_like(showers.energy), showers.momentum, showers.point))
    assert len(figures.distributions(columns[0], nothing, 900).axes) == 12
    assert len(figures.distributions(nothing, nothing, 900).axes) == 12


def test_maps_of_a_generator_that_gives_nothing(showers):
    nothing = Showers(np.zeros_like(showers.energy), showers.momentum, showers.point)
    for first, second in ((showers, nothing), (nothing, nothing)):
        assert pixels(figures.mean_response(first, second)).std() > 0.02
        assert pixels(figures.gallery(first, second, 2)).std() > 0.02


def test_maps_of_the_smallest_energies_that_float32_knows(showers):
    faint = Showers(np.where(showers.energy > 0, np.float32(1e-45), 0), showers.momentum, showers.point)
    assert pixels(figures.gallery(faint, faint, 2)).std() > 0.02


def test_prd_curves_draw_both_and_name_their_settings():
    entry = {"auc": 0.612, "std": 0.004, "ceiling": 0.934, "clusters": 400, "runs": 10, "n": 2500, "curve": CURVE,
             "ceiling_curve": CEILING}
    figure = figures.prd_curves({"raw": entry, "physics": entry | {"auc": 0.5}, "score": 0.5})
    lines = figure.axes[0].lines
    assert [line.get_linestyle() for line in lines] == ["-", "--"] * 2
    np.testing.assert_array_equal(lines[0].get_xydata(), np.column_stack([CURVE["recall"], CURVE["precision"]]))
    np.testing.assert_array_equal(lines[1].get_ydata(), CEILING["precision"])
    said = " ".join(texts(figure))
    for words in ("raw: AUC 0.612 ± 0.004", "physics: AUC 0.500", "0.934", "400 clusters, 10 runs, N = 2500"):
        assert words in said


def test_learning_curves_have_a_panel_for_each_stage():
    rows = [{"stage": "regressor", "step": 10, "regressor_loss": 0.5, "seconds": 1.0},
            {"stage": "gan", "step": 10, "discriminator_loss": 1.5, "generator_loss": -0.5},
            {"stage": "gan", "step": 20, "discriminator_loss": 1.4, "generator_loss": -0.4, "w1": 0.3}]
    regressor, gan, distance = figures.learning_curves(rows).axes
    np.testing.assert_array_equal(regressor.lines[0].get_xydata(), [[10, 0.5]])
    np.testing.assert_array_equal(gan.lines[1].get_xydata(), [[10, -0.5], [20, -0.4]])
    np.testing.assert_array_equal(distance.lines[0].get_xydata(), [[20, 0.3]])
    with pytest.raises(ValueError, match="no row"):
        figures.learning_curves([{"stage": "gan", "step": 1, "seconds": 2.0}])


def test_figures_leave_matplotlib_alone(showers, generated, columns):
    before = matplotlib.rcParams.copy()
    figures.png(figures.mean_response(showers, generated), dpi=40)
    figures.png(figures.distributions(*columns, 900), dpi=40)
    assert matplotlib.rcParams == before
    assert not pyplot.get_fignums()


def test_the_same_figure_is_the_same_png(showers, generated):
    first, second = (figures.png(figures.mean_response(showers, generated), dpi=40) for _ in range(2))
    assert first == second


def test_nothing_is_cut_off_at_the_edge(showers, generated, columns):
    for figure in (figures.mean_response(showers, generated), figures.gallery(showers, generated),
                   figures.distributions(*columns, 900)):
        image = pixels(figure)[..., :3]
        border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert border.min() > 0.99
        assert image.min() < 0.1
