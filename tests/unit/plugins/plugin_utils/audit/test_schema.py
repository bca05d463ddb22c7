"""The schema of audit.json that ships: real documents are as it says, and it says all of it."""

from __future__ import annotations

import copy
import re
import typing as t
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY, ListedOwner, Owner
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._document import VERSION, document_of
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import SEVERITIES, Audit
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._policy import policy_of
from tests.report import sample
from tests.report.schema import FILE, shipped, violations

from .samples import BROKEN, CI, HARMLESS, LEDGER, NOW, REFUSED, audit, token

GUIDE = Path(__file__).resolve().parents[5] / "docs" / "docsite" / "rst" / "guide_audit.rst"
IGNORE = [{"reference": "*", "codes": ["never_expires"], "reason": "R", "until": "2027-01-01"}]
AUDITS = {
    "nothing": audit(),
    "unread": audit(token(), unread=(REFUSED, BROKEN)),
    "ignored": audit(token(expires=None), policy={"ignore": IGNORE}),
    "no clock": audit(token(expires=NOW - DAY), now=None),
    "archived": audit(token(), listed=LEDGER._replace(archived=True)),
    "deactivated": audit(token(last_used=None), listed=CI._replace(active=False)),
    "no address": audit(token(), listed=ListedOwner(Owner(project="~ann"))),
    "an unknown permission": audit(token("\u202e</script>", "REPO_READ", "SOMETHING_NEW")),
    "a company": sample.company()[0],
}


def written(item: Audit, policy: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
    return document_of(item, policy_of(policy or {}))


@pytest.fixture
def whole() -> dict[str, t.Any]:
    """A document in which no list is empty."""
    entry = audit(token(expires=None), token("late", expires=NOW), unread=(REFUSED,), policy={"ignore": IGNORE})
    document = written(entry, {"ignore": IGNORE})
    document["notes"].append("A note.")
    return document


def objects(schema: t.Any, where: str = "") -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    if isinstance(schema, dict):
        if "properties" in schema:
            yield where, schema
        for name, inner in schema.items():
            yield from objects(inner, f"{where}/{name}")


def test_it_is_a_schema_of_the_draft_that_it_names():
    assert shipped()["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(shipped())


@pytest.mark.parametrize("name", list(AUDITS))
def test_every_document_is_as_it_says_and_has_nothing_besides(name):
    assert violations(written(AUDITS[name])) == []


def test_a_document_in_which_no_list_is_empty_is_too(whole):
    assert all(whole[name] for name in ("notes", "unread", "owners", "tokens"))
    assert violations(whole) == []


def test_it_lists_the_severities_that_there_are():
    schema = shipped()
    names = schema["$defs"]
    assert names["severity"]["enum"] == list(SEVERITIES)
    assert names["found_severity"]["enum"] == list(SEVERITIES[1:])
    assert schema["properties"]["version"]["const"] == VERSION


def test_whatever_it_lists_is_always_there():
    for where, item in objects(shipped()):
        assert item["required"] == list(item["properties"]), where


def test_readers_are_told_to_pass_over_what_a_later_release_adds(whole):
    whole["tokens"][0]["colour"] = "green"
    assert violations(whole, shipped()) == []
    assert violations(whole) == ["$.tokens[0]: Additional properties are not allowed ('colour' was unexpected)"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["version"], 2),
        (["generated"], "yesterday"),
        (["generated"], None),
        (["server", "time"], "2026-12-05T09:00:00+01:00"),
        (["counts", "tokens"], -1),
        (["policy", "ignore", 0, "until"], "soon"),
        (["owners", 0, "link"], "javascript:alert(1)"),
        (["owners", 0, "kind"], "team"),
        (["owners", 0, "tokens"], "2"),
        (["tokens", 0, "id"], 12345678901),
        (["tokens", 0, "created"], None),
        (["tokens", 0, "findings"], None),
        (["tokens", 0, "severity"], "dreadful"),
        (["unread", 0, "owner"], "PAY"),
    ],
)
def test_what_is_otherwise_is_refused(whole, path, value):
    changed = copy.deepcopy(whole)
    part = changed
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    (trouble,) = violations(changed, shipped())
    assert f"{path[-1]}:" in trouble


def test_the_guide_names_it_and_lists_the_same_keys():
    text = GUIDE.read_text(encoding="utf-8")
    assert f"roles/token_audit/files/{FILE.name}" in text
    table = text[text.index("The format of audit.json") :]
    assert re.findall(r"^  \* - ``(\w+)``$", table, re.MULTILINE) == list(shipped()["properties"])


def test_harmless_tokens_stay_harmless():
    """Else the documents above would not show what they are named after."""
    assert HARMLESS["expires"] > NOW
    assert written(AUDITS["archived"])["tokens"][0]["severity"] != "none"
    assert written(AUDITS["unread"])["tokens"][0]["severity"] == "none"
