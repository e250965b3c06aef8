"""Means and standard deviations of Geant4 for the page in the browser, against showers that the fit did not see."""
import documentation
import numpy as np
import pytest

from ecalgen import observables
from ecalgen.data.files.formats import iter_showers
from ecalgen.data.sources import sample_path

pytest.importorskip("mkdocs", reason="mkdocs, of the extra docs, is not installed")


@pytest.fixture(scope="module")
def build():
    return documentation.load_hook("docs/browser/build.py")


@pytest.fixture(scope="module")
def blocks():
    """Two sets of 6,000 showers of the package."""
    showers = iter_showers(sample_path("electron_5d"), 6000)
    return next(showers), next(showers)


def test_unseen_showers_spread_about_the_means_as_predicted(build, blocks):
    fit, unseen = build.fitted(blocks[0]), blocks[1]
    scaled = 2 * (build.variables(unseen) - fit["low"]) / (np.array(fit["high"]) - fit["low"]) - 1
    terms = np.prod(scaled[:, None] ** np.array(fit["powers"]), axis=2)
    seen = observables(unseen.energy, unseen.momentum, unseen.point)
    for name, fitted in zip(build.QUANTITIES, fit["observables"], strict=True):
        variance = np.exp(terms @ fitted["deviation"])
        error = np.sum(terms @ np.array(fitted["covariance"]) * terms, axis=1)
        pull = (seen[name] - terms @ fitted["mean"]) / np.sqrt(variance)
        assert 0.95 < pull.std() < 1.07, name
        for column in scaled.T:  # within three errors in each quarter of energy, slopes and track
            for quarter in np.array_split(np.argsort(column), 4):
                own = 1 / np.sqrt(len(quarter)) + np.sqrt(np.mean(error[quarter] / variance[quarter]))
                assert abs(pull[quarter].mean()) < 3 * own, name


def test_symmetric_particles_have_the_same_variables(build, blocks):
    few = blocks[0][:50]
    flipped = type(few)(few.energy, few.momentum[:, [1, 0, 2]] * [1, -1, 1], few.point[:, ::-1] * [1, -1])
    np.testing.assert_allclose(build.variables(few), build.variables(flipped), rtol=1e-5, atol=1e-5)
