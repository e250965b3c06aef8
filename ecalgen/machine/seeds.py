"""Random keys from whole numbers: a seed of 64 bits, and numbers of showers of 63 bits."""
import operator

import jax
import jax.numpy as jnp
import numpy as np

from ecalgen.errors import UserError
from ecalgen.machine.records import shown

WORD = 2**32
SEEDS = 2**64
"""Seeds are below it."""
NUMBERS = 2**63
"""Numbers of showers are below it."""
HIGH = 2**31
"""Added to the high word of a shower's number, which so differs from any small number folded into a key."""


def make_key(seed):
    """The key of a seed; different seeds have different keys.

    Args:
      seed: whole number from 0 to 2^64 - 1; below 2^32, the key is `jax.random.key(seed)`.

    Raises:
      UserError: any other seed.
    """
    return jax.random.wrap_key_data(words(whole("seed", seed, SEEDS)), impl="threefry2x32")


def check_first(first, count):
    """The number of the first of `count` showers as an int.

    Raises:
      UserError: a first or last number that is no whole number from 0 to 2^63 - 1.
    """
    first = whole("first", first, NUMBERS)
    if first + count > NUMBERS:
        raise UserError(f"first is {first}, and the last of {count} showers is beyond 2^63 - 1; give a smaller number")
    return first


def whole(name, value, end):
    """A whole number of at least 0 and below `end` as an int; NumPy's are, bool and float are not.

    Raises:
      UserError: any other value; the message calls it `name`.
    """
    try:
        number = -1 if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number < end:
        raise UserError(f"{name} is {shown(repr(value))}; give a whole number from 0 to "
                        f"2^{end.bit_length() - 1} - 1")
    return number


def words(number):
    """The high and the low word of a number: uint32 `[2]`."""
    return np.array(divmod(number, WORD), np.uint32)


def shower_keys(key, count, first):
    """The keys of `count` showers; the key of shower i depends only on `key` and `first + i`.

    Args:
      first: number of the first shower, below 2^31, or its `words`.
    """
    first = jnp.asarray(first)
    high, low = (0, first) if first.ndim == 0 else first
    start = jnp.asarray(low).astype(jnp.uint32)
    low = start + jnp.arange(count, dtype=jnp.uint32)
    high = jnp.asarray(high).astype(jnp.uint32) + (low < start).astype(jnp.uint32)
    return jax.vmap(lambda high, low: _shower_key(key, high, low))(high, low)


def _shower_key(key, high, low):
    near = jax.random.fold_in(key, low)
    return jnp.where(high > 0, jax.random.fold_in(near, high + jnp.uint32(HIGH)), near)
