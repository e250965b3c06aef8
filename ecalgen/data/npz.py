"""npz files, read and written block by block: a zip of one .npy file for each column."""
import contextlib
import functools
import pathlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator

import numpy as np

from ecalgen.data.showers import BadShowers

PROVENANCE = "Provenance"


def count(path: pathlib.Path, column: str) -> int | None:
    """The rows of a column, None when there is no such."""
    with contextlib.ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(path))
        return _Member(archive, column, stack).count if f"{column}.npy" in archive.namelist() else None


def blocks(path: pathlib.Path, columns: tuple[str, ...], size: int | None = None) -> Iterator[dict[str, np.ndarray]]:
    """{column: rows} for those of the columns that the file holds, `size` rows at a time, or all at once."""
    with contextlib.ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(path))
        present = [column for column in columns if f"{column}.npy" in archive.namelist()]
        members = {column: _Member(archive, column, stack) for column in present}
        events = max((member.count for member in members.values()), default=0) or 1
        for _ in range(0, events, size or events):
            yield {column: member.take(size) for column, member in members.items()}


def provenance(path: pathlib.Path) -> str | None:
    """The text that `writing` was given."""
    text = next(blocks(path, (PROVENANCE,))).get(PROVENANCE)
    return None if text is None else str(text)


@contextlib.contextmanager
def writing(path: pathlib.Path, provenance: str | None) -> Iterator[Callable]:
    """Gives a function that appends {column: rows}; the file is made when the block ends without a fault.

    A zip takes one member after the other, so the columns wait uncompressed in unnamed files beside it.
    """
    with contextlib.ExitStack() as stack:
        raw = {}
        yield functools.partial(_append, raw, lambda: stack.enter_context(tempfile.TemporaryFile(dir=path.parent)))
        with zipfile.ZipFile(path, "x") as archive:
            for column, (file, dtype, shape) in raw.items():
                file.seek(0)
                _write_member(archive, column, file, dtype, shape)
            if provenance is not None:
                with archive.open(_info(PROVENANCE), "w") as member:
                    np.lib.format.write_array(member, np.array(provenance), allow_pickle=False)


def _append(raw, new_file, columns):
    for column, rows in columns.items():
        file, dtype, shape = raw.get(column) or (new_file(), rows.dtype, (0, *rows.shape[1:]))
        file.write(np.ascontiguousarray(rows))
        raw[column] = file, dtype, (shape[0] + len(rows), *shape[1:])


def _write_member(archive, column, file, dtype, shape):
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with archive.open(_info(column, compact=dtype == np.float16), "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, header)
        shutil.copyfileobj(file, member, 1 << 20)


def _info(column, compact=False):
    """Compressed, and dated 1980 as `ZipInfo` is, so that equal showers give equal files.

    LZMA makes float16 cells smaller than deflate does, and takes longer: it is for files that are written once.
    """
    info = zipfile.ZipInfo(f"{column}.npy")
    info.compress_type = zipfile.ZIP_LZMA if compact else zipfile.ZIP_DEFLATED
    return info


class _Member:
    """One column of an open archive, read in order until the stack closes; never a pickle."""

    def __init__(self, archive, column, stack):
        self._archive, self._column, self._start = archive, column, 0
        with self._named_faults():
            self._stream = stack.enter_context(archive.open(f"{column}.npy"))
            version = np.lib.format.read_magic(self._stream)
            read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            self._shape, fortran, self._dtype = read_header[version](self._stream)
            if self._dtype.hasobject:
                raise ValueError("it holds Python objects")
            self._whole = self._read_whole() if fortran or not self._shape else None
        self.count = self._shape[0] if self._shape else 0

    def take(self, size):
        """The next `size` rows, or what is left; a column without rows comes as it is."""
        start, self._start = self._start, self.count if size is None else min(self._start + size, self.count)
        if self._whole is not None:
            return self._whole[start:self._start] if self._shape else self._whole
        with self._named_faults():
            return self._read_rows(self._start - start)

    def _read_rows(self, count):
        shape = (count, *self._shape[1:])
        size = self._dtype.itemsize * int(np.prod(shape, dtype=object))
        rows = np.frombuffer(self._stream.read(size), self._dtype).reshape(shape)
        if self._start == self.count and self._stream.read(1):  # reading on to the end verifies the checksum
            raise ValueError("it is longer than its header says")
        return rows

    def _read_whole(self):
        """An array that is not stored row by row."""
        with self._archive.open(f"{self._column}.npy") as stream:
            array = np.lib.format.read_array(stream, allow_pickle=False)
            stream.read()
        return array

    @contextlib.contextmanager
    def _named_faults(self):
        try:
            yield
        except Exception as error:
            raise BadShowers(f"{self._archive.filename}: {self._column} cannot be read ({error}); write it as a plain "
                             "float array, or copy the file again if it was damaged on the way") from error
