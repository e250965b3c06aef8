"""What the figures of the auxiliary systems are drawn from."""
import pytest


def test_rank_correlation_of_a_perfect_order(experiment):
    module = experiment("tables.figures")
    runs = [{"mean_unexplained": error, "prd": {"raw": {"auc": 1 - error**3}}} for error in (0.1, 0.2, 0.5, 0.3, 0.4)]
    assert module.rank_correlation(runs, "raw")["value"] == pytest.approx(-1)
    assert module.rank_correlation(runs, "raw")["interval"] == pytest.approx([-1, -1])
    assert module.rank_correlation(runs[:3], "raw") is None


@pytest.mark.parametrize("draw", ["figure3", "weight_sweep"])
def test_a_point_for_each_run(experiment, draw):
    """Every regressor has a name in the legend; a weight of 0 has a place on its axis."""
    module = experiment("tables.figures")
    runs = [{"variant": f"{weight:g}", "seed": seed, "mean_unexplained": weight / 200, "mse": {},
             "prd": {features: {"auc": 0.9 - weight / 1000, "std": 0.01} for features in ("raw", "physics")},
             "w1": dict.fromkeys(module.LABELS, 0.1)} for weight in (0, 0.1, 100) for seed in (0, 1)]
    figure = getattr(module, draw)({"runs": [*runs, {"variant": "baseline"}] if draw == "figure3" else runs})
    axis = figure.axes[0]
    if draw == "figure3":
        assert [text.get_text() for text in axis.get_legend().get_texts()] == ["0", "0.1", "100"]
        assert axis.get_title() == "Spearman -1.00 [-1.00, -1.00]"
    else:
        line, = axis.lines
        shown = axis.transData.transform(line.get_xydata())[:, 0]
        assert len(shown) == 6 and (shown[0] < shown[2] < shown[4]).all()
    module.plt.close(figure)
