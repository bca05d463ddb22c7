# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of an audit in a few lines for people."""

from __future__ import annotations

import collections.abc as c
import typing as t

from ...module_utils.core._text import shortened

#: More findings or unread owners than this are counted only; the files have all of them.
SHOWN = 20


def lines_of(result: c.Mapping[str, t.Any], check_mode: bool) -> list[str]:
    """The figures, the notes, the worst findings, the unread owners, and the path of the report."""
    counts, severities = result["counts"], result["counts"]["severities"]
    # The result has the worst findings only.
    left = sum(counts["findings"].values()) - SHOWN
    report = result["files"].get("html")
    return [
        f"{counts['owners']} owners, {counts['tokens']} tokens: {counts['tokens_with_findings']} with findings, "
        f"{severities['critical']} critical, {severities['high']} high, {counts['unread']} owners not read",
        *result["notes"],
        *map(_finding, result["findings"][:SHOWN]),
        *([f"and {left:,} more findings"] if left > 0 else []),
        *shortened(
            [f"not read: {entry['owner']} ({entry['reason']})" for entry in result["unread"]],
            SHOWN,
            "more owners not read",
        ),
        *([f"report{' would be' if check_mode else ''}: {report}"] if report else []),
    ]


def _finding(item: c.Mapping[str, t.Any]) -> str:
    return f"{item['severity']}: {item['reference']}, token {item['id']}: {item['code']} ({item['detail']})"
