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
    """Shorter than pytest's own: the path of a socket that ansible-core 2.21 puts below it has 108 characters at most."""
    with tempfile.TemporaryDirectory(prefix="leaks-", dir="/tmp") as directory:
        yield Path(directory)
