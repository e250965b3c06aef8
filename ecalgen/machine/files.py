"""Whole-or-nothing writes: a file holds all of its new content, or stays as it was."""
import contextlib
import os
import pathlib
import uuid

from ecalgen.errors import UserError


class WriteError(UserError):
    """A file that cannot be written; the message says which and what to do."""


def write_bytes(path, content):
    """Write bytes into a file of an existing folder, whole or not at all.

    Raises:
      WriteError: the disk is full, or the folder cannot be written to.
    """
    with writing_to(path), replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path, text):
    """Write text as UTF-8, as `write_bytes` does."""
    write_bytes(path, text.encode())


@contextlib.contextmanager
def replacing(path):
    """Yield the path of a temporary file beside `path`, which replaces `path` when the block ends without an error.

    The name of the temporary file is new each time, so that several processes may write the same file. The file gets
    the permissions of an ordinary new file, unlike those of `tempfile`.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.name[:60]}.{uuid.uuid4().hex}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def writing_to(path):
    """Turn an `OSError` of the block into a `WriteError` that names the path."""
    try:
        yield
    except OSError as error:
        raise WriteError(f"{path} cannot be written ({error.strerror or error}); free space there, or make it "
                         "writable, and give the same command again") from error
