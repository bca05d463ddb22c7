"""Every test gets a company of its own."""

from __future__ import annotations

import pytest

from .cloud_company import CloudCompany, cloud_company
from .company import Company, new_company


@pytest.fixture
def company() -> Company:
    return new_company()


@pytest.fixture
def cloud() -> CloudCompany:
    return cloud_company()
