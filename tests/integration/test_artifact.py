"""What is in the built collection: everything a user needs, and nothing that only belongs to a checkout."""

from __future__ import annotations

import fnmatch
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [
    "CHANGELOG.md",
    "COPYING",
    "FILES.json",
    "LICENSES/*.txt",
    "MANIFEST.json",
    "README.md",
    "SECURITY.md",
    "changelogs/changelog.yaml",
    "docs/docsite/*",
    "docs/images/*.png",
    "meta/*.txt",
    "meta/*.yml",
    "playbooks/*",
    "plugins/*.py",
    "plugins/plugin_utils/awx/assets/*.yml",
    "plugins/plugin_utils/audit/assets/*",
    "requirements.txt",
    "roles/*",
    "tests/config.yml",
]


@pytest.fixture(scope="module")
def shipped():
    artifacts = sorted((ROOT / ".cache" / "dist").glob("*.tar.gz"))
    if not artifacts:
        pytest.skip("there is no artifact: make build")
    with tarfile.open(artifacts[-1]) as archive:
        return [member.name for member in archive if not member.isdir()]


def test_nothing_ships_by_accident(shipped):
    strays = [name for name in shipped if not any(fnmatch.fnmatch(name, pattern) for pattern in SHIPPED)]
    assert not strays, "name them in build_ignore of galaxy.yml, or in SHIPPED here"


def test_every_plugin_role_and_playbook_ships(shipped):
    wanted = [path for folder in ("plugins", "roles", "playbooks") for path in (ROOT / folder).rglob("*")]
    files = {str(path.relative_to(ROOT)) for path in wanted if path.is_file() and "__pycache__" not in path.parts}
    assert files <= set(shipped)
