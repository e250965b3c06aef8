"""Dask: what cannot be reached is said in one line, and workers that die take nothing with them."""
import concurrent.futures
import sys

import pytest
from dask_cluster import die, workers

from ecalgen.machine.cluster import ClusterError, connect, make_pool


@pytest.mark.parametrize("scheduler, words", [
    ("tcp://127.0.0.1:1", "no Dask scheduler answers at tcp://127.0.0.1:1"),
    ("nowhere", "no Dask scheduler answers at nowhere"),
    ("missing.json", "there is no missing.json; start a scheduler first")])
def test_no_cluster(scheduler, words, monkeypatch):
    monkeypatch.setattr("ecalgen.machine.cluster.PATIENCE", 1)
    with pytest.raises(ClusterError, match=words), connect(scheduler):
        pass


def test_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'ecalgen\[dask\]'"), connect("tcp://127.0.0.1:1"):
        pass


def test_a_pool_is_an_executor_that_gives_up_deadly_work():
    with workers(1) as (address, _):
        with make_pool(address) as pool:
            results = {future.result() for future in concurrent.futures.as_completed(
                pool.submit(divmod, number, 3) for number in range(4))}
            assert results == {(0, 0), (0, 1), (0, 2), (1, 0)}
        with pytest.raises(ClusterError, match="gave up a task that 4 workers died of"), make_pool(address) as pool:
            pool.submit(die).result()
