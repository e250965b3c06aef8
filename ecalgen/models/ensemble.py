"""An ensemble: each shower is made by one of several generators of one kind, drawn at random."""
import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr, ndtri


class EnsembleGenerator(nn.Module):
    """Showers of `members` generators that differ in their parameters only; each makes as many.

    All of them make every shower, and one result is kept, so that the program has one shape.

    Args:
      member: a `models.protocol.Generator`.
      members: how many.
    """

    member: nn.Module
    members: int

    def draw_noise(self, key):
        """The noise of one shower: a number of N(0, 1), which chooses the generator, and that of a generator."""
        uniform = jax.random.uniform(jax.random.fold_in(key, 1))
        return {"member": ndtri(uniform), "shower": self.member.draw_noise(key)}

    @nn.compact
    def __call__(self, noise, momentum, point, update_stats=False):
        """`noise` of `draw_noise`, `[N, ...]`; `momentum [N, 3]` GeV, `point [N, 2]` cm -> cells, `[N, ...]`."""
        chosen = jnp.minimum((ndtr(noise["member"]) * self.members).astype(jnp.int32), self.members - 1)
        makers = [self.member.clone(name=name_of(number), parent=self) for number in range(self.members)]
        cells = jnp.stack([make(noise["shower"], momentum, point, update_stats) for make in makers], axis=1)
        return jnp.take_along_axis(cells, chosen.reshape(-1, *[1] * (cells.ndim - 1)), axis=1)[:, 0]


def name_of(number):
    """Name of a member, from 0, of its parameters and of its stage."""
    return f"member{number}"
