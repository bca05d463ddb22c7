"""Every result that says `failed` says why, as a code that a playbook can compare."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def failures(tree: ast.AST) -> list[tuple[int, set[str]]]:
    """The line and the keys of each mapping, or call with keywords, that sets `failed` to true."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            pairs: list[tuple[object, ast.expr]]
            pairs = [(getattr(key, "value", None), value) for key, value in zip(node.keys, node.values, strict=True)]
        elif isinstance(node, ast.Call):
            pairs = [(item.arg, item.value) for item in node.keywords]
        else:
            continue
        keys = {str(key) for key, _value in pairs}
        if any(key == "failed" and getattr(value, "value", None) is True for key, value in pairs):
            found.append((node.lineno, keys))
    return found


FOUND = [
    (path.relative_to(ROOT), line, keys)
    for path in sorted((ROOT / "plugins").rglob("*.py"))
    for line, keys in failures(ast.parse(path.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize(
    ("path", "line", "keys"), FOUND, ids=lambda value: "" if isinstance(value, set) else str(value)
)
def test_a_failure_carries_its_reason(path, line, keys):
    assert "reason" in keys, f"{path}:{line}"


def test_failures_are_found_at_all():
    assert len(FOUND) > 8
