# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Reading and replacing files in directories that another user may change at the same time, also on purpose.

This often runs as root, and the files are in the homes of users, who can swap a directory or a link at any moment. So a
path is resolved first, and then opened from the root directory without following any link: a swap in between is an
error. While root resolves a path, each link must pass the rule that Linux calls protected symlinks.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
import typing as t
from functools import partial
from pathlib import Path

from ..core import _files
from ..core._files import FileError, MissingError

# Credential files have a few lines. A larger file is not one, and would only fill the memory.
LARGEST = 16 * 1024 * 1024
# Git holds its lock for a few milliseconds.
_PATIENCE = 2.0
_POLL = 0.05
# The limit of Linux.
_LONGEST_CHAIN = 40
_ROOT = 0

# O_PATH asks for no permission to list a directory that is only passed through, if the system has it.
_PASS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK keeps a pipe that was put there from blocking for ever.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Root(t.NamedTuple):
    """A searched directory, without links, and its owner."""

    path: Path
    owner: int


class Snapshot(t.NamedTuple):
    """A file as it was read.

    :param path: without links.
    """

    path: Path
    data: bytes
    status: os.stat_result

    @property
    def text(self) -> str:
        """The data as text; ``bytes_of`` restores the same bytes."""
        return self.data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def root(path: str) -> Root:
    """The directory ``path``, without links.

    :raises FileError: if it does not exist or cannot be read.
    """
    real = resolved(path)
    try:
        status = real.stat()
    except FileNotFoundError:
        raise MissingError(f"{path} does not exist.") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from None
    if not stat.S_ISDIR(status.st_mode):
        raise FileError(f"{path} is not a directory.")
    return Root(real, status.st_uid)


def resolved(path: str) -> Path:
    """``path`` without links. Parts that do not exist are kept.

    :raises FileError: if the links are circular, the path is not valid, or root may not follow them.
    """
    try:
        return _resolved(Path(path), path, [])
    except (OSError, ValueError):
        raise FileError(f"{path} cannot be followed: its links are circular, or it is not a valid path.") from None


def _resolved(path: Path, named: str, links: list[Path]) -> Path:
    """Resolve links one by one, since each of them is checked.

    :param named: the name in messages.
    :param links: the links followed so far.
    """
    here = Path(path.anchor)
    for name in path.parts[1:]:
        here = here.parent if name == ".." else here / name
        link = _link(here)
        if link is None:
            continue
        links.append(here)
        if len(links) > _LONGEST_CHAIN:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = _resolved(here.parent / here.readlink(), named, links)
        _require_trusted(named, here, link, target)
        here = target
    return here


def _link(path: Path) -> os.stat_result | None:
    try:
        status = path.lstat()
    except OSError:
        # Opening it reports the reason.
        return None
    return status if stat.S_ISLNK(status.st_mode) else None


def _require_trusted(named: str, link: Path, status: os.stat_result, target: Path) -> None:
    """Root follows a link only if it belongs to root or to the owner of its target.

    A dangling link may be followed, so that it is reported as missing.
    """
    if os.geteuid() != _ROOT or not os.path.lexists(target):
        return
    if status.st_uid not in (_ROOT, target.lstat().st_uid):
        raise FileError(
            f"{named} contains the link {link} to {target}. Root does not follow it, since its owner does not own the "
            "target. To include the target, add it to `paths`.",
            "link",
        )


def read(path: str, within: Root, referrer: int = _ROOT) -> Snapshot:
    """Read the file, following links.

    Root follows a link out of ``within`` only to a file of the directory's owner. Otherwise a user who may create links
    there could have root read or change the file of another user.

    :param referrer: the owner of the file that names this one, which counts like the owner of a link.
    :raises FileError: if it cannot be read, or may not be.
    """
    real = resolved(path)
    try:
        with _directory(real.parent) as directory:
            # Before, since opening a device can have effects, and after, since the file may have been swapped.
            _require_readable(path, real, os.stat(real.name, dir_fd=directory, follow_symlinks=False), within, referrer)
            descriptor = os.open(real.name, _READ, dir_fd=directory)
            with os.fdopen(descriptor, "rb") as stream:
                status = os.fstat(descriptor)
                _require_readable(path, real, status, within, referrer)
                data = stream.read(LARGEST + 1)
                later = os.fstat(descriptor)
    except FileNotFoundError:
        raise MissingError(f"{path} does not exist.") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from None
    if _version(later) != _version(status):
        raise FileError(f"{path} changed while it was read. Run the task again.", "changed")
    return Snapshot(real, data, status)


def require_replaceable(snapshot: Snapshot) -> None:
    """Check everything that can make ``replace`` fail, without writing.

    :raises FileError: if the file cannot be replaced, with the next step in the message.
    """
    path, status = snapshot.path, snapshot.status
    if status.st_nlink > 1:
        raise FileError(
            f"{path} has {status.st_nlink} hard links. Replacing it would keep the old text under its other names. "
            "Remove those, then run the task again.",
            "hard_link",
        )
    if not status.st_mode & 0o222:
        raise FileError(f"{path} is read-only. Make it writable for its owner, then run the task again.", "read_only")
    if os.geteuid() not in (_ROOT, status.st_uid):
        raise FileError(f"{path} belongs to another user. Run the task as its owner or as root (`become`).", "owner")
    try:
        with _directory(path.parent) as directory:
            effective = os.access in os.supports_effective_ids
            writable = os.access(".", os.W_OK | os.X_OK, dir_fd=directory, effective_ids=effective)
            _require_unlocked(directory, path)
    except OSError as error:
        raise FileError(f"{path} cannot be replaced: {error.strerror}.") from None
    if not writable:
        raise FileError(f"{path} cannot be replaced: its directory is not writable for the user that runs the module.")


def replace(snapshot: Snapshot, data: bytes, backup: bool = False) -> str | None:
    """Replace the file atomically, with its owner, permissions and extended attributes.

    The new text is written to ``NAME.lock``, which is also how git locks and replaces these files.

    :returns: the name of the backup, if there is one.
    :raises FileError: if that failed. The file is not changed then.
    """
    require_replaceable(snapshot)
    path, kept = snapshot.path, None
    try:
        with _directory(path.parent) as directory:
            with contextlib.ExitStack() as made:
                _unless_locked(path, lambda: made.enter_context(_locking(snapshot, data, directory)))
                _require_unchanged(directory, snapshot)
                if backup:
                    kept = path.with_name(f"{path.name}.{os.getpid()}.{time.strftime('%Y-%m-%d@%H:%M:%S')}~")
                    # Named like Ansible's backups, but private: it contains the secret.
                    made.enter_context(_files.new_file(kept.name, snapshot.data, partial(_give, snapshot), directory))
                _files.move(f"{path.name}.lock", path.name, directory)
            # The file is already replaced, so an error here is no failure. Not every file system can flush a directory,
            # and the user may not be permitted to list it.
            with contextlib.suppress(OSError):
                _files.flush_directory(".", directory)
    except OSError as error:
        raise FileError(f"{path} cannot be replaced: {error.strerror}.") from None
    return str(kept) if kept else None


def _require_readable(path: str, real: Path, status: os.stat_result, within: Root, referrer: int) -> None:
    outside = not real.is_relative_to(within.path) and status.st_uid != within.owner
    if os.geteuid() == _ROOT and outside:
        raise FileError(
            f"{path} leads out of {within.path} to a file of another user, which root does not follow. To include it, "
            f"add {real} to `paths`.",
            "link",
        )
    if os.geteuid() == _ROOT and referrer not in (_ROOT, status.st_uid):
        raise FileError(
            f"{path} is named by a file of another user, so root does not follow. To include it, add it to `paths`.",
            "link",
        )
    if not stat.S_ISREG(status.st_mode):
        raise FileError(f"{path} is not a plain file.")
    if status.st_size > LARGEST:
        raise FileError(f"{path} is larger than {LARGEST // 1024 // 1024} MiB, too large for a credential file.")


@contextlib.contextmanager
def _directory(path: Path) -> t.Iterator[int]:
    """A descriptor of a directory, reached without following a link.

    :raises OSError: if that is not possible.
    """
    descriptor = os.open(path.anchor, _PASS)
    try:
        for name in path.parts[1:]:
            following = os.open(name, _PASS, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = following
        yield descriptor
    finally:
        os.close(descriptor)


def _require_unlocked(directory: int, path: Path) -> None:
    """Wait until git has released its lock."""
    deadline = time.monotonic() + _PATIENCE
    with contextlib.suppress(FileNotFoundError):
        while True:
            os.stat(f"{path.name}.lock", dir_fd=directory, follow_symlinks=False)
            _wait(path, deadline)


def _unless_locked(path: Path, create: t.Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            create()
            return
        except FileExistsError:
            _wait(path, deadline)


def _wait(path: Path, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise FileError(
            f"{path}.lock exists: git is changing the file, or a run was killed. If no git runs, remove the lock, then "
            "run the task again.",
            "locked",
        )
    time.sleep(_POLL)


def _locking(snapshot: Snapshot, data: bytes, directory: int) -> t.ContextManager[None]:
    """The new file under git's name for the lock."""
    finish = partial(_take_over, snapshot, directory)
    return _files.new_file(f"{snapshot.path.name}.lock", data, finish, directory)


def _take_over(snapshot: Snapshot, directory: int, descriptor: int) -> None:
    """Give a new file the owner, permissions and extended attributes of the one that it replaces."""
    _give(snapshot, descriptor)
    os.fchmod(descriptor, stat.S_IMODE(snapshot.status.st_mode))
    _copy_attributes(directory, snapshot.path.name, descriptor)


def _give(snapshot: Snapshot, descriptor: int) -> None:
    owner, new = snapshot.status, os.fstat(descriptor)
    if (owner.st_uid, owner.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _copy_attributes(directory: int, name: str, target: int) -> None:
    """Copy access lists, the SELinux label and user attributes, as far as the system supports and permits it."""
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError), os.fdopen(os.open(name, _READ, dir_fd=directory), "rb") as source:
        for attribute in os.listxattr(source.fileno()):
            with contextlib.suppress(OSError):
                os.setxattr(target, attribute, os.getxattr(source.fileno(), attribute))


def _require_unchanged(directory: int, snapshot: Snapshot) -> None:
    """A change by a program that ignores the lock must not be lost."""
    try:
        with os.fdopen(os.open(snapshot.path.name, _READ, dir_fd=directory), "rb") as stream:
            same = _version(os.fstat(stream.fileno())) == _version(snapshot.status) and stream.read() == snapshot.data
    except FileNotFoundError:
        same = False
    if not same:
        raise FileError(f"{snapshot.path} was changed meanwhile, so it was not written. Run the task again.", "changed")


def _version(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
