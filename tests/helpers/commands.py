"""Commands in processes of their own, forked from one that has imported what all of them need.

An import takes some seconds of CPU time, which every command would spend again.
"""
import atexit
import multiprocessing
import os
import pathlib
import runpy
import sys
import tempfile
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parents[2]
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["ecalgen.runs"])


class Done(NamedTuple):
    """How a command ended, and what it wrote to both of its outputs."""

    returncode: int
    output: str


class Running:
    """A command at the root of the clone: `python -m MODULE ARGUMENTS`, or `python FILE.py ARGUMENTS`.

    Args:
      what: the module or the file.
      arguments: of the command.
      devices: how many devices JAX sees.
    """

    def __init__(self, what, *arguments, devices=1):
        self._output = tempfile.NamedTemporaryFile()
        self._process = SERVER.Process(
            target=_run, args=(str(what), [*map(str, arguments)], self._output.name, devices), daemon=True)
        self._process.start()

    def poll(self):
        """The exit code, negative after a signal that ended it; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number):
        os.kill(self._process.pid, number)

    def finished(self, timeout=400):
        """How it ended.

        Raises:
          AssertionError: it still runs after so many seconds.
        """
        self._process.join(timeout)
        output = pathlib.Path(self._output.name).read_text(encoding="utf-8", errors="replace")
        assert self.poll() is not None, output[-3000:]
        return Done(self.poll(), output)


def command(what, *arguments, check=True):
    """Run the command of `Running` to its end.

    Raises:
      AssertionError: it fails, unless `check` is False.
    """
    done = Running(what, *arguments).finished()
    assert not check or done.returncode == 0, done.output[-3000:]
    return done


def _run(what, arguments, output, devices):
    """As the interpreter runs a command, in this process."""
    written = os.open(output, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(written, stream)
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    os.environ |= {"XLA_FLAGS": flags, "PYTHONPATH": str(ROOT)}
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    sys.argv = [what, *arguments]
    try:
        if what.endswith(".py"):
            runpy.run_path(what, run_name="__main__")
        else:
            runpy.run_module(what, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # a forked process would leave them out
