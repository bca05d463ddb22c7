"""Guides repeat what the code knows: where one of them changes alone, this says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.cloud import _scopes
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _permissions
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst"
ROW = re.compile(r"^  \* - ``([a-z:]+)``\n    - (.*?)\n    - (derived|inferred)$", re.MULTILINE | re.DOTALL)


def test_the_guides_scope_table_is_that_of_the_modules():
    text = (GUIDES / "guide_app_passwords.rst").read_text(encoding="utf-8")
    rows = {name: (tuple(re.findall(r"``([^`]+)``", scopes)), basis) for name, scopes, basis in ROW.findall(text)}
    assert rows == {name: (row.scopes, row.basis) for name, row in _scopes.TABLE.items()}


def text_rows(text: str) -> list[list[str]]:
    """The cells of a list-table."""
    rows = re.split(r"^  \* -", text, flags=re.MULTILINE)[1:]
    return [[cell.strip() for cell in row.partition("\n\n")[0].split("\n    - ")] for row in rows]


def test_the_guide_from_the_cli_shows_the_pairs_of_permissions_that_exist():
    """D12 to D14, as the modules check them."""
    text = (GUIDES / "guide_from_cli.rst").read_text(encoding="utf-8").partition("What a token may do")[2]
    header, *levels = [[cell.strip("`") for cell in row] for row in text_rows(text)]
    assert header[1:] == ["no project permission", "PROJECT_READ", "PROJECT_WRITE", "PROJECT_ADMIN"]
    for repository, *cells in levels:
        for project, cell in zip(header[1:], cells, strict=True):
            pair = [repository, *([project] if project.startswith("PROJECT_") else [])]
            if cell == "does not exist":
                with pytest.raises(InputError):
                    _permissions.declared(pair)
            else:
                assert _permissions.declared(pair).names == pair[::-1]
