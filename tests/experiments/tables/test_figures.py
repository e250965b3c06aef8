"""What the figures of the auxiliary systems are drawn from."""
import pytest


def test_rank_correlation_of_a_perfect_order(experiment):
    module = experiment("tables.figures")
    runs = [{"mean_unexplained": error, "prd": {"raw": {"auc": 1 - error**3}}} for error in (0.1, 0.2, 0.5, 0.3, 0.4)]
    assert module.rank_correlation(runs, "raw")["value"] == pytest.approx(-1)
    assert module.rank_correlation(runs, "raw")["interval"] == pytest.approx([-1, -1])
    assert module.rank_correlation(runs[:3], "raw") is None
