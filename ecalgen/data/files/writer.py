"""Writing files of showers, whole or in blocks. A file appears whole or not at all."""
import contextlib
import json
import os
import pathlib

import numpy as np

from ecalgen.data.files.formats import EVENT_INDEX, GRID, PROVENANCE, format_module
from ecalgen.data.grid import grid_record
from ecalgen.data.showers import KEYS, BadShowers, Showers
from ecalgen.errors import UserError
from ecalgen.machine.files import replacing

MAX_FLOAT16 = 65504.0


def save_showers(path: str | os.PathLike, showers: Showers, provenance: dict | None = None) -> None:
    """Writes showers to a file that `load_showers` reads back bit for bit: one `append` of a `ShowerWriter`."""
    with ShowerWriter(path, provenance) as writer:
        writer.append(showers)


class ShowerWriter:
    """Writes showers block by block, for files larger than memory.

        with ShowerWriter("many.h5", provenance={"seed": 1}) as writer:
            writer.append(showers)

    The file appears whole when the block ends, and not at all when the block ends with an error. An existing file stays
    as it is until then. Folders are made as needed.

    Args:
      path: of a suffix in FORMATS.
      provenance: how they were made, kept as JSON for `load_provenance`.
      energy_dtype: `float32`, or `float16` for the smallest files: energies rounded by 0.05 %, LZMA in npz.

    Raises:
      BadShowers: for another suffix, a format that is not installed, no showers at all, or the errors of `append`.
      OSError: when the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike, provenance: dict | None = None, energy_dtype: str = "float32"):
        if energy_dtype not in ("float32", "float16"):
            raise UserError(f"energy_dtype is {energy_dtype!r}; it is one of float32, float16")
        self.path, self.energy_dtype, self.count = pathlib.Path(path), np.dtype(energy_dtype), 0
        self._texts = {} if provenance is None else {PROVENANCE: json.dumps(provenance)}
        self._indexed = self._grid = None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._write = stack.enter_context(writing(self.path, self._texts))
            stack.push(self._check_any)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *fault):
        return self._stack.__exit__(*fault)

    def append(self, showers: Showers, event_index: np.ndarray | None = None) -> None:
        """Writes more showers.

        Args:
          showers: any number of them.
          event_index: `[N]` integers, kept as the column EventIndex; of every block or of none.

        Raises:
          BadShowers: for energies that float16 cannot hold, or a faulty index.
        """
        if not isinstance(showers, Showers):
            raise BadShowers(f"{self.path}: {type(showers).__name__} cannot be appended; make ecalgen.Showers(energy, "
                             "momentum, point) of it")
        self._check_energy(showers.energy)
        self._keep_grid(showers.grid)
        columns = {column: getattr(showers, field) for field, column in KEYS.items()}
        columns[KEYS["energy"]] = showers.energy.astype(self.energy_dtype)
        self._write(columns | self._index(event_index, len(showers)))
        self.count += len(showers)

    def _keep_grid(self, grid):
        """Let the file say the grid, which must be the same for all of its showers."""
        if self._grid not in (None, grid):
            raise BadShowers(f"{self.path}: showers of {self._grid} and of {grid} cannot be in one file; write two")
        self._grid = grid
        self._texts[GRID] = json.dumps(grid_record(grid))

    def _check_energy(self, energy):
        if self.energy_dtype == np.float16 and energy.max() >= MAX_FLOAT16:
            raise BadShowers(f"{self.path}: EnergyDeposit reaches {energy.max():.6g} MeV, but float16 ends at "
                             f"{MAX_FLOAT16:.0f}; write it with energy_dtype='float32'")

    def _index(self, event_index, count):
        indexed = event_index is not None
        if self._indexed not in (None, indexed):
            raise BadShowers(f"{self.path}: {EVENT_INDEX} is given for some showers only; give it for all or for none")
        self._indexed = indexed
        if not indexed:
            return {}
        event_index = np.asarray(event_index)
        if event_index.shape != (count,) or event_index.dtype.kind not in "iu":
            raise BadShowers(f"{self.path}: {EVENT_INDEX} has shape {list(event_index.shape)} of {event_index.dtype}, "
                             f"not [{count}] of integers; give the index of each shower")
        return {EVENT_INDEX: event_index.astype(np.int64)}

    def _check_any(self, fault, *_):
        if fault is None and self.count == 0:
            raise BadShowers(f"{self.path}: no showers were written; append at least one")


@contextlib.contextmanager
def writing(path: pathlib.Path, texts: dict[str, str] | None = None):
    """Yields a function that appends {column: rows} to a new file of any known suffix, made whole or not at all.

    The `texts` lie beside the columns, each under its name.
    """
    path = pathlib.Path(path)
    module = format_module(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, module.writing(partial, {} if texts is None else texts) as write:
        yield write
