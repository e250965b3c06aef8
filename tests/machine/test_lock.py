"""One process at a time in a run's folder."""
import concurrent.futures
import contextlib
import errno
import os
import pathlib
import subprocess
import sys

import pytest

from ecalgen.machine import host, lock

HOLD = """\
import sys
from ecalgen.machine.lock import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def another_process(workdir):
    """A process that holds the lock until the block ends."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, workdir], cwd=pathlib.Path(__file__).parents[2], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_process_is_told_who_holds_it_and_a_dead_one_is_no_obstacle(tmp_path):
    with another_process(tmp_path) as holder:
        with pytest.raises(lock.LockError, match=f"{tmp_path} is in use by process {holder.pid} on .+ since 20"):
            with lock.locked(tmp_path):
                pass
    with lock.locked(tmp_path):  # its file is still there
        assert (tmp_path / ".lock").exists()


def test_one_thread_may_take_it_again_and_another_may_not(tmp_path):
    take = lock.alone(lambda config, workdir: "done")
    with lock.locked(tmp_path), concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert take(None, tmp_path) == "done" and take(None, tmp_path / "new") == "done"
        with pytest.raises(lock.LockError, match=f"process {os.getpid()} on"):
            pool.submit(take, None, tmp_path).result()
    assert take(None, tmp_path) == "done" and not (tmp_path / "new").exists()


def test_after_an_error_it_is_free(tmp_path):
    with pytest.raises(KeyError):
        with lock.locked(tmp_path):
            raise KeyError
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: lock.alone(lambda config, workdir: None)(None, tmp_path)).result()


def test_a_file_system_without_locks_gives_a_warning(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", none)
    with pytest.warns(UserWarning, match="has no locks .No locks available.; make sure that no other process"):
        with lock.locked(tmp_path):
            pass


def test_of_several_hosts_the_first_takes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "is_first", lambda: False)
    assert host.is_first()
    with lock.locked(tmp_path):
        assert not (tmp_path / ".lock").exists()
