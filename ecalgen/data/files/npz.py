"""npz files, read and written block by block: a zip of one .npy file for each column."""
import contextlib
import functools
import math
import os
import pathlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ecalgen.data.showers import BadShowers, Header

LONGEST = 4 * 10**7
"""Bytes of the longest text that is read, in UTF-32."""


def headers(path: pathlib.Path, columns: Iterable[str]) -> dict[str, Header]:
    """{column: header} for those of the columns that the file holds."""
    with _members(path, columns) as members:
        return {column: member.header for column, member in members.items()}


def blocks(path: pathlib.Path, columns: Iterable[str], size: int | None = None) -> Iterator[dict[str, np.ndarray]]:
    """{column: rows} for those of the columns that the file holds, in blocks of `size` rows, or whole."""
    with _members(path, columns) as members:
        events = max((member.count for member in members.values()), default=0) or 1
        for _ in range(0, events, size or events):
            yield {column: member.take(size) for column, member in members.items()}


def text(path: pathlib.Path, name: str) -> str | None:
    """A text that `writing` got; None if there is none of that name."""
    with _members(path, (name,)) as members:
        if name not in members:
            return None
        (shape, dtype), member = members[name].header, members[name]
        if shape or dtype.kind != "U" or dtype.itemsize > LONGEST:
            raise BadShowers(f"{path}: {name} is not one text of at most {LONGEST // 4:,} characters; write the "
                             "file again")
        return str(member.take(None))


def names(path: pathlib.Path) -> list[str]:
    """The columns that the file holds, and its texts."""
    with zipfile.ZipFile(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


@contextlib.contextmanager
def _members(path, columns):
    """{column: open member} for those of the columns that the file holds."""
    with contextlib.ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(path))
        _check_list(path, archive)
        names = archive.namelist()
        for column in columns:
            if names.count(f"{column}.npy") > 1:
                raise BadShowers(f"{path}: {column} is in the file {names.count(f'{column}.npy')} times; write it once")
        for info in archive.infolist():  # a name that was damaged in one of its two places is found here
            with contextlib.suppress(RuntimeError):  # what is encrypted may be no column
                archive.open(info).close()
        yield {column: _Member(archive, column, stack) for column in columns if f"{column}.npy" in names}


@contextlib.contextmanager
def writing(path: pathlib.Path, texts: dict[str, str]) -> Iterator[Callable]:
    """Yields a function that appends {column: rows}; the file is made when the block ends without a fault.

    `texts` lie beside the columns, each under its name.

    A zip takes one member after the other, so the columns wait uncompressed in unnamed files beside it.
    """
    with contextlib.ExitStack() as stack:
        raw = {}
        yield functools.partial(_append, raw, lambda: stack.enter_context(tempfile.TemporaryFile(dir=path.parent)))
        with zipfile.ZipFile(path, "x") as archive:
            for column, (file, dtype, shape) in raw.items():
                file.seek(0)
                _write_member(archive, column, file, dtype, shape)
            for name, content in texts.items():
                with archive.open(_info(name), "w") as member:
                    np.lib.format.write_array(member, np.array(content), allow_pickle=False)


def _check_list(path, archive):
    """Raise a fault where the list of members is not as long as its end says, since a damage could hide a column."""
    with open(path, "rb") as file:
        file.seek(-22 - len(archive.comment), os.SEEK_END)
        count = int.from_bytes(file.read(12)[10:], "little")
    if count not in (len(archive.infolist()), 0xFFFF):  # the latter in zips with another end
        raise zipfile.BadZipFile(f"{count} members are announced and {len(archive.infolist())} listed")


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
            self._check_size(archive.getinfo(f"{column}.npy").file_size - self._stream.tell())
        self._by_rows, self._whole = self._shape and not fortran, None
        self.header = Header(self._shape, self._dtype)
        self.count = self._shape[0] if self._shape else 0

    def take(self, size):
        """The next `size` rows, or what is left; a column without rows comes as it is."""
        start, self._start = self._start, self.count if size is None else min(self._start + size, self.count)
        with self._named_faults():
            if self._by_rows:
                return self._read_rows(self._start - start)
            self._whole = self._read_whole() if self._whole is None else self._whole
            return self._whole[start:self._start] if self._shape else self._whole

    def _check_size(self, size):
        """Compare what the header of the array says with the bytes that the zip says."""
        if min(self._shape, default=0) < 0 or math.prod(self._shape) * self._dtype.itemsize != size:
            shape = f"{list(self._shape)}"[:60]
            raise ValueError(f"its header says shape {shape}, which does not fit its {size:,} bytes")

    def _read_rows(self, count):
        shape = (count, *self._shape[1:])
        size = self._dtype.itemsize * math.prod(shape)
        rows = np.frombuffer(self._stream.read(size), self._dtype).reshape(shape)
        if self._start == self.count:
            self._stream.read(1)  # reading on to the end verifies the checksum
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
