# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The result of a run in a few lines for people. Pure, and nothing secret."""

from __future__ import annotations

import typing as t

from ..core._text import shortened

#: More changes or failures than this are counted only; the result has all of them.
SHOWN = 40

Result = t.Mapping[str, t.Any]


def lines_of(result: Result, check_mode: bool) -> list[str]:
    """The figures, what was changed (in check mode: what would be), and what failed.

    Every token that needs manual attention is named, however many there are.
    """
    failures = result.get("failures") or ()
    manual = [entry["msg"] for entry in failures if "id" in entry]
    others = [entry["msg"] for entry in failures if "id" not in entry]
    failed = [f"failed: {message}" for message in (*manual, *shortened(others, SHOWN))]
    if "counts" not in result:
        return failed
    would = "would " if check_mode else ""
    changes = [f"{would}{_change(change)}" for change in result["changes"]]
    return [_figures(result["counts"], check_mode), *shortened(changes, SHOWN), *failed]


def _figures(counts: Result, check_mode: bool) -> str:
    done = ", ".join(
        f"{counts[step]} {'would be ' if check_mode else ''}{step}" for step in ("issued", "updated", "revoked")
    )
    return f"{counts['owners']} owners, {counts['tokens']} tokens: {done}, {counts['owners_failed']} owners failed"


def _change(change: Result) -> str:
    # Several tokens that existed before may have the same name.
    token = "" if change["step"] == "issue" else f", token {change['id']}"
    return f"{change['step']} {change['reference']}{token} ({change['reason']})"
