"""The lines for people: the worst first, and how many more there are."""

from __future__ import annotations

import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._summary import SHOWN, lines_of

FINDING = {"severity": "high", "reference": "projects/PAY/tokens/ci", "id": "1", "code": "unused", "detail": "long"}
UNREAD = {"owner": "projects/SHOP", "reason": "lost_answer", "msg": "no answer came."}


def result(findings: int = 0, unread: int = 0, **more: t.Any) -> dict[str, t.Any]:
    counts = {
        "owners": 7,
        "tokens": 9,
        "tokens_with_findings": 3,
        "unread": unread,
        "severities": {"critical": 1, "high": 2},
        "findings": {"unused": findings, "expired": 0},
    }
    # The result has at most 50 findings.
    listed = {"findings": [FINDING] * min(findings, 50), "unread": [UNREAD] * unread}
    return {"counts": counts, "notes": [], "files": {}, **listed, **more}


def test_it_has_figures_notes_findings_unread_owners_and_the_report():
    lines = lines_of(result(1, 1, notes=["A note."], files={"html": "/reports/audit.html"}), False)
    assert lines == [
        "7 owners, 9 tokens: 3 with findings, 1 critical, 2 high, 1 owners not read",
        "A note.",
        "high: projects/PAY/tokens/ci, token 1: unused (long)",
        "not read: projects/SHOP (lost_answer)",
        "report: /reports/audit.html",
    ]


def test_check_mode_says_where_the_report_would_be():
    lines = lines_of(result(files={"html": "/reports/audit.html"}), True)
    assert lines[-1] == "report would be: /reports/audit.html"


def test_of_many_findings_and_unread_owners_the_rest_is_counted():
    lines = lines_of(result(SHOWN + 1234, SHOWN + 3), False)
    assert len(lines) == 1 + (SHOWN + 1) * 2
    assert lines[SHOWN + 1] == "and 1,234 more findings"
    assert lines[-1] == "and 3 more owners not read"
    assert not any(line.startswith("and") for line in lines_of(result(SHOWN, SHOWN), False))
