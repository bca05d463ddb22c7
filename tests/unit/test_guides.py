"""Guides repeat what the code knows: where one of them changes alone, this says so."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.cloud import _scopes

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst"
ROW = re.compile(r"^  \* - ``([a-z:]+)``\n    - (.*?)\n    - (derived|inferred)$", re.MULTILINE | re.DOTALL)


def test_the_guides_scope_table_is_that_of_the_modules():
    text = (GUIDES / "guide_app_passwords.rst").read_text(encoding="utf-8")
    rows = {name: (tuple(re.findall(r"``([^`]+)``", scopes)), basis) for name, scopes, basis in ROW.findall(text)}
    assert rows == {name: (row.scopes, row.basis) for name, row in _scopes.TABLE.items()}
