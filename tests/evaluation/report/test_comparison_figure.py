"""The figure of several runs: a panel for each family, with every number beside that between two real sets."""
import evaluations
import numpy as np

from ecalgen.evaluation.report.comparison_figure import comparison
from ecalgen.evaluation.report.measures import measures


def test_every_number_of_every_run_is_drawn():
    old = evaluations.evaluation()
    del old["physics_distance"], old["correlation"], old["memorisation"]
    figure = comparison({"new": measures(evaluations.evaluation()), "old": measures(old)})
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "PRD-AUC", "Classifier AUC", "Wasserstein-1", "Distance", "Near to reference showers [%]"]
    reference, new, old_reference, old_run = (container[0] for container in figure.axes[0].containers)
    np.testing.assert_allclose(new.get_xdata(), [0.717, 0.611])
    np.testing.assert_allclose(reference.get_xdata(), [0.723, 0.927])
    assert new.get_ydata()[0] < reference.get_ydata()[0] < old_run.get_ydata()[0] < old_reference.get_ydata()[0]
    distances = [container[0].get_xdata() for container in figure.axes[3].containers]
    assert np.isfinite(distances[:2]).all() and np.isnan(distances[2:]).all()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Two real sets", "new", "old"]
