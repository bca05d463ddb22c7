# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Lock files: plain files that stay, and that may say what they are for."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
import typing as t
from pathlib import Path

from ._files import PRIVATE, FileError

#: Seconds between two attempts.
POLL = 0.05
# Another user may be able to put a link or a FIFO in place of the lock file.
_NO_LINK = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
# Bytes; no reference is longer.
_LONGEST_LABEL = 4096


@contextlib.contextmanager
def locked(path: Path, timeout: float) -> t.Iterator[None]:
    """Hold the lock file ``path``. It is not removed: two runs could then hold different locks.

    :param timeout: seconds to wait for another run.
    :raises FileError: if the lock cannot be had.
    """
    with _opened(path, os.O_RDWR | os.O_CREAT) as descriptor:
        _acquire(descriptor, path, timeout)
        yield


def label(path: Path) -> str | None:
    """What the lock file ``path`` says; ``None`` if it does not exist.

    :raises FileError: if it cannot be read.
    """
    if not os.path.lexists(path):
        return None
    with _opened(path, os.O_RDONLY) as descriptor:
        return os.pread(descriptor, _LONGEST_LABEL, 0).decode("utf-8", errors="replace")


def write_label(path: Path, text: str) -> None:
    """Have the lock file ``path`` say ``text``. To be called with the lock held.

    :raises FileError: if it cannot be written.
    """
    with _opened(path, os.O_WRONLY) as descriptor:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> t.Iterator[int]:
    """The lock file ``path``: a plain file, and no link to one."""
    unfit = FileError(f"{path} is not a plain file, so it cannot be the lock: remove it and run again.")
    try:
        descriptor = os.open(path, flags | _NO_LINK, PRIVATE)
    except OSError as error:
        # The errors for a link and for a socket.
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise unfit from None
        raise FileError(f"{path} cannot be opened for locking: {error.strerror}.") from None
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
                raise FileError(f"{path} is locked by another run for more than {timeout:g} seconds.") from None
            time.sleep(POLL)
        except OSError as error:
            raise FileError(f"{path} cannot be locked: {error.strerror}.") from None
