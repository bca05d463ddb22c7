"""What holds every audit.json of the tests to the schema that ships."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from jsonschema import Draft202012Validator

FILE = Path(__file__).resolve().parents[2] / "roles" / "token_audit" / "files" / "audit.schema.json"
Schema = dict[str, t.Any]


def shipped() -> Schema:
    return t.cast("Schema", json.loads(FILE.read_text(encoding="utf-8")))


def strict() -> Schema:
    """The shipped one, which also refuses what it does not list: readers are told to pass over that."""
    schema = shipped()
    _close(schema)
    return schema


def violations(document: t.Any, schema: Schema | None = None) -> list[str]:
    """Where a document differs, and how."""
    validator = Draft202012Validator(strict() if schema is None else schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def _close(node: t.Any) -> None:
    if isinstance(node, dict):
        if "properties" in node:
            node["additionalProperties"] = False
        for inner in node.values():
            _close(inner)
    elif isinstance(node, list):
        for inner in node:
            _close(inner)
