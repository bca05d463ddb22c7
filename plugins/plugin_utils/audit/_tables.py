# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files for other programs: ``audit.csv`` for spreadsheets, ``audit.junit.xml`` for continuous integration."""

from __future__ import annotations

import collections.abc as c
import itertools
import xml.etree.ElementTree as ET

from ...module_utils.core import _text
from ...module_utils.core._times import iso
from ._document import kind_of
from ._model import EXPECTED, Audit, Finding, Judged, at_least

COLUMNS = (
    "status",
    "severity",
    "findings",
    "reference",
    "kind",
    "owner",
    "title",
    "name",
    "id",
    "permissions",
    "created",
    "expires",
    "last_used",
    "details",
    "ignored",
    "link",
)


def csv_of(audit: Audit) -> str:
    """One row for each token, and one for each owner that could not be read."""
    unread = [
        {"status": "unread", "findings": failure.reason, "owner": failure.owner, "details": failure.msg}
        for failure in audit.observed.unread
    ]
    return _text.csv_of(COLUMNS, [*map(_row, audit.tokens), *unread])


def _row(item: Judged) -> dict[str, str]:
    token, listed = item.token, item.listed
    return {
        "status": "listed",
        "severity": item.severity,
        "findings": " ".join(finding.code for finding in item.counted),
        "reference": item.reference,
        "kind": kind_of(item),
        "owner": listed.owner.path,
        "title": listed.title,
        "name": token.name,
        "id": token.id,
        "permissions": " ".join(token.permissions.names),
        "created": iso(token.created) or "",
        "expires": iso(token.expires) or "",
        "last_used": iso(token.last_used) or "",
        "details": "; ".join(f"{finding.code}: {finding.detail}" for finding in item.counted),
        "ignored": " ".join(finding.code for finding in item.findings if finding.waiver is not None),
        "link": listed.link,
    }


def junit_of(audit: Audit, fail_on: str) -> str:
    """One test suite for each owner, one test for each token; a failure is a finding that ``fail_on`` names, or worse.

    An owner that was refused, or is gone, is a skipped test, and any other that could not be read an error.
    """
    root = ET.Element("testsuites", name="token_audit")
    for owner, items in itertools.groupby(
        sorted(audit.tokens, key=lambda item: item.listed.owner.path), key=lambda item: item.listed.owner.path
    ):
        suite = ET.SubElement(root, "testsuite", name=_xml(owner))
        for item in items:
            _test(suite, item, fail_on)
        _total(suite)
    if audit.observed.unread:
        suite = ET.SubElement(root, "testsuite", name="unread owners")
        for failure in audit.observed.unread:
            case = ET.SubElement(suite, "testcase", classname="unread", name=_xml(failure.owner), time="0")
            kind = "skipped" if failure.reason in EXPECTED else "error"
            ET.SubElement(case, kind, message=_xml(f"{failure.reason}: {failure.msg}"))
        _total(suite)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False).join(
        ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n")
    )


def _test(suite: ET.Element, item: Judged, fail_on: str) -> None:
    name = f"{item.token.name} ({item.token.id})"
    case = ET.SubElement(suite, "testcase", classname=_xml(item.listed.owner.path), name=_xml(name), time="0")
    failing = [finding for finding in item.counted if at_least(finding.severity, fail_on)]
    if failing:
        message = ", ".join(f"{finding.code} ({finding.severity})" for finding in failing)
        failure = ET.SubElement(case, "failure", type=failing[0].code, message=_xml(message))
        failure.text = "\n".join(map(_line, failing))
    rest = [finding for finding in item.counted if finding not in failing]
    if rest:
        ET.SubElement(case, "system-out").text = "\n".join(map(_line, rest))


def _total(suite: ET.Element) -> None:
    kinds: c.Mapping[str, str] = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    suite.set("tests", str(len(suite)))
    for name, kind in kinds.items():
        suite.set(name, str(sum(case.find(kind) is not None for case in suite)))


def _line(finding: Finding) -> str:
    return _xml(f"{finding.severity}: {finding.code}: {finding.detail}")


def _xml(text: str) -> str:
    """One line of text in which every character is visible, and so one that XML can hold."""
    return _text.visible(text)
