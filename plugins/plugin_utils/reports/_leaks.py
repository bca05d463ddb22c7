# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of the playbook revoke_leaked, from what its tasks registered on all hosts."""

from __future__ import annotations

import collections.abc as c
import typing as t

from ._message import failures_in_one

_MOST_NAMED = 100

Data = dict[str, t.Any]
Variables = c.Mapping[str, t.Any]


class _LeakHost:
    """What the tasks registered on one host whose files were searched."""

    def __init__(self, variables: Variables, would: str) -> None:
        found: Variables = variables["revoke_leaked_found"]
        results = (variables.get("revoke_leaked_run") or {}).get("results") or []
        revoked = [result["item"] for result in results if result.get("changed")]
        reissued = _reissued(variables.get("__project_tokens_run") or {}, revoked)
        self.failures = [
            *(f"Not revoked: {result['msg']}" for result in results if "msg" in result),
            *found["left_to_do"],
            *_role_failure(variables.get("revoke_leaked_role_failed")),
        ]
        self.lines = [
            f"{found['files_searched']} files searched, {len(found['access_tokens'])} tokens leaked, {len(revoked)} "
            f"{would}revoked, {len(reissued)} {would}reissued, {len(found['unresolved'])} other secrets, "
            f"{len(found['failures'])} owners not asked",
            *(f"{would}revoked: {token['msg']}" for token in revoked),
            *(f"{would}reissued: {reference}" for reference in reissued),
            *found["summary"],
        ]
        self.outcome: Data = {
            "revoked": revoked,
            "reissued": reissued,
            "left_alone": [token for token in found["access_tokens"] if token["works"] is False],
            "unresolved": found["unresolved"],
            "unread": found["unread"],
            "not_asked": found["failures"],
            "failures": self.failures,
        }


def report_of(hostvars: Variables, hosts: c.Sequence[str], check_mode: bool) -> Data:
    """By host the lines to show, the failures, and these in one message; and the outcome of all hosts."""
    would = "would be " if check_mode else ""
    searched = [name for name in hosts if "access_tokens" in (hostvars[name].get("revoke_leaked_found") or {})]
    made = {name: _LeakHost(hostvars[name], would) for name in searched}
    silent = [f"{name}: its report is missing, see its own failure." for name in hosts if name not in made]
    outcome: Data = {
        "reissued": list(dict.fromkeys(name for host in made.values() for name in host.outcome["reissued"]))
    }
    for key in ("revoked", "left_alone", "unresolved", "unread", "not_asked", "failures"):
        outcome[key] = [entry for host in made.values() for entry in host.outcome[key]]
    return {
        "hosts": {
            name: {
                "lines": host.lines,
                "failures": host.failures,
                "message": failures_in_one(host.failures, _MOST_NAMED),
                "revoked": bool(host.outcome["revoked"]),
            }
            for name, host in made.items()
        },
        "outcome": {**outcome, "failures": [*outcome["failures"], *silent]},
    }


def _reissued(role: Variables, revoked: c.Sequence[Variables]) -> list[str]:
    """The references of tokens that were issued for revoked ones, and delivered.

    The reason is ``secret_revoked``, or ``absent`` if the store had no secret of the token.
    """
    references = {token["reference"] for token in revoked}
    undelivered = {entry["reference"] for entry in role.get("failures") or () if entry.get("reference")}
    issued = [change for change in role.get("changes") or () if change["step"] == "issue"]
    due = [
        item["reference"] for item in issued if item["reason"] == "secret_revoked" or item["reference"] in references
    ]
    return [reference for reference in dict.fromkeys(due) if reference not in undelivered]


def _role_failure(message: t.Any) -> list[str]:
    if message is None:
        return []
    # Up to ansible-core 2.18 the message may be a list.
    text = " ".join(map(str, message)) if isinstance(message, list) else str(message)
    return [f"The role that reissues failed. Run tokensmith.bitbucket.provision once this is fixed: {text}"]
