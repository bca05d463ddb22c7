"""Every test gets a company of its own."""

from __future__ import annotations

import pytest

from .cloud_company import CloudCompany, cloud_company
from .stand import Stand, company


@pytest.fixture
def stand() -> Stand:
    return company()


@pytest.fixture
def cloud() -> CloudCompany:
    return cloud_company()
