"""The same switch and the same collection as the reliability tests."""

from __future__ import annotations

from tests.reliability.conftest import built

__all__ = ["built"]
