"""Differences of models, paired by seed, against SciPy's paired t test and by hand."""
import pytest
import scipy.stats


@pytest.fixture
def paired(experiment):
    """The module."""
    return experiment("tables.paired")


OURS, THEIRS = {0: 0.95, 1: 0.93, 2: 0.90, 7: 0.1}, {2: 0.87, 0: 0.94, 1: 0.91}


def test_the_posterior_is_that_of_the_paired_t_test(paired):
    """The differences are 0.01, 0.02 and 0.03: mean 0.02, standard error 0.01 / sqrt(3), 2 degrees of freedom."""
    found = paired.difference(OURS, THEIRS)
    test = scipy.stats.ttest_rel([0.95, 0.93, 0.90], [0.94, 0.91, 0.87], alternative="greater")
    assert found.seeds == 3 and found.mean == pytest.approx(0.02)
    assert found.probability == pytest.approx(1 - test.pvalue, rel=1e-6) == pytest.approx(0.963, abs=5e-4)
    half = 4.3027 * 0.01 / 3**0.5  # the 97.5 % quantile of Student's t with 2 degrees of freedom, from tables
    assert (found.low, found.high) == pytest.approx((0.02 - half, 0.02 + half), abs=1e-6)
    assert paired.difference(THEIRS, OURS).probability == pytest.approx(test.pvalue, rel=1e-6)


@pytest.mark.parametrize("ours, theirs, words", [
    (OURS, THEIRS, "0.96, not told"),
    ({0: 0.95, 1: 0.951}, {0: 0.85, 1: 0.852}, "1.00, better"),
    ({0: 0.85, 1: 0.852}, {0: 0.95, 1: 0.951}, "0.00, worse"),
    ({0: 0.95, 1: 0.85}, {0: 0.95, 1: 0.85}, "0.50, not told"),
    ({0: 0.9}, {0: 0.8}, "one seed"),
    ({0: 0.9, 1: 0.9}, {1: 0.8}, "one seed"), ({0: 0.9}, {1: 0.8}, "–"), ({}, {}, "–")])
def test_it_is_said_in_words(paired, ours, theirs, words):
    assert paired.verdict(paired.difference(ours, theirs)) == words


def test_equal_differences_are_certain(paired):
    found = paired.difference({0: 0.75, 1: 0.5}, {0: 0.5, 1: 0.25})
    assert (found.low, found.high, found.probability) == (0.25, 0.25, 1)
