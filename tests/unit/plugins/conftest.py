"""Every test gets a company of its own."""

from __future__ import annotations

import pytest

from tests.simulator.cloud import Cloud

from .cloud_company import CloudCompany
from .stand import Stand, company


@pytest.fixture
def stand() -> Stand:
    return company()


@pytest.fixture
def cloud() -> CloudCompany:
    return CloudCompany(Cloud(seed=7))
