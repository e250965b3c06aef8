"""The predictions of a run's regressor for showers, and the true values."""
import jax
import numpy as np

from ecalgen.data.observables import CHUNK
from ecalgen.errors import RunError
from ecalgen.machine.chunks import mapped
from ecalgen.training.material import newest_state
from ecalgen.training.monitors import wasserstein
from ecalgen.training.stages import training_arrays


def regression(workdir, material, showers):
    """True and predicted targets of showers: `{target: ([N], [N])}`, in the units of the targets.

    The targets are those of a shower as the discriminator sees it, such as from the octant. The regressor is that of
    the newest checkpoint of the run's last stage.

    Args:
      workdir: of the run.
      material: its `Material`.
      showers: `Showers`.

    Raises:
      RunError: the run has no regressor, or no checkpoint.
    """
    targets, predict = material.targets, regressor_of(workdir, material)
    true, predicted = (values * targets.std + targets.mean for values in (targets(showers), predict(showers)))
    return {name: (true[:, k], predicted[:, k]) for k, name in enumerate(targets.names)}


def regressor_report(workdir, material, real, generated, reference):
    """How well the run's regressor predicts, and how near the generated showers are in its targets.

    Args:
      workdir: of the run.
      material: its `Material`.
      real, generated, reference: as many `Showers` each.

    Returns:
      `{target: {"weight", "unexplained", "w1", "w1_reference"}}`: alpha; the share of the target's variance among the
      real showers that the regressor leaves unexplained; Wasserstein-1 from the real to the generated and to the
      reference showers, in standard deviations (None where a target is not finite).
    """
    targets, predict = material.targets, regressor_of(workdir, material)
    true, made, other = (targets(showers) for showers in (real, generated, reference))
    unexplained = np.mean((true - predict(real))**2, axis=0) / np.var(true, axis=0)
    distance = lambda values, k: (float(wasserstein(values[:, [k]], true[:, [k]])[0])
                                  if np.isfinite(values[:, k]).all() else None)
    return {name: {"weight": float(targets.weights[k]), "unexplained": float(unexplained[k]),
                   "w1": distance(made, k), "w1_reference": distance(other, k)}
            for k, name in enumerate(targets.names)}


def regressor_of(workdir, material):
    """A run's trained regressor: `Showers` -> `[N, K]`, on the scale of the targets.

    Raises:
      RunError: the run has no regressor, or no checkpoint.
    """
    if material.targets is None:
        raise RunError(f"{workdir} is a run without a regressor")
    variables = newest_state(workdir, material).discriminator.variables
    apply = jax.jit(lambda *arrays: material.discriminator.apply(variables, *arrays)[1])

    def predict(showers):
        arrays = training_arrays(showers, material.transform)
        return mapped(apply, CHUNK, *(arrays[name] for name in ("cells", "momentum", "point")))

    return predict
