# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an audit to plain data: ``audit.json``, and the figures that a task returns."""

from __future__ import annotations

import collections
import collections.abc as c
import typing as t

from ...module_utils.core._times import iso
from . import _registry
from ._model import SEVERITIES, Audit, Finding, Judged, ObservedOwner, worst
from ._policy import AuditPolicy

#: Of ``audit.json``. Raise it if a program that reads an older version would misunderstand a newer one.
VERSION = 1
Document = dict[str, t.Any]


def document_of(audit: Audit, policy: AuditPolicy) -> Document:
    """Everything that was read and found."""
    observed = audit.observed
    return {
        "version": VERSION,
        "generated": iso(audit.started),
        "server": {"url": observed.url, "time": iso(observed.now)},
        "complete": observed.complete,
        "counts": counts_of(audit),
        "worst": worst(item.severity for item in audit.tokens),
        "policy": policy.plain(),
        "notes": list(audit.notes),
        "unread": [failure._asdict() for failure in observed.unread],
        "owners": [_owner(listing) for listing in sorted(observed.owners, key=lambda item: item.listed.owner.path)],
        "tokens": [_token(item) for item in audit.tokens],
    }


def counts_of(audit: Audit) -> Document:
    """The figures; what a rule leaves out counts as ``ignored`` only."""
    findings = [finding for item in audit.tokens for finding in item.findings]
    by_code = collections.Counter(finding.code for finding in findings if finding.waiver is None)
    by_severity = collections.Counter(item.severity for item in audit.tokens)
    return {
        "owners": len(audit.observed.owners),
        "unread": len(audit.observed.unread),
        "tokens": len(audit.tokens),
        "tokens_with_findings": len(audit.tokens) - by_severity["none"],
        "ignored": sum(finding.waiver is not None for finding in findings),
        "findings": {code: by_code[code] for code in _registry.codes()},
        "severities": {severity: by_severity[severity] for severity in SEVERITIES[:0:-1]},
    }


def kind_of(item: ObservedOwner | Judged) -> str:
    """``project``, ``repository`` or ``user``."""
    owner = item.listed.owner
    return "user" if owner.user else "repository" if owner.repository else "project"


def _owner(listing: ObservedOwner) -> Document:
    listed = listing.listed
    return {
        "owner": listed.owner.path,
        "kind": kind_of(listing),
        "title": listed.title,
        "link": listed.link or None,
        "inactive": listed.inactive or None,
        "tokens": len(listing.tokens),
        "clock": listing.now is not None,
    }


def _token(item: Judged) -> Document:
    token = item.token
    return {
        "reference": item.reference,
        "owner": item.listed.owner.path,
        "id": token.id,
        "name": token.name,
        "permissions": token.permissions.names,
        "created": iso(token.created),
        "expires": iso(token.expires),
        "last_used": iso(token.last_used),
        "severity": item.severity,
        "findings": [finding_of(finding) for finding in item.counted],
        "ignored": [_ignored(finding) for finding in item.findings if finding.waiver is not None],
    }


def finding_of(finding: Finding) -> Document:
    """A finding as data."""
    return {"code": finding.code, "severity": finding.severity, "detail": finding.detail}


def _ignored(finding: Finding) -> Document:
    waiver = finding.waiver
    rule = {"reason": waiver.reason, "until": waiver.until_text} if waiver else {}
    return {**finding_of(finding), **rule}


class Fingerprint(t.NamedTuple):
    """What makes one audit another: tokens, findings and unreadable owners, whatever the time."""

    tokens: frozenset[tuple[str, str]]
    findings: frozenset[tuple[str, str, str, str]]
    unread: frozenset[tuple[str, str]]


def fingerprint_of(document: t.Any) -> Fingerprint | None:
    """The fingerprint of an ``audit.json``; ``None`` if this version cannot read it."""
    try:
        if document["version"] != VERSION:
            return None
        tokens = document["tokens"]
        return Fingerprint(
            frozenset((item["reference"], item["id"]) for item in tokens),
            frozenset(found for item in tokens for found in _found(item)),
            frozenset((item["owner"], item["reason"]) for item in document["unread"]),
        )
    except (KeyError, TypeError):
        return None


def _found(item: c.Mapping[str, t.Any]) -> c.Iterator[tuple[str, str, str, str]]:
    for finding in item["findings"]:
        yield finding["severity"], finding["code"], item["reference"], item["id"]
