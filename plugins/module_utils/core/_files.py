# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Files that are replaced as a whole or left as they were, also by a crash: a new file in the same directory, flushed,
renamed, and the directory flushed.

The functions with ``dir_fd`` work in a directory that is already open, and raise ``OSError``. All others take paths and
raise ``FileError``, whose text begins with the path.
"""

from __future__ import annotations

import contextlib
import os
import stat
import typing as t
import uuid
from pathlib import Path

from ._errors import BitbucketError

PRIVATE = 0o600
_PRIVATE_DIRECTORY = 0o700
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC

#: Completes a file before it is flushed, such as its permissions. It gets the descriptor.
Finish = t.Callable[[int], object]


class FileError(BitbucketError):
    """A file that cannot be read or may not be written, in one sentence that begins with its path."""

    reason = "file"


class MissingError(FileError):
    """There is no such file."""

    reason = "missing"


@contextlib.contextmanager
def new_file(path: str | Path, data: bytes, finish: Finish, dir_fd: int | None = None) -> t.Iterator[None]:
    """A file that did not exist, flushed to the disk. It is removed if the body of ``with`` fails.

    :raises OSError: if it cannot be created or written; then nothing is left of it.
    """
    descriptor = os.open(path, _CREATE, PRIVATE, dir_fd=dir_fd)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            finish(descriptor)
            os.fsync(descriptor)
        yield
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path, dir_fd=dir_fd)
        raise


def move(source: str | Path, target: str | Path, dir_fd: int | None = None) -> None:
    """Put a new file in place of another at once.

    :raises OSError: if that failed.
    """
    os.replace(source, target, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)


def flush_directory(path: str | Path, dir_fd: int | None = None) -> None:
    """Make sure that what was created, renamed or removed in a directory is on the disk.

    :raises OSError: if the file system cannot do that, or the directory may not be listed.
    """
    descriptor = os.open(path, _DIRECTORY, dir_fd=dir_fd)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, data: bytes, mode: int | None = None) -> None:
    """Put ``data`` in place of a file, with the owner of the file if that is permitted.

    To be called with a lock held, so that no other run uses the temporary file next to it.

    :param mode: the file's permissions; by default those it has, or private for a new one.
    """
    temporary = temporary_of(path)
    with _errors(path, "cannot be written"):
        temporary.unlink(missing_ok=True)
        with new_file(temporary, data, lambda descriptor: _take_over(descriptor, path, mode)):
            move(temporary, path)
        flush_directory(path.parent)


def replace_unlocked(path: Path, data: bytes, mode: int) -> None:
    """The same without a lock, for a new file of this user with these permissions."""
    with _errors(path, "cannot be written"):
        # Another run may write the same file: each needs a name of its own.
        temporary = path.with_name(f".{path.name[:32]}.{uuid.uuid4().hex}.tmp")
        with new_file(temporary, data, lambda descriptor: os.fchmod(descriptor, mode)):
            move(temporary, path)
        flush_directory(path.parent)


def remove(path: Path) -> None:
    """Remove a file, if it exists, and flush its directory. To be called with a lock held."""
    with _errors(path, "cannot be removed"):
        path.unlink(missing_ok=True)
        flush_directory(path.parent)


def remove_leftover(path: Path) -> None:
    """Remove the temporary file of a run that was killed while it replaced ``path``. To be called with a lock held."""
    temporary = temporary_of(path)
    with _errors(temporary, "is left of a killed run and cannot be removed"):
        temporary.unlink(missing_ok=True)


def read_text(path: Path) -> str | None:
    """The text of a file, or ``None`` if it does not exist."""
    try:
        with _errors(path, "cannot be read"), contextlib.suppress(FileNotFoundError):
            return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FileError(f"{path} is not a text file.") from None
    return None


def status_of(path: Path) -> os.stat_result | None:
    """What ``path`` leads to; ``None`` if that does not exist. A directory that may not be searched is an error."""
    with _errors(path, "cannot be looked at"), contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return path.stat()
    return None


def absolute(text: str) -> Path:
    """The absolute path that ``text`` means; relative ones start in the current directory."""
    expanded = os.path.expanduser(text)  # noqa: PTH111
    if expanded.startswith("~"):
        raise FileError(f"{text}: this machine has no user {text.partition('/')[0][1:]}.")
    return Path(expanded).absolute()


def make_directories(directory: Path) -> None:
    """Create what is missing of ``directory``, each level private and on the disk before the next."""
    with _errors(directory, "cannot be created"):
        for missing in reversed([folder for folder in (directory, *directory.parents) if not folder.exists()]):
            missing.mkdir(mode=_PRIVATE_DIRECTORY, exist_ok=True)
            flush_directory(missing.parent)


def require_writable(directory: Path) -> None:
    """Prove that files can be made in ``directory``, as far as that can be known without doing it."""
    status = status_of(directory)
    if not (status and stat.S_ISDIR(status.st_mode)):
        raise FileError(f"{directory} is not a directory.")
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise FileError(f"{directory} is not writable for the user who runs this.")


@contextlib.contextmanager
def _errors(path: Path, what: str) -> t.Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileError(f"{path} {what}: {error.strerror}.") from None


def temporary_of(path: Path) -> Path:
    """The new file that ``replace`` renames to ``path``."""
    return path.with_name(f".{path.name}.tmp")


def _take_over(descriptor: int, path: Path, mode: int | None) -> None:
    """Give a new file the permissions and, if permitted, the owner of the one that it replaces."""
    try:
        before = path.stat()
    except FileNotFoundError:
        os.fchmod(descriptor, PRIVATE if mode is None else mode)
        return
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode) if mode is None else mode)
