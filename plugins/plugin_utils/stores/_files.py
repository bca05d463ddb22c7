# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stores require of files, before anything is created."""

from __future__ import annotations

import collections.abc as c
import contextlib
import os
import stat
from pathlib import Path

from ...module_utils.core import _files
from ._base import StoreError

#: Bytes.
_LONGEST_NAME = 255


@contextlib.contextmanager
def store_errors() -> c.Iterator[None]:
    """Errors of files are errors of the store. Also a decorator."""
    try:
        yield
    except _files.FileError as error:
        raise StoreError(str(error)) from None


def real(path: Path) -> Path:
    """The target of links. Circular ones are kept; Path.resolve raises an error for them up to Python 3.12."""
    return Path(os.path.realpath(path))


@store_errors()
def require_replaceable(path: Path) -> None:
    """Prove that ``path`` can be replaced, as far as that can be known without doing it.

    :raises StoreError: if it cannot.
    """
    if len(os.fsencode(_files.temporary_of(path).name)) > _LONGEST_NAME:
        raise StoreError(f"{path.name} is too long for the name of a file: keep this token in another kind of store.")
    status = _files.status_of(path)
    if status and not stat.S_ISREG(status.st_mode):
        what = "a directory" if stat.S_ISDIR(status.st_mode) else "not a plain file"
        raise StoreError(f"{path} is {what}: the secret must be in a file of that name.")
    _files.require_writable(next(folder for folder in path.parents if _files.status_of(folder)))


@store_errors()
def ensure_directory(directory: Path, check_mode: bool) -> None:
    """Create ``directory`` with mode 0700 if only its last part is missing, and prove that files can be made in it.

    In check mode its parent must be writable, and nothing is created.

    :raises StoreError: if its parent does not exist or either of them is not writable.
    """
    if _files.status_of(directory) is not None:
        _files.require_writable(directory)
        return
    if _files.status_of(directory.parent) is None:
        raise StoreError(f"{directory.parent} does not exist: create it first. Only {directory.name} in it is created.")
    _files.require_writable(directory.parent)
    if not check_mode:
        _files.make_directories(directory)


@store_errors()
def target(path: Path) -> Path:
    """The file to replace: the one that ``path`` leads to, if it is a symbolic link.

    :raises StoreError: if the directory that a link leads to does not exist. Only the store's own are created.
    """
    if not os.path.islink(path):  # noqa: PTH114  10,000 of them are asked
        return path
    leads_to = real(path)
    if _files.status_of(leads_to.parent) is None:
        raise StoreError(f"{path} is a symbolic link to {leads_to}, whose directory does not exist: create it first.")
    return leads_to
