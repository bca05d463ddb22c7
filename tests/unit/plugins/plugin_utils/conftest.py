from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.plugins.plugin_utils import openbao
from tests.unit.plugins.plugin_utils.harness import Site, new_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """One project, PAY, and a directory for the secrets."""
    return new_site(tmp_path / "secrets")


@pytest.fixture(scope="session")
def bao() -> Iterator[openbao.OpenBao]:
    """One real server for all tests; each keeps to a prefix of its own."""
    with openbao.running() as server:
        yield server
