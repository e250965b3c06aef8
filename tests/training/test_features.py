"""The features that an energy score compares."""
import jax
import numpy as np
import pytest

from ecalgen.data.grid import OLD
from ecalgen.data.transforms import make_transform
from ecalgen.models.whitening import fit_whitening
from ecalgen.training import stages
from ecalgen.training.features import FEATURES


@pytest.fixture
def made(recipe, showers):
    """A recipe's discriminator with its parameters, the training arrays, and the features of that name."""

    def make(name, features, **changes):
        config = recipe(name, **{"discriminator.attention": 0}, **changes)
        transform, targets = make_transform(**config.data.transform), stages.make_targets(config, showers)
        discriminator = stages.make_discriminator(config, OLD, targets)
        data = stages.training_arrays(showers, transform)
        shown = [data[name] for name in ("cells", "momentum", "point")]
        variables = jax.jit(discriminator.init)(jax.random.key(0), *(array[:1] for array in shown))
        return discriminator, variables, shown, FEATURES[features](discriminator, transform, data)

    return make


@pytest.mark.slow
@pytest.mark.parametrize("name", ["baseline:test", "baseline:test,recipe=paper", "anchored:test"])
def test_observables_of_training_showers_are_white(made, name):
    """Of mean 0 and uncorrelated, before the tails are bent; so about as much in the middle of the distribution."""
    _, variables, shown, features = made(name, "observables")
    values = np.asarray(features(variables, *shown))
    assert values.shape == (400, 31) and np.isfinite(values).all()
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=0.15)  # 400 showers fit few terms, so tails are long
    covariance = np.cov(6 * np.sinh(values / 6).T)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 0.05
    assert (np.diag(covariance) < 1.1).all() and np.median(np.diag(covariance)) == pytest.approx(1, abs=0.1)


def test_rings_follow_the_observables(made):
    _, variables, shown, features = made("anchored:test", "rings")
    _, _, _, observables = made("anchored:test", "observables")
    values = np.asarray(features(variables, *shown))
    assert values.shape == (400, 109) and np.isfinite(values).all() and np.abs(values.mean(axis=0)).max() < 0.3
    assert np.asarray(observables(variables, *shown)).shape == (400, 31)


def test_observables_do_not_depend_on_the_transform(made):
    _, variables, sqrt, features = made("baseline:test", "observables")
    _, _, cells, of_energies = made("baseline:test", "observables", **{
        "data.transform": {"name": "none", "scale": 1.0}, "generator.unit": "energy", "discriminator.unit": "energy"})
    np.testing.assert_allclose(features(variables, *sqrt), of_energies(variables, *cells), atol=5e-3)


def test_observables_are_those_of_the_physics_branch(made):
    """The anchored recipe's discriminator sees the very same numbers once a prior has fitted its whitening."""
    discriminator, variables, shown, features = made("anchored:test", "observables")
    whitening = fit_whitening(*discriminator.frame(*shown), OLD)
    fitted = variables | {"params": variables["params"] | {"whitening": whitening}}
    _, kept = discriminator.apply(fitted, *shown, mutable=["intermediates"],
                                  capture_intermediates=lambda module, _: module.name == "whitening")
    seen, = kept["intermediates"]["whitening"]["__call__"]
    np.testing.assert_allclose(seen, features(variables, *shown), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_observables_have_a_gradient_at_empty_showers(made):
    _, variables, shown, features = made("baseline:test", "observables")
    for cells in (shown[0][:4], 0 * shown[0][:4]):
        summed = lambda cells: features(variables, cells, *(array[:4] for array in shown[1:])).sum()
        gradient = jax.jit(jax.grad(summed))(cells)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["aux_twostep:test", "aux_twostep:test,regressor=cnn,targets=scalars", "wgan:test"])
def test_a_frozen_regressor_gives_its_outputs_and_its_embedding(made, recipe, name):
    discriminator, variables, shown, features = made(name, "regressor")
    found = np.asarray(features(variables, *(array[:20] for array in shown)))
    _, predicted = discriminator.apply(variables, *(array[:20] for array in shown))
    width = predicted.shape[1]
    assert found.shape == (20, width + recipe(name).regressor.embedding)
    np.testing.assert_allclose(found[:, :width], predicted, rtol=1e-4, atol=1e-6)
    layer = jax.tree.map(np.asarray, variables["params"]["regressor"]["outputs"])
    np.testing.assert_allclose(found[:, width:] @ layer["kernel"] + layer["bias"], predicted, rtol=1e-4, atol=1e-6)
