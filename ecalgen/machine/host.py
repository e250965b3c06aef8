"""The process in which JAX runs: its memory, its compiled programs and what it prints."""
import contextlib
import ctypes
import os
import pathlib
import platform
import sys
import time
import warnings
import zlib

import jax
import numpy as np
from absl import logging
from jax.experimental import multihost_utils
from jax.experimental.compilation_cache import compilation_cache
from threadpoolctl import threadpool_info, threadpool_limits
from tqdm import tqdm

from ecalgen.errors import UserError

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX, M_ARENA_MAX = -1, -2, -4, -8
"""Options of glibc's mallopt, from its malloc.h."""
WARM = "warm"
"""In the folder of compiled programs: a file that says that `ecalgen warmup` has filled it."""
LOAD_SECONDS = 60
"""Time over which the system averages the first load of `os.getloadavg`."""
STARTED = time.monotonic()
"""Time at which this module was imported, taken as the start of the process."""


def set_up():
    """Prepare a process for training and evaluation; call it before anything is computed.

    XLA on a CPU allocates its work space anew at every step, and glibc by default returns it to the system each time.
    With one arena that is kept, steps of a small network are up to 30 % faster. Compiled programs are cached on disk,
    in `$JAX_COMPILATION_CACHE_DIR` or a folder of this kind of processor in `~/.cache/ecalgen`, so that a rerun starts
    in seconds. Libraries log only warnings and errors.
    """
    logging.set_verbosity(logging.WARNING)
    warnings.formatwarning = lambda message, category, *_: f"warning: {message}\n"  # without a line of our source
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library other than glibc
            mallopt = ctypes.CDLL("libc.so.6").mallopt
            for option, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 2**27), (M_ARENA_MAX, 1)):
                mallopt(option, value)
    keep_programs()


def keep_programs():
    """Keep compiled programs in `program_folder()`, and take from there those that an earlier process compiled."""
    compilation_cache.reset_cache()  # JAX decides at the first program of a process whether and where it keeps any
    jax.config.update("jax_compilation_cache_dir", str(program_folder()))
    if "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)


def program_folder():
    """The folder of compiled programs: `$JAX_COMPILATION_CACHE_DIR`, or one of this kind of processor."""
    return pathlib.Path(os.environ.get("JAX_COMPILATION_CACHE_DIR") or
                        pathlib.Path.home() / ".cache" / "ecalgen" / processor_kind())


def use_warm_programs():
    """In a process that keeps no programs: take those of `ecalgen warmup`, if there are any on this machine."""
    if jax.config.jax_compilation_cache_dir is None and (program_folder() / WARM).exists():
        keep_programs()


def join(hosts):
    """Make this process one of several that train one run, on one host or on hosts that share a file system.

    Args:
      hosts: `auto`, where Slurm, Open MPI or a TPU pod tells JAX the processes, or `ADDRESS:PORT,PROCESSES,INDEX`:
        the address at which process 0 listens, the number of processes, and the index of this one.

    Raises:
      UserError: `hosts` has another form, or there is no such cluster.
    """
    try:
        if hosts == "auto":
            jax.distributed.initialize()
            return
        address, processes, index = hosts.split(",")
        processes, index = int(processes), int(index)
        if not (":" in address and 0 <= index < processes):
            raise ValueError(hosts)
    except ValueError as error:
        raise UserError(f"--hosts is {hosts!r}: {error}; it is auto, on a cluster that JAX knows, or "
                        "ADDRESS:PORT,PROCESSES,INDEX with an index from 0") from error
    jax.distributed.initialize(address, processes, index)


def leave():
    """Wait for all processes, and end the distributed run."""
    if jax.distributed.is_initialized():
        wait_for_all("leaving")
        jax.distributed.shutdown()


def is_first():
    """Whether this process is the one that writes, among those that train together."""
    return not jax.distributed.is_initialized() or jax.process_index() == 0


def wait_for_all(what):
    """Wait until every process has called this; `what` names the place."""
    if jax.distributed.is_initialized():
        multihost_utils.sync_global_devices(what)


def any_of_all(flag):
    """Whether the flag is true in any of the processes."""
    if not jax.distributed.is_initialized():
        return bool(flag)
    return bool(np.any(multihost_utils.process_allgather(np.bool_(bool(flag)))))


def progress(*args, disable=False, **options):
    """A tqdm bar of the first process: redrawn each second on a terminal, a line every 30 seconds in a file."""
    interval = 1 if sys.stderr.isatty() else 30
    return tqdm(*args, mininterval=interval, disable=disable or not is_first(), **options)


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def free_cores() -> int:
    """Number of the cores that this process may use and other processes leave free; at least 1.

    The load of other processes is the machine's load of the last minute without that of this process, spread evenly
    over all cores.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    others = max(0.0, load - _own_load()) / os.cpu_count()
    return max(1, round(cores() * (1 - others)))


@contextlib.contextmanager
def native_threads():
    """Limit the threads of OpenMP to the free cores while the context lasts; a lower limit is kept.

    OpenMP threads spin while they wait for each other, so a fit of boosted trees takes many times longer where cores
    are shared. The number of BLAS threads does not change, since the last digits of sums depend on it.
    """
    limits = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"]
    with threadpool_limits(min([free_cores(), *limits]), user_api="openmp"):
        yield


def _own_load():
    """Number of cores that this process has kept busy, as it enters the load of the last minute."""
    return time.process_time() / max(LOAD_SECONDS, time.monotonic() - STARTED)


def processor_kind():
    """A name shared by processors of the same instruction set: a program compiled for one may not run on another."""
    flags = processor_field("flags", "Features") or platform.processor()
    return f"{platform.machine()}-{zlib.crc32(flags.encode()):08x}"


def processor_field(*names):
    """The first line of Linux's `/proc/cpuinfo` that starts with one of these names; None elsewhere."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line for line in lines if line.startswith(names)), None)
