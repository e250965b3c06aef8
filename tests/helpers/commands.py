"""The package's commands in processes of their own, forked from one that has imported what all of them need.

An import takes some seconds of CPU time, which every command would spend again.
"""
import atexit
import functools
import json
import os
import pathlib
import subprocess
import sys
import traceback
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parents[2]


class Done(NamedTuple):
    """How a command ended, and what it wrote to both of its outputs."""

    returncode: int
    stdout: str


def command(module, *arguments, check=True):
    """Run `python -m MODULE ARGUMENTS` at the root of the clone.

    Raises:
      AssertionError: it fails, unless `check` is False.
    """
    server = _server()
    server.stdin.write(json.dumps([module, *map(str, arguments)]) + "\n")
    server.stdin.flush()
    done = Done(*json.loads(server.stdout.readline()))
    assert not check or done.returncode == 0, done.stdout[-3000:]
    return done


@functools.cache
def _server():
    process = subprocess.Popen([sys.executable, __file__], cwd=ROOT, text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)})
    atexit.register(process.communicate)
    return process


def serve():
    """Read a command a line, run it in a fork, and answer with how it ended."""
    import ecalgen.runs  # noqa: F401
    for line in sys.stdin:
        read, write = os.pipe()
        if child := os.fork():
            os.close(write)
            with os.fdopen(read, encoding="utf-8", errors="replace") as pipe:
                said = pipe.read()
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            print(json.dumps([code, said]), flush=True)
        else:
            _run(*json.loads(line), output=write)


def _run(module, *arguments, output):
    """As `python -m` runs it, then end this process."""
    import runpy
    for stream in (1, 2):
        os.dup2(output, stream)
    code, sys.argv = 1, ["", *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as error:
        code = error.code or 0
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:  # noqa: BLE001  as the interpreter does at its top
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
