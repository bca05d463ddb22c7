# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that several runs may write and that a crash must not tear: a lock, and replacement by rename."""

from __future__ import annotations

import collections.abc as c
import contextlib
import errno
import fcntl
import os
import stat
import time
from pathlib import Path

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import StoreError

_PRIVATE = 0o600
_POLL = 0.05
#: Somebody else may be able to put a link or a FIFO in place of the lock file.
_NO_LINK = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
#: Bytes; no reference is longer.
_LONGEST_LABEL = 4096
_LONGEST_NAME = 255


@contextlib.contextmanager
def locked(path: Path, timeout: float) -> c.Iterator[None]:
    """Hold the lock file ``path``, which stays behind: removing it would let two runs hold different locks.

    :param timeout: seconds to wait for another run.
    :raises StoreError: if the lock cannot be had.
    """
    with _opened(path, os.O_RDWR | os.O_CREAT) as descriptor:
        _acquire(descriptor, path, timeout)
        yield


def label(path: Path) -> str | None:
    """What the lock file ``path`` says, without following a link; ``None`` if it does not exist.

    :raises StoreError: if it cannot be read.
    """
    if not os.path.lexists(path):
        return None
    with _opened(path, os.O_RDONLY) as descriptor:
        return os.pread(descriptor, _LONGEST_LABEL, 0).decode("utf-8", errors="replace")


def write_label(path: Path, text: str) -> None:
    """Have the lock file ``path`` say ``text``, without following a link. To be called with the lock held.

    :raises StoreError: if it cannot be written.
    """
    with _opened(path, os.O_WRONLY) as descriptor:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> c.Iterator[int]:
    """The lock file ``path``: a plain file, and no link to one."""
    unfit = StoreError(f"{path} is not a plain file, so it cannot be the lock: remove it and run again.")
    try:
        descriptor = os.open(path, flags | _NO_LINK, _PRIVATE)
    except OSError as error:
        # What opening a link or a socket is answered with.
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise unfit from None
        raise StoreError(f"{path} cannot be opened for locking: {error.strerror}.") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise unfit
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StoreError(f"{path} is locked by another run for more than {timeout:g} seconds.") from None
            time.sleep(_POLL)
        except OSError as error:
            raise StoreError(f"{path} cannot be locked: {error.strerror}.") from None


def replace(path: Path, data: bytes, mode: int | None = None) -> None:
    """Put ``data`` in place of ``path`` at once and for good, or leave it as it was.

    To be called with the lock held, so that nobody else uses the temporary file beside it.

    :param mode: the file's permissions; by default those it has, or private for a new one.
    :raises StoreError: where that failed.
    """
    temporary = _temporary(path)
    try:
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                _take_over(descriptor, path, mode)
                os.fsync(descriptor)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_directory(path.parent)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from None


def remove(path: Path) -> None:
    """Remove a file for good. To be called with the lock held.

    :raises StoreError: if that failed.
    """
    try:
        path.unlink(missing_ok=True)
        _sync_directory(path.parent)
    except OSError as error:
        raise StoreError(f"{path} cannot be removed: {error.strerror}.") from None


def sweep(path: Path) -> None:
    """Remove what a run that was killed while it replaced ``path`` has left. To be called with the lock held.

    :raises StoreError: where that is not allowed.
    """
    left = _temporary(path)
    try:
        left.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{left} is left of a killed run and cannot be removed: {error.strerror}.") from None


def place(text: str) -> Path:
    """The absolute path that ``text`` means; relative ones start where ansible was started.

    :raises StoreError: if it begins with ``~NAME`` and there is no user of that name.
    """
    expanded = os.path.expanduser(text)  # noqa: PTH111
    if expanded.startswith("~"):
        raise StoreError(f"{text}: this machine has no user {text.partition('/')[0][1:]}.")
    return Path(expanded).absolute()


def real(path: Path) -> Path:
    """Where links lead to. Those that go round in circles stay, which Python up to 3.12 raises for otherwise."""
    return Path(os.path.realpath(path))


def require_replaceable(path: Path) -> None:
    """Prove that ``path`` can be replaced, as far as that can be known without doing it.

    :raises StoreError: where it cannot.
    """
    if len(os.fsencode(_temporary(path).name)) > _LONGEST_NAME:
        raise StoreError(f"{path.name} is too long for the name of a file: keep this token in another kind of store.")
    there = found(path)
    if there and not stat.S_ISREG(there.st_mode):
        what = "a directory" if stat.S_ISDIR(there.st_mode) else "not a plain file"
        raise StoreError(f"{path} is {what}: the secret shall be in a file of that name.")
    require_writable(next(folder for folder in path.parents if found(folder)))


def make_directories(directory: Path) -> None:
    """Make what is missing of ``directory``, each level for its owner only and on the disk before the next."""
    for missing in reversed([folder for folder in (directory, *directory.parents) if not folder.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
        _sync_directory(missing.parent)


def ensure_directory(directory: Path, check_mode: bool) -> None:
    """Create ``directory`` with mode 0700 if only its last part is missing, and prove that files can be made in it.

    In check mode its parent must be writable, and nothing is created.

    :raises StoreError: if its parent does not exist or either of them is not writable.
    """
    if found(directory) is not None:
        require_writable(directory)
        return
    if found(directory.parent) is None:
        raise StoreError(f"{directory.parent} does not exist: create it first. Only {directory.name} in it is created.")
    require_writable(directory.parent)
    if not check_mode:
        try:
            make_directories(directory)
        except OSError as error:
            raise StoreError(f"{directory} cannot be created: {error.strerror}.") from None


def target(path: Path) -> Path:
    """The file to replace: the one that ``path`` leads to, if it is a symbolic link.

    :raises StoreError: if the directory that a link leads to does not exist. Only the store's own are created.
    """
    if not os.path.islink(path):  # noqa: PTH114  10,000 of them are asked
        return path
    leads_to = real(path)
    if found(leads_to.parent) is None:
        raise StoreError(f"{path} is a symbolic link to {leads_to}, whose directory does not exist: create it first.")
    return leads_to


def require_writable(directory: Path) -> None:
    """Prove that files can be made in ``directory``.

    :raises StoreError: if it is missing or not writable.
    """
    there = found(directory)
    if not (there and stat.S_ISDIR(there.st_mode)):
        raise StoreError(f"{directory} is not a directory.")
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise StoreError(f"{directory} is not writable for the user who runs this.")


def found(path: Path) -> os.stat_result | None:
    """What ``path`` is; nothing where nothing is there.

    :raises StoreError: where nobody may look, which is not the same.
    """
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be looked at: {error.strerror}.") from None


def read(path: Path) -> str | None:
    """The text of a file, or ``None`` where there is none.

    :raises StoreError: where it is there and cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise StoreError(f"{path} is not a text file.") from None


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _take_over(descriptor: int, path: Path, mode: int | None) -> None:
    """Give the new file the permissions and, where that is allowed, the owner of the one it replaces."""
    try:
        before = path.stat()
    except FileNotFoundError:
        os.fchmod(descriptor, _PRIVATE if mode is None else mode)
        return
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode) if mode is None else mode)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
