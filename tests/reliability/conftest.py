"""How much is tried."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

#: ``RELIABILITY=full``: every point, instead of a sample that takes a minute or two.
FULL = os.environ.get("RELIABILITY") == "full"
BUILT = Path(__file__).resolve().parents[2] / ".cache" / "collections" / "ansible_collections" / "tokensmith"


@pytest.fixture
def built() -> None:
    if not BUILT.exists():
        pytest.skip("the collection is not built: make build")
