"""The page as text: its policy, its data, and that nothing gets out of the place it is put in."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import Audit
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._page import html_of
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._policy import policy_of

from .samples import PAY, REFUSED, audit, token

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    "]]>{{SCRIPT}}",
    "{{DATA}}",
    "\u2028\u2029",
    "\u202egnp.exe",
    "&lt;b&gt;&amp;",
    "two\nlines\\n\"'",
]


class Page(html.parser.HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside.append(f"{tag} {dict(attrs).get('id', '')}".strip())

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop().split()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[self._inside[-1]] = self.texts.get(self._inside[-1], "") + data

    @property
    def data(self) -> dict[str, t.Any]:
        return t.cast("dict[str, t.Any]", json.loads(self.texts["script data"]))


def page(found: Audit, **policy: t.Any) -> Page:
    return Page(html_of(found, policy_of(policy)))


def hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_only_its_own_script_and_style_may_run_and_nothing_may_be_fetched():
    found = page(audit(token()))
    policy = next(attrs["content"] for tag, attrs in found.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    directives = dict(part.strip().split(" ", 1) for part in (policy or "").split(";"))
    assert directives == {
        "default-src": "'none'",
        "style-src": hashed(found.texts["style"]),
        "script-src": hashed(found.texts["script"]),
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_the_page_names_nothing_outside_itself():
    found = page(audit(token(), unread=(REFUSED,)))
    assert not [attrs for _tag, attrs in found.tags if attrs.keys() & {"src", "srcset", "action", "data", "style"}]
    assert {attrs.get("href") for tag, attrs in found.tags if tag in ("a", "link")} == {"#tokens"}
    assert "import" not in found.texts["script"]
    assert "url(" not in found.texts["style"]
    assert "innerHTML" not in found.texts["script"]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_what_bitbucket_sends_stays_text(name):
    plain, listed = page(audit(token())), PAY._replace(name=name)
    found = page(audit(token(name), listed=listed, unread=(REFUSED._replace(owner=name, msg=name),)))
    assert [tag for tag, _attrs in found.tags if tag != "li"] == [tag for tag, _attrs in plain.tags if tag != "li"]
    assert found.data["rows"][0][2] == name
    assert found.data["owners"][0][3] == name
    assert found.data["unread"][0] == [name, "forbidden", name]


def test_the_data_is_short_and_complete():
    rule = {"reference": "*", "codes": ["never_expires"], "reason": "CHG-4711", "until": "2027-01-31"}
    policy = {"ignore": [rule]}
    found = page(audit(token("ci", "PROJECT_READ", "REPO_ADMIN", "NEW", expires=None), policy=policy), **policy).data
    (row,) = found["rows"]
    assert row[:3] == [0, "012345678901", "ci"]
    assert [found["permissions"][bit] for bit in range(6) if row[3] & 1 << bit] == ["PROJECT_READ", "REPO_ADMIN"]
    assert found["others"][row[4]] == "NEW"
    assert row[5:8] == [1796374800, None, 1796461200]
    ((code, severity, detail),) = row[8]
    assert (found["findings"][code][0], found["severities"][severity], found["details"][detail]) == (
        "administrator",
        "high",
        "REPO_ADMIN",
    )
    ((code, _severity, _detail, reason),) = row[9]
    assert (found["findings"][code][0], found["reasons"][reason]) == ("never_expires", "CHG-4711 (until 2027-01-31)")
    assert found["owners"] == [["project", "PAY", "PAY", "Payments", "https://bitbucket.example.com/projects/PAY", ""]]


def test_without_a_script_there_is_a_summary():
    text = html_of(audit(token("ci", "REPO_ADMIN"), unread=(REFUSED,)), policy_of({}))
    summary = text.partition("<noscript>")[2].partition("</noscript>")[0]
    assert "<li>1 tokens of 1 owners, 1 owners not read</li>" in summary
    assert "<li>administrator: 1</li>" in summary
    assert "users/admin" in summary
