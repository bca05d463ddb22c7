"""The files for other programs: readable by them, whatever a token is called."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._tables import COLUMNS, csv_of, junit_of

from .samples import BROKEN, LEDGER, NOW, REFUSED, audit, token

FORMULAS = ['=HYPERLINK("https://evil.example")', "+1+1", "-2+3", "@SUM(A1)", " =1+1", "\uff1d1+1", "\uff0b1"]
UNSEEN = {
    "\t=1": "⟨U+0009⟩=1",
    "two\r\nlines": "two⟨U+000D⟩⟨U+000A⟩lines",
    "\x00=1": "⟨U+0000⟩=1",
    "\x1b[31mred": "⟨U+001B⟩[31mred",
    "\x9b31m": "⟨U+009B⟩31m",
    "\u202egnp.exe": "⟨U+202E⟩gnp.exe",
    "\u2066a\u2069": "⟨U+2066⟩a⟨U+2069⟩",
    "\ufffe\uffff": "⟨U+FFFE⟩⟨U+FFFF⟩",
    "\U000e0041": "⟨U+E0041⟩",
}
AWKWARD = [
    'a "quoted" name',
    "a,b;c",
    "a\u3000b",
    "名前",
    "</script><img src=x onerror=alert(1)>",
    "]]>",
]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_says_what_is_known_of_a_token():
    (row,) = rows(csv_of(audit(token("ci", "PROJECT_READ", "REPO_ADMIN", expires=None, last_used=None))))
    assert row == {
        "status": "listed",
        "severity": "high",
        "findings": "never_expires administrator",
        "reference": "projects/PAY/tokens/ci",
        "kind": "project",
        "owner": "projects/PAY",
        "title": "Payments",
        "name": "ci",
        "id": "012345678901",
        "permissions": "PROJECT_READ REPO_ADMIN",
        "created": "2026-12-04T09:00:00Z",
        "expires": "",
        "last_used": "",
        "details": "never_expires: it has no expiry; administrator: REPO_ADMIN",
        "ignored": "",
        "link": "https://bitbucket.example.com/projects/PAY",
    }
    assert tuple(row) == COLUMNS


@pytest.mark.parametrize("name", FORMULAS, ids=ascii)
def test_no_name_is_a_formula(name):
    (row,) = rows(csv_of(audit(token(name))))
    assert row["name"] == f"'{name}"


@pytest.mark.parametrize("name", AWKWARD, ids=ascii)
def test_awkward_names_come_back_as_they_are(name):
    (row,) = rows(csv_of(audit(token(name))))
    assert row["name"] == name


@pytest.mark.parametrize("name", UNSEEN, ids=ascii)
def test_every_character_of_a_name_can_be_seen(name):
    text = csv_of(audit(token(name)))
    assert rows(text)[0]["name"] == UNSEEN[name]
    assert text.replace("\r\n", "").isprintable()


def test_every_cell_is_defused_that_somebody_else_has_written():
    listed = LEDGER._replace(name="=cmd|'/c calc'!A0", link="")
    (row,) = rows(csv_of(audit(token(), listed=listed)))
    assert row["title"].startswith("'=")


def test_unread_owners_have_rows_of_their_own():
    listed, refused, broken = rows(csv_of(audit(token(), unread=(REFUSED, BROKEN))))
    assert listed["status"] == "listed"
    assert (refused["status"], refused["findings"], refused["owner"]) == ("unread", "forbidden", "users/admin")
    assert (broken["status"], broken["findings"]) == ("unread", "lost_answer")


def test_ignored_findings_are_named_and_do_not_count():
    rule = {"reference": "*", "reason": "CHG", "until": "2027-01-01"}
    (row,) = rows(csv_of(audit(token("ci", "REPO_ADMIN"), policy={"ignore": [rule]})))
    assert (row["severity"], row["findings"], row["ignored"]) == ("none", "", "administrator")


def junit(*tokens: object, fail_on: str = "high", **how: object) -> ET.Element:
    return ET.fromstring(junit_of(audit(*tokens, **how), fail_on))  # type: ignore[arg-type]


def test_a_test_for_each_token_in_a_suite_for_each_owner():
    root = junit(token("bad", "REPO_ADMIN", expires=None), token("good", token_id="2"))
    assert [suite.get("name") for suite in root] == ["projects/PAY"]
    bad, good = root[0]
    assert (bad.get("name"), good.get("name")) == ("bad (012345678901)", "good (2)")
    failure = bad.find("failure")
    assert failure is not None
    assert failure.get("message") == "administrator (high)"
    assert bad.findtext("system-out") == "medium: never_expires: it has no expiry"
    assert len(good) == 0
    assert root.attrib == {"name": "token_audit", "tests": "2", "failures": "1", "errors": "0", "skipped": "0"}
    assert root[0].get("failures") == "1"


@pytest.mark.parametrize(
    ("fail_on", "failures"), [("none", 0), ("critical", 0), ("high", 1), ("medium", 2), ("low", 2), ("info", 2)]
)
def test_a_failed_test_is_a_finding_that_fails_the_run(fail_on, failures):
    root = junit(
        token("a", "REPO_ADMIN"), token("b", expires=None, token_id="2"), token("c", token_id="3"), fail_on=fail_on
    )
    assert root.get("failures") == str(failures)
    assert len(root.findall(".//failure")) == failures


def test_unread_owners_are_skipped_where_they_refuse_and_errors_otherwise():
    root = junit(token(), unread=(REFUSED, BROKEN))
    suite = root.findall("testsuite")[-1]
    assert [(case.get("name"), case[0].tag) for case in suite] == [
        ("users/admin", "skipped"),
        ("projects/SHOP", "error"),
    ]
    assert (root.get("errors"), root.get("skipped"), root.get("tests")) == ("1", "1", "3")


@pytest.mark.parametrize("name", [*FORMULAS, *AWKWARD, *UNSEEN], ids=ascii)
def test_no_name_breaks_the_xml_or_hides_in_it(name):
    root = junit(token(name, "REPO_ADMIN"), unread=(BROKEN._replace(msg=name),))
    assert root[0][0].get("name") == f"{UNSEEN.get(name, name)} (012345678901)"
    error = root[1][0][0]
    assert error.get("message") == f"lost_answer: {UNSEEN.get(name, name)}"


def test_an_audit_without_any_token_is_well_formed_too():
    root = junit()
    assert root.get("tests") == "0"
    assert csv_of(audit()).strip() == ",".join(COLUMNS)


def test_times_are_those_of_the_token():
    (row,) = rows(csv_of(audit(token(created=NOW - 1, expires=NOW + 1000, last_used=NOW))))
    assert (row["created"], row["expires"], row["last_used"]) == (
        "2026-12-05T08:59:59Z",
        "2026-12-05T09:00:01Z",
        "2026-12-05T09:00:00Z",
    )
