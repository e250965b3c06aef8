"""A Dask cluster on this machine for the tests, whose workers may be killed."""
import asyncio
import contextlib
import os
import pathlib
import queue
import signal
import threading

import distributed
from tornado.ioloop import IOLoop

ROOT = pathlib.Path(__file__).parents[2]


@contextlib.contextmanager
def workers(count=2):
    """(address of the scheduler, a function that kills the worker which runs a task right now)."""
    with event_loop() as loop, distributed.LocalCluster(
            n_workers=count, threads_per_worker=1, dashboard_address=":0", loop=loop,
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'helpers'}"}) as cluster:
        yield cluster.scheduler_address, lambda: _kill_one(cluster.scheduler_address)


@contextlib.contextmanager
def event_loop():
    """An event loop in a thread; the one that Dask starts has to run within ten seconds, too few on a busy machine."""
    started = queue.Queue()

    async def run():
        stop = asyncio.Event()
        started.put((IOLoop.current(), stop))
        await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    loop, stop = started.get()
    try:
        yield loop
    finally:
        loop.add_callback(stop.set)
        thread.join()


def die():
    """A task that takes its worker with it."""
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_one(address):
    with distributed.Client(address) as client:
        busy = [worker for worker, tasks in client.processing().items() if tasks]
        pids = client.run(os.getpid, workers=busy[:1])
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
