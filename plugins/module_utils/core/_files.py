# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A file that a module writes on the host where it runs: replaced as a whole, or left as it was."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError


class Existing(t.NamedTuple):
    """A file as it is: its bytes and its permissions."""

    data: bytes
    mode: int


def existing(path: Path) -> Existing | None:
    """The file, or ``None`` if it does not exist. Proves that it can be replaced, as far as that can be known.

    :raises BitbucketError: for anything but a plain file, and for a directory that is missing or not writable.
    """
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise _failed(path, "it is not a plain file")
        if not path.parent.is_dir():
            raise _failed(path, f"{path.parent} is not a directory")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise _failed(path, f"{path.parent} is not writable for the user who runs this")
        return Existing(path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) if path.exists() else None
    except OSError as error:
        raise _failed(path, str(error.strerror)) from None


def replace(path: Path, data: bytes, mode: int) -> None:
    """Put ``data`` in place of the file at once, with these permissions.

    :raises BitbucketError: if that failed; the file is then as it was.
    """
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name[:64]}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            Path(temporary).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise _failed(path, str(error.strerror)) from None


def _failed(path: Path, why: str) -> BitbucketError:
    return BitbucketError(f"{path} cannot be written: {why}.", "file")
