"""Guides repeat what the code knows: where one of them changes alone, this says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.cloud import _scopes
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _permissions
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from tests.bench import measurements, report

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


def test_the_table_of_the_guide_to_speed_is_that_of_the_benchmark():
    """Its figures come from `make bench ARGS=--write`, and its rows from the same list."""
    header, *rows = text_rows((GUIDES / "guide_speed.rst").read_text(encoding="utf-8"))
    assert header == ["Work", "Compared with", "Measured", "Goal"]
    assert [(work, compared, goal) for work, compared, _measured, goal in rows] == [
        (goal.work, goal.compared or "–", goal.goal) for goal in measurements.GOALS
    ]


def test_the_benchmark_replaces_the_table_and_nothing_else(tmp_path, monkeypatch):
    guide = tmp_path / "guide.rst"
    guide.write_text(f"before\n{report.BEGIN}old\n{report.END}after\n", encoding="utf-8")
    monkeypatch.setattr(report, "SUMMARY", {})
    line = measurements.ROTATION.measured("role / bare", 1.31, "1.31 ×")
    assert (line.met, line.goal) == (False, "≤ 1.3 ×")
    for _time in range(2):
        report.write(measurements.GOALS, guide)
    text = guide.read_text(encoding="utf-8")
    assert (text.startswith("before\n.. "), text.endswith("after\n"), "old" in text) == (True, True, False)
    measured = {row[0]: row[2] for row in text_rows(text)[1:]}
    assert measured == {
        goal.work: "1.31 ×" if goal == measurements.ROTATION else report.NOT_MEASURED for goal in measurements.GOALS
    }
