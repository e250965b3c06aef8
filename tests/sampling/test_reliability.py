"""Samplers over a long time, from many threads, and from truncated files."""
import concurrent.futures
import gc
import pathlib

import numpy as np
import pytest
from exporting import save_run

from ecalgen.sampling.sampler import load_sampler
from ecalgen.sampling.weights import WeightsError

MOMENTUM, POINT = np.array([[1.0, 2.0, 20.0], [0.0, -1.0, 40.0]]), np.array([[0.1, -0.2], [0.3, 0.4]])


@pytest.fixture
def run(tmp_path):
    """The folder of a small generator."""
    return save_run(tmp_path, "plain")


def resident():
    """Memory of this process, bytes."""
    gc.collect()
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not pathlib.Path("/proc/self/statm").exists(), reason="memory is read from /proc, as Linux has it")
def test_loading_and_sampling_again_and_again_takes_no_more_memory(run):
    used = []
    for cycle in range(120):
        assert load_sampler(run)(MOMENTUM, POINT, seed=cycle).shape == (2, 30, 30)
        if cycle in (20, 119):
            used.append(resident())
    assert used[1] - used[0] < 8e6  # one compiled program takes more than that


def test_threads_get_what_each_of_them_would_get_alone(run):
    """Through one sampler, and through samplers of their own."""
    shared = load_sampler(run)
    alone = [shared(MOMENTUM, POINT, seed=seed) for seed in range(40)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda seed: shared(MOMENTUM, POINT, seed=seed), range(40)))
        apart = list(pool.map(lambda seed: load_sampler(run)(MOMENTUM, POINT, seed=seed), range(40)))
    np.testing.assert_array_equal(alone, together)
    np.testing.assert_array_equal(alone, apart)


@pytest.mark.parametrize("length", [0, 1, 100, -1])
def test_truncated_weights_are_refused_whatever_is_left(run, length):
    path = run / "generator" / "weights.npz"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(WeightsError, match="weights.npz is damaged .* write or copy it again"):
        load_sampler(run)
