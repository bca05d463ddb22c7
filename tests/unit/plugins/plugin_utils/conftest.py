from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.plugins.plugin_utils.harness import Site, new_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """One project, PAY, and a directory for the secrets."""
    return new_site(tmp_path / "secrets")
