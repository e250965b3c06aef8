"""The process that JAX runs in: how it keeps its memory and its compiled programs."""
import contextlib
import ctypes
import os
import pathlib
import sys

import jax

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX, M_ARENA_MAX = -1, -2, -4, -8
"""Options of glibc's mallopt, from its malloc.h."""


def set_up():
    """Prepare a process for training and evaluation; call it before anything is computed.

    XLA on CPU takes its work space anew at every step, and glibc by default pages it in and out each time;
    kept in one arena, the steps of a small network are up to 30 % faster. Compiled programs are cached on
    disk, in `$JAX_COMPILATION_CACHE_DIR` or `~/.cache/ecalgen`, so that a rerun starts in seconds.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library other than glibc
            mallopt = ctypes.CDLL("libc.so.6").mallopt
            for option, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 2**27), (M_ARENA_MAX, 1)):
                mallopt(option, value)
    cache = os.environ.get("JAX_COMPILATION_CACHE_DIR") or pathlib.Path.home() / ".cache" / "ecalgen"
    jax.config.update("jax_compilation_cache_dir", str(cache))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
