"""A Dask cluster on this machine for the tests, whose workers may be killed."""
import contextlib
import os
import pathlib
import signal

import distributed

ROOT = pathlib.Path(__file__).parents[2]


@contextlib.contextmanager
def workers(count=2):
    """(address of the scheduler, a function that kills the worker which runs a task right now)."""
    with distributed.LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0",
                                  env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}) as cluster:
        yield cluster.scheduler_address, lambda: _kill_one(cluster.scheduler_address)


def die():
    """A task that takes its worker with it."""
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_one(address):
    with distributed.Client(address) as client:
        busy = [worker for worker, tasks in client.processing().items() if tasks]
        pids = client.run(os.getpid, workers=busy[:1])
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
