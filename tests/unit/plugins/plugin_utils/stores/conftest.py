from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.plugins.plugin_utils.stores import openbao


@pytest.fixture(scope="session")
def bao() -> Iterator[openbao.OpenBao]:
    """One real server for all tests; each keeps to a prefix of its own."""
    with openbao.running() as server:
        yield server
