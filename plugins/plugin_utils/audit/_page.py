# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``audit.html``: one file that needs no network and lets nothing in that Bitbucket sent but as text."""

from __future__ import annotations

import base64
import collections.abc as c
import hashlib
import html
import typing as t
from pathlib import Path

from ...module_utils.core._permissions import NAMES
from ...module_utils.core._text import visible, visible_json
from ...module_utils.core._times import iso
from . import _registry
from ._document import counts_of, kind_of
from ._model import SEVERITIES, Audit, Finding, Judged
from ._policy import AuditPolicy

_ASSETS = Path(__file__).with_name("assets")
# What could end the block of data, begin another element, or end a line of a script.
_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def html_of(audit: Audit, policy: AuditPolicy) -> str:
    """The page. Its style and its script are the only ones that its policy lets run."""
    style, script = _asset("report.css"), _asset("report.js")
    parts = {
        "CSP": (
            f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; "
            "form-action 'none'"
        ),
        "STYLE": style,
        "SCRIPT": script,
        "SUMMARY": _summary(audit),
        "DATA": visible_json(_data(audit, policy)).translate(_ESCAPES),
    }
    page = _asset("report.html")
    # Split, not replaced: what one part holds is never taken for the place of another.
    pieces = page.split("{{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, _end, rest = piece.partition("}}")
        filled += [parts[name], rest]
    return "".join(filled)


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _summary(audit: Audit) -> str:
    """The text for browsers that run no script."""
    counts = counts_of(audit)
    lines = [f"{counts['tokens']:,} tokens of {counts['owners']:,} owners, {counts['unread']:,} owners not read"]
    lines += [f"{code}: {count:,}" for code, count in counts["findings"].items() if count]
    lines += [f"not read: {failure.owner}: {failure.msg}" for failure in audit.observed.unread[:100]]
    lines += audit.notes
    return "\n".join(f"<li>{html.escape(visible(line))}</li>" for line in lines)


class _Index:
    """Values that repeat, each kept once and named by its place."""

    def __init__(self) -> None:
        self._places: dict[t.Any, int] = {}

    def of(self, value: t.Any) -> int:
        return self._places.setdefault(value, len(self._places))

    @property
    def values(self) -> list[t.Any]:
        return list(self._places)


def _data(audit: Audit, policy: AuditPolicy) -> dict[str, t.Any]:
    """Short rows rather than objects: 20,000 tokens are to load at once."""
    owners, details, reasons, others = _Index(), _Index(), _Index(), _Index()
    described: dict[int, list[t.Any]] = {}
    rows = []
    for item in audit.tokens:
        owner = owners.of(item.listed.owner.path)
        described.setdefault(owner, _owner(item))
        rows.append([owner, *_token(item, others), *_findings(item, details, reasons)])
    observed = audit.observed
    return {
        "server": observed.url,
        "time": iso(observed.now),
        "now": _seconds(observed.now),
        "complete": observed.complete,
        "generated": iso(audit.started),
        "counts": counts_of(audit),
        "findings": [[kind.code, kind.title, kind.advice] for kind in _registry.REGISTRY],
        "severities": SEVERITIES,
        "permissions": NAMES,
        "days": policy.days,
        "notes": audit.notes,
        "unread": [[failure.owner, failure.reason, failure.msg] for failure in observed.unread],
        "owners": [described[number] for number in range(len(described))],
        "others": others.values,
        "details": details.values,
        "reasons": reasons.values,
        "rows": rows,
    }


def _owner(item: Judged) -> list[t.Any]:
    listed = item.listed
    owner = listed.owner
    name = owner.user or (f"{owner.project}/{owner.repository}" if owner.repository else owner.project)
    return [kind_of(item), name, owner.project, listed.title, listed.link, listed.inactive]


def _token(item: Judged, others: _Index) -> list[t.Any]:
    token = item.token
    bits = sum(1 << NAMES.index(name) for name in token.permissions.names if name in NAMES)
    unknown = ", ".join(sorted(token.permissions.others))
    times = [_seconds(moment) for moment in (token.created, token.expires, token.last_used)]
    return [token.id, token.name, bits, others.of(unknown), *times]


def _findings(item: Judged, details: _Index, reasons: _Index) -> list[t.Any]:
    """The findings that count, and those that a rule leaves out, each as numbers."""
    ignored = [
        [*_finding(finding, details), reasons.of(f"{finding.waiver.reason} (until {finding.waiver.until_text})")]
        for finding in item.findings
        if finding.waiver is not None
    ]
    return [[_finding(finding, details) for finding in item.counted], ignored]


def _finding(finding: Finding, details: _Index) -> c.Sequence[int]:
    return [_registry.codes().index(finding.code), SEVERITIES.index(finding.severity), details.of(finding.detail)]


def _seconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds // 1000
