"""What a step of a GAN minimises: the losses by name, their weights, and the rhythm of the updates."""
import dataclasses

from ecalgen.training.losses import find_losses

READ = ("batch_size", "discriminator_steps", "loss", "r1", "r1_every", "gradient_penalty", "ema", "r2", "energy_score")
"""Fields of `config.train` that the objective takes as they are."""


@dataclasses.dataclass(frozen=True)
class Objective:
    """What a step of a GAN minimises.

    L_D + r1 R_1 + r2 R_2 + gradient_penalty GP + L_reg of the discriminator, and L_G + L_reg + energy_score ES of the
    generator. A term whose weight is 0 or None is absent.

    Args:
      batch_size: showers a step on all devices together.
      discriminator_steps: updates of the discriminator a step.
      loss: a name of `losses.LOSSES`, or `module:name` of a user's own.
      r1: weight of `losses.slope_penalty` at real showers.
      r1_every: steps from one R_1 or R_2 to the next. Both are multiplied by this number (Karras et al. 2020,
        arXiv:1912.04958, appendix B).
      gradient_penalty: weight of `losses.gradient_penalty`, at mixes of real and generated showers.
      ema: decay of the generator's average a step, reached after a warm-up: min(ema, (1 + t) / (10 + t)).
      weights: alpha_k of the K outputs of a regressor that is trained with the discriminator (multi-task).
      steering: K weights, in the generator's loss, of a regressor's error on generated showers.
      r2: weight of `losses.slope_penalty` at generated showers.
      energy_score: weight of `losses.energy_score`, of the features that `Networks.features` makes. The generator then
        makes two showers of each particle, and takes half as many particles a step.
    """

    batch_size: int
    discriminator_steps: int
    loss: str
    r1: float
    r1_every: int
    gradient_penalty: float
    ema: float
    weights: tuple[float, ...] | None = None
    steering: tuple[float, ...] | None = None
    r2: float = 0.0
    energy_score: float = 0.0

    @property
    def losses(self):
        """The losses of discriminator and generator."""
        return find_losses(self.loss)

    @property
    def repeats(self):
        """How many showers of each particle the generator makes in its own update."""
        return 2 if self.energy_score else 1


def objective_of(config, targets=None, multitask=False):
    """The objective of a GAN stage.

    Args:
      config: of the run; its sections `train` and `regressor` are read.
      targets: the `Targets` of its regressor; None without one.
      multitask: whether the regressor is trained with the discriminator.
    """
    steering = config.regressor.get("steering")
    return Objective(**{name: config.train[name] for name in READ},
                     weights=weighed(targets.weights) if multitask else None,
                     steering=weighed(steering * targets.weights) if steering else None)


def weighed(weights):
    """An array of weights as the tuple of an `Objective`."""
    return tuple(map(float, weights))
