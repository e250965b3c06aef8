"""One process at a time in the folder of a run."""
import contextlib
import datetime
import errno
import functools
import json
import os
import pathlib
import socket
import threading
import warnings

from ecalgen.errors import UserError
from ecalgen.machine.files import writing_to
from ecalgen.machine.host import is_first
from ecalgen.machine.records import COUNT, TEXT, RecordError, read_record

try:
    import fcntl
except ImportError:  # there is none on Windows
    fcntl = None

NAME = ".lock"
HOLDER = {"host": TEXT, "process": COUNT, "since": TEXT}
NOT_THERE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""Errors of a file system without locks."""
_held = set()
"""(folder, thread) of the locks that this process holds."""


class LockError(UserError):
    """Another process works in the folder; the message says which."""


def alone(function):
    """Make `function(config, workdir, ...)` hold the lock of its workdir.

    A workdir that does not exist yet is not locked; `prepare` makes it.
    """

    @functools.wraps(function)
    def locked_function(config, workdir, *args, **kwargs):
        with locked(workdir) if pathlib.Path(workdir).is_dir() else contextlib.nullcontext():
            return function(config, workdir, *args, **kwargs)

    return locked_function


@contextlib.contextmanager
def locked(workdir):
    """Hold the lock of a run's folder; a thread that holds it may take it again.

    The lock is `flock` on `workdir/.lock`. The operating system releases it when the process ends. Of several processes
    that train together, the first holds it.

    Raises:
      LockError: another process or thread holds it.
    """
    held = pathlib.Path(workdir).resolve(), threading.get_ident()
    if held in _held or not is_first():
        yield
        return
    with open_lock(pathlib.Path(workdir) / NAME):
        _held.add(held)
        try:
            yield
        finally:
            _held.discard(held)


@contextlib.contextmanager
def open_lock(path):
    """Hold the lock file open and locked, with a record of this process in it."""
    with contextlib.ExitStack() as stack:
        with writing_to(path):
            file = stack.enter_context(open(path, "a", encoding="utf-8"))
        _take(file, path)
        record = {"host": socket.gethostname(), "process": os.getpid(),
                  "since": datetime.datetime.now(datetime.UTC).isoformat(sep=" ", timespec="seconds")}
        with writing_to(path):
            file.truncate(0)
            file.write(json.dumps(record))
            file.flush()
        yield


def _take(file, path):
    """Lock the open file, or warn where the file system has no locks."""
    try:
        if fcntl is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockError(f"{path.parent} is in use by {_holder(path)}; wait until it ends, or name another --workdir"
                        ) from None
    except OSError as error:
        if error.errno not in NOT_THERE:
            raise
        warnings.warn(f"the file system of {path.parent} has no locks ({error.strerror}); make sure that no other "
                      "process works there", stacklevel=2)


def _holder(path):
    """The process that holds the lock, as a phrase."""
    try:
        record = read_record(path, HOLDER)
    except RecordError:
        return "another process"
    return f"process {record['process']} on {record['host']} since {record['since']}"
