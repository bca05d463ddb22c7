"""The files that list the findings, compared with the registry."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit import _registry

ROOT = Path(__file__).resolve().parents[2]
README = "roles/token_audit/README.md"
SCHEMA = "roles/token_audit/files/audit.schema.json"
MODULE = "plugins/modules/access_token_audit.py"


def table() -> str:
    """The table of findings as Markdown."""
    lines = ["| code | means | severity | what to do |", "|---|---|---|---|"]
    for kind in _registry.REGISTRY:
        options = {option: f"`{option}` ({days})" for option, days in kind.days.items()}
        lines.append(f"| `{kind.code}` | {kind.meaning.format(**options)} | {kind.severity} | {kind.advice} |")
    return "\n".join(lines) + "\n"


def outdated() -> dict[str, t.Any]:
    """The files that lack a finding or a threshold, each with what it must have."""
    wanted = {
        README: table() if table() not in text_of(README) else None,
        SCHEMA: schema_lists() if schema_lists(json.loads(text_of(SCHEMA))) != schema_lists() else None,
        MODULE: [days for days in _registry.default_days() if f"C({days})" not in documentation(MODULE)],
    }
    return {file: content for file, content in wanted.items() if content}


def schema_lists(schema: t.Any = None) -> dict[str, t.Any]:
    """What the schema lists; without one, what it must list."""
    if schema is None:
        codes, days = _registry.codes(), list(_registry.default_days())
        return {"codes": codes, "counted": len(codes), "rated": len(codes), "policy": days}
    properties = schema["properties"]
    policy = properties["policy"]
    return {
        "codes": schema["$defs"]["code"]["enum"],
        "counted": properties["counts"]["properties"]["findings"]["minProperties"],
        "rated": policy["properties"]["severities"]["minProperties"],
        "policy": [name for name in policy["required"] if name.endswith("_days")],
    }


def documentation(file: str) -> str:
    found = re.search(r'^DOCUMENTATION = r"""(.*?)"""', text_of(file), re.S | re.M)
    return found[1] if found else ""


def text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")
