"""Folders that nobody may look into, root included."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_NOBODY = 65534


@contextlib.contextmanager
def unsearchable(directory: Path) -> Iterator[None]:
    """What is in ``directory`` cannot be looked at while the block runs, for which root is somebody else."""
    mode, user = directory.stat().st_mode, os.geteuid()
    directory.chmod(0)
    try:
        if not user:
            os.seteuid(_NOBODY)
        yield
    finally:
        os.seteuid(user)
        directory.chmod(mode)
