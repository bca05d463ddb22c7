"""The same switch and the same collection as the reliability tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.conftest import built

__all__ = ["built", "tmp_path"]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Shorter than pytest's own: ansible-core 2.21 puts a socket below it, whose path may have 108 characters."""
    with tempfile.TemporaryDirectory(prefix="leaks-", dir="/tmp") as directory:
        yield Path(directory)
