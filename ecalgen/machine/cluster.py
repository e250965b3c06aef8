"""A cluster of Dask workers, on any batch system, for long work."""
import concurrent.futures
import contextlib
import pathlib
from collections.abc import Iterator

from ecalgen.errors import UserError

PATIENCE = 30
"""Seconds after which a scheduler that does not answer is an error."""


class ClusterError(UserError):
    """A cluster that cannot be reached, or whose workers keep dying; the message says what to do."""


@contextlib.contextmanager
def connect(scheduler: str) -> Iterator:
    """A `distributed.Client` of a running scheduler.

    A task whose worker dies is given to another worker; after the deaths of three workers it is an error.

    Args:
      scheduler: its address, such as tcp://host:8786, or the JSON file that holds it (`--scheduler-file`).

    Raises:
      ClusterError: Dask is not installed, there is no such file, nothing answers, or the workers of a task keep dying.
    """
    try:
        import distributed
    except ImportError as error:
        raise ClusterError("--scheduler needs Dask: pip install 'ecalgen[dask]'") from error
    file = scheduler.endswith(".json")
    if file and not pathlib.Path(scheduler).exists():
        raise ClusterError(f"there is no {scheduler}; start a scheduler first, with dask scheduler "
                           f"--scheduler-file={scheduler}")
    try:
        client = distributed.Client(timeout=PATIENCE, **{"scheduler_file" if file else "address": scheduler})
    except (OSError, ValueError) as error:
        raise ClusterError(f"no Dask scheduler answers at {scheduler}: {error}") from error
    with client:
        try:
            yield client
        except distributed.KilledWorker as error:
            raise ClusterError(f"the cluster gave up a task that {error.allowed_failures + 1} workers died of; see the "
                               "workers' logs, and give them more memory or time; all that is finished is kept, and "
                               "the same command goes on from there") from error


def as_completed(futures):
    """The futures of a client in the order in which they finish, with a result or an error."""
    import distributed

    return distributed.as_completed(futures)


@contextlib.contextmanager
def make_pool(scheduler: str) -> Iterator[concurrent.futures.Executor]:
    """The cluster as an executor of the standard library; after an error here its waiting work is dropped.

    Raises:
      ClusterError: the errors of `connect`.
    """
    with connect(scheduler) as client:
        pool = client.get_executor(pure=False)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False)
            raise
