"""The convolutional classifier learns a shape at any place, and repeats its results."""
import numpy as np

from ecalgen.evaluation.metrics.neural import image_classifier


def lines(count, seed):
    """Images with three bright cells in a line; label 1 where it runs along the first axis."""
    rng = np.random.default_rng(seed)
    labels, images = rng.integers(2, size=count), np.zeros((count, 30, 30), np.float32)
    for image, label, (x, y) in zip(images, labels, rng.integers(4, 24, size=(count, 2)), strict=True):
        image[x:x + (3 if label else 1), y:y + (1 if label else 3)] = 3
    return images, labels


def test_it_learns_a_shape_wherever_it_lies():
    images, labels = lines(1_500, 0)
    classifier = image_classifier(seed=1).fit(images, labels)
    others, truth = lines(300, 1)
    probability = classifier.predict_proba(others)
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-6)
    assert ((probability[:, 1] > 0.5) == truth).mean() > 0.9


def test_it_repeats_from_its_seed():
    images, labels = lines(128, 2)
    first, second, other = (image_classifier(seed, epochs=1).fit(images, labels).predict_proba(images)
                            for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()
