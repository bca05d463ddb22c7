"""Directories that nobody can write to, root included."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """Nothing can be made in ``directory`` while the block runs; where the machine has no way to do that, skip."""
    mode = directory.stat().st_mode
    with contextlib.ExitStack() as stack:
        if os.geteuid():
            directory.chmod(0o500)
            stack.callback(directory.chmod, mode)
        elif _does("chattr", "+i", str(directory)):
            stack.callback(_does, "chattr", "-i", str(directory))
        elif _does("mount", "--bind", str(directory), str(directory)):
            stack.callback(_does, "umount", str(directory))
            if not _does("mount", "-o", "remount,bind,ro", str(directory)):
                pytest.skip("root may write everywhere, and this machine lets it make nothing read-only")
        else:
            pytest.skip("root may write everywhere, and this machine has neither immutable directories nor mounts")
        yield


def _does(*command: str) -> bool:
    return bool(shutil.which(command[0])) and not subprocess.run(command, capture_output=True, check=False).returncode
