"""The showers that a stage draws from: all of them on the devices, or one block of a stream at a time."""
import concurrent.futures
from collections.abc import Callable

import jax

from ecalgen.training import parallel


def feed(data, batch_size: int, per_call: int) -> Callable[[int], dict]:
    """The function step -> training arrays on the devices, from which that step draws.

    Args:
      data: the arrays of all showers, or an `ArrayBlocks`.
      batch_size: showers a step.
      per_call: steps a call; blocks change only between calls.
    """
    if isinstance(data, dict):
        resident = parallel.replicate(data)
        return lambda step: resident
    calls = max(1, round(data.size / batch_size / per_call))
    return _Prefetched(data, calls * per_call)


class ArrayBlocks:
    """The training arrays of each block of a stream.

    Args:
      stream: of showers.
      arrays: `Showers` -> the training arrays.
    """

    def __init__(self, stream, arrays):
        self.size, self._stream, self._arrays = stream.size, stream, arrays

    def __len__(self):
        """How many different showers there are."""
        return len(self._stream)

    def __getitem__(self, index):
        """NumPy arrays of a block, so that reading ahead takes no memory of a device."""
        return jax.device_get(self._arrays(self._stream.block(index)))


class _Prefetched:
    """Returns block `step // steps`, and reads the next one in the background."""

    def __init__(self, blocks, steps):
        self._blocks, self._steps, self._index = blocks, steps, None
        self._reader, self._ahead = concurrent.futures.ThreadPoolExecutor(1), {}

    def __call__(self, step):
        index = step // self._steps
        if index != self._index:
            future = self._ahead.pop(index, None) or self._read(index)
            self._held, self._index = parallel.replicate(future.result()), index
            self._ahead = {index + 1: self._read(index + 1)}
        return self._held

    def _read(self, index):
        return self._reader.submit(self._blocks.__getitem__, index)
