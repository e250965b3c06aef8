"""Setting up a process: the compilation cache is used, in a process of its own."""
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from ecalgen.machine import host
from ecalgen.machine.host import processor_kind


def openmp_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"}


@pytest.mark.parametrize("load, own, allowed, expected", [
    (0.0, 0.0, 8, 8), (4.0, 0.0, 8, 4), (15.0, 0.0, 8, 1), (6.0, 2.0, 8, 4), (1.0, 2.0, 8, 8), (4.0, 0.0, 2, 1),
    (2.0, 0.0, 2, 2), (8.0, 8.0, 1, 1)])
def test_free_cores_are_those_that_others_leave(monkeypatch, load, own, allowed, expected):
    """Of a machine of eight cores."""
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(host, "cores", lambda: allowed)
    monkeypatch.setattr(host, "_own_load", lambda: own)
    assert host.free_cores() == expected


def test_a_process_that_just_began_is_no_load(monkeypatch):
    """The load of the last minute knows a tenth of a process that has used both its cores for six seconds."""
    monkeypatch.setattr(host.time, "process_time", lambda: 12.0)
    monkeypatch.setattr(host.time, "monotonic", lambda: host.STARTED + 6)
    assert host._own_load() == pytest.approx(0.2)
    monkeypatch.setattr(host.time, "monotonic", lambda: host.STARTED + 120)
    assert host._own_load() == pytest.approx(0.1)


def test_threads_of_openmp_are_limited_and_given_back(monkeypatch):
    monkeypatch.setattr(host, "free_cores", lambda: 2)
    with threadpool_limits(3, user_api="openmp"):
        with host.native_threads():
            assert openmp_threads() == {2}
        assert openmp_threads() == {3}
    with threadpool_limits(1, user_api="openmp"), host.native_threads():
        assert openmp_threads() == {1}  # a lower limit of the user's stays


def test_boosted_trees_do_not_depend_on_the_threads():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3000, 5))
    labels = (rows[:, 0] + rng.normal(size=3000) > 0).astype(int)
    scores = []
    for threads in (1, 3):
        with threadpool_limits(threads, user_api="openmp"):
            trees = HistGradientBoostingClassifier(max_iter=5, early_stopping=False, random_state=0)
            scores.append(trees.fit(rows, labels).predict_proba(rows))
    np.testing.assert_array_equal(*scores)


def test_compiled_programs_are_kept_and_warnings_are_one_line(tmp_path):
    code = ("from ecalgen.machine import host; host.set_up(); import warnings; warnings.warn('mind this'); "
            "import jax, jax.numpy as jnp; "
            "jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.0); "
            "print(float(jax.jit(lambda x: jnp.sin(x) @ x)(jnp.ones((8, 8)))[0, 0]))")
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("6.73")  # 8 sin(1)
    assert any((tmp_path / "cache").iterdir()) and done.stderr == "warning: mind this\n"


def test_the_kind_of_processor_is_a_folders_name():
    assert re.fullmatch(r"[\w-]+-[0-9a-f]{8}", processor_kind()) and processor_kind() == processor_kind()
