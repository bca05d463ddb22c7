"""Every test gets a company of its own."""

from __future__ import annotations

import pytest

from .stand import Stand, company


@pytest.fixture
def stand() -> Stand:
    return company()
