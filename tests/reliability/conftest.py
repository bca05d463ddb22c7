"""What the tests of reliability share."""

from __future__ import annotations

from pathlib import Path

import pytest

BUILT = Path(__file__).resolve().parents[2] / ".cache" / "collections" / "ansible_collections" / "tokensmith"


@pytest.fixture
def built() -> None:
    if not BUILT.exists():
        pytest.skip("the collection is not built: make build")
