"""A trained generator as StableHLO, for JAX and for the C++ runtimes of OpenXLA."""
import jax
import jax.numpy as jnp
from jax import export

from ecalgen.errors import UserError

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
WINDOW = ("readable by versions of JAX and StableHLO up to six months newer, and up to three weeks older "
          "(docs.jax.dev/en/latest/export/export.html, compatibility guarantees); afterwards, export again")


def to_stablehlo(function, *columns):
    """(bytes, text): a function of float32 arrays `[showers, column]`, with any number of showers.

    Args:
      function: traceable by JAX.
      *columns: number of columns of each argument.

    Returns:
      Bytes for `jax.export.deserialize`, and the StableHLO as MLIR.

    Raises:
      UserError: the extra is not installed.
    """
    (showers,) = export.symbolic_shape("showers")
    shapes = [jax.ShapeDtypeStruct((showers, count), jnp.float32) for count in columns]
    exported = export.export(jax.jit(function), platforms=PLATFORMS)(*shapes)
    try:
        return bytes(exported.serialize()), exported.mlir_module()
    except ImportError as error:
        raise UserError("writing StableHLO needs the extra: pip install 'ecalgen[export]'") from error
