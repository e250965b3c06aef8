"""Training showers that do not fit a device: blocks of a data set of TFDS, in an order that Grain shuffles."""
from collections.abc import Sequence

import numpy as np

from ecalgen.data.grid import Grid
from ecalgen.data.showers import KEYS, Showers
from ecalgen.errors import UserError


class Stream:
    """An endless sequence of blocks of showers; every shower comes once before any of them comes again.

    Block `b` depends only on the seed and b, so that a resumed run gets the same blocks.

    Args:
      records: a random-access data source of TFDS, of mappings with the fields of `Showers`.
      seed: of the order.
      size: showers in a block.
      grid: of the cells.

    Raises:
      UserError: Grain is not installed.
    """

    def __init__(self, records: Sequence, seed: int, size: int, grid: Grid):
        grain = import_grain()
        self.size, self._records, self._grid = size, records, grid
        self._order = grain.MapDataset.range(len(records)).seed(seed).shuffle().repeat().batch(size)

    def __len__(self):
        """Number of different showers."""
        return len(self._records)

    def block(self, index: int) -> Showers:
        """Showers number `index * size` to `(index + 1) * size - 1` of the sequence."""
        return read_records(self._records, self._order[index].tolist(), self._grid)


def import_grain():
    """The module `grain`, or a UserError when it is not installed."""
    try:
        import grain
    except ImportError as error:
        raise UserError("showers that do not fit the device stream through Grain; pip install 'ecalgen[stream]', "
                        "or let more of them onto it with --config.data.on_device=N") from error
    return grain


def read_records(records: Sequence, rows: Sequence[int], grid: Grid) -> Showers:
    """These rows of a random-access data source of TFDS."""
    found = records.__getitems__(rows)
    return Showers(**{field: np.stack([record[field] for record in found]) for field in KEYS}, grid=grid)
