"""The steps of the anchored generator in its picture share their noise, and the picture has a panel for each."""
import numpy as np

from ecalgen.sampling.sampler import load_sampler


def test_the_steps_of_one_shower(experiment, showers, monkeypatch):
    pictures = experiment("tables.pictures")
    monkeypatch.setattr(pictures, "DRAWS", 3)
    sampler = load_sampler("anchored_light")
    mean, hits, corrected = pictures.steps(sampler, showers[:1], seed=1)
    assert mean.shape == hits.shape == corrected.shape == (30, 30)
    np.testing.assert_allclose([hits.sum(), corrected.sum()], mean.sum(), rtol=1e-3)  # one total energy in all steps
    assert (mean > 0).sum() > (hits > 0).sum() and not np.allclose(hits, corrected)
    figure = pictures.picture([mean, hits, corrected, showers.energy[0]], sampler.grid)
    assert [axes.get_title() for axes in figure.axes[:4]] == list(pictures.STEPS)
    pictures.plt.close(figure)
