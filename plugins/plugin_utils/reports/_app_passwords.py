# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of the playbook retire_app_passwords, from what its tasks registered on all hosts."""

from __future__ import annotations

import collections.abc as c
import typing as t

from ...module_utils.core import _text
from ._message import failures_in_one

_PREFIX = "retire_app_passwords_"
_COLUMNS = [
    *("inventory_hostname", "action", "file", "line", "format", "host", "user", "kind", "fingerprint", "dead"),
    "problem",
]
#: How the script that tries a login with git ends: it worked, or it could not be tried.
_WORKS, _NOT_TRIED = 0, 3
_MOST_NAMED = 10

Result = dict[str, t.Any]
Variables = c.Mapping[str, t.Any]


class _Host:
    """What the tasks registered on one host that was searched."""

    def __init__(self, name: str, variables: Variables, would: str) -> None:
        self._name = name
        self._variables = variables
        replacing = self._results("replacing")
        replaced, removed = _unique(_all(replacing, "changes")), self._registered("removing").get("changes") or []
        found, left = self._registered("found"), self._registered("left")
        gone = [*replaced, *removed]
        after = left.get("findings", [entry for entry in found["findings"] if entry not in gone])
        given = variables.get(f"{_PREFIX}given") or ()
        new = [entry for entry in after if entry["fingerprint"] in given]
        tried = [result for result in self._results("tried") if "rc" in result]
        self.findings = [
            *self._named(replaced, action=f"{would}replaced"),
            *self._named(removed, action=f"{would}removed"),
            *self._named((entry for entry in after if entry not in new), action="found"),
        ]
        self.unread = self._named(entry for entry in found["not_searched"] if entry["reason"] != "missing")
        known = [_finding(result) for result in tried if result["rc"] != _NOT_TRIED]
        self.not_tried = self._named(entry for entry in new if replaced and entry not in known)
        refused = [_finding(result)["file"] for result in tried if result["rc"] not in (_WORKS, _NOT_TRIED)]
        messages = [
            *(result["msg"] for result in (*replacing, self._registered("removing"), left) if "msg" in result),
            *(f"{file}: has the new token, but git can not list a repository with it" for file in refused),
            *([variables[f"{_PREFIX}trouble"]] if f"{_PREFIX}trouble" in variables else []),
        ]
        self.failures = [f"{name}: {message}" for message in messages]

    def _registered(self, name: str) -> Variables:
        return self._variables.get(f"{_PREFIX}{name}") or {}

    def _results(self, name: str) -> list[Variables]:
        return list(self._registered(name).get("results") or ())

    def _named(self, entries: c.Iterable[Variables], **more: str) -> list[Result]:
        # In a finding, `host` is what the secret is for.
        return [{**entry, **more, "inventory_hostname": self._name} for entry in entries]


def report_of(hostvars: Variables, hosts: c.Sequence[str], check_mode: bool) -> Result:
    """The report of all hosts, its CSV, and sentences about it."""
    would = "would be " if check_mode else ""
    registered = {name: hostvars[name].get(f"{_PREFIX}found") or {} for name in hosts}
    searched = [_Host(name, hostvars[name], would) for name in hosts if "findings" in registered[name]]
    silent = [name for name in hosts if "findings" not in registered[name]]
    lost = [f"{name}: not searched. {registered[name].get('msg', 'Its failure is shown above.')}" for name in silent]
    findings = [entry for host in searched for entry in host.findings]
    report: Result = {
        "findings": findings,
        "hosts_not_searched": silent,
        "unread": [entry for host in searched for entry in host.unread],
        "not_tried": [entry for host in searched for entry in host.not_tried],
        "failures": [*lost, *(message for host in searched for message in host.failures)],
    }
    counts = _counts(report, len(searched), would)
    texts = {"summary": _summary(counts, would), "message": failures_in_one(report["failures"], _MOST_NAMED)}
    return {"report": {"counts": counts, **report}, "csv": _text.csv_of(_COLUMNS, findings), **texts}


def _counts(report: Result, searched: int, would: str) -> Result:
    actions = [entry["action"] for entry in report["findings"]]
    dead = [entry for entry in report["findings"] if entry["dead"] is True and entry["action"] == "found"]
    return {
        "hosts": searched,
        "hosts_not_searched": len(report["hosts_not_searched"]),
        "findings": len(actions),
        "dead_left": len(dead),
        "hosts_with_dead_left": len({entry["inventory_hostname"] for entry in dead}),
        "replaced": actions.count(f"{would}replaced"),
        "removed": actions.count(f"{would}removed"),
        "unread": len(report["unread"]),
        "not_tried": len(report["not_tried"]),
    }


def _summary(counts: Result, would: str) -> str:
    return (
        f"{counts['findings']} secrets found on {counts['hosts']} hosts, {counts['replaced']} {would}replaced, "
        f"{counts['removed']} {would}removed, {counts['dead_left']} dead ones left; "
        f"{counts['unread']} places not read, {counts['not_tried']} new logins not tried."
    )


def _all(results: c.Iterable[Variables], key: str) -> list[Result]:
    return [entry for result in results for entry in result.get(key) or ()]


def _unique(entries: c.Iterable[Result]) -> list[Result]:
    found: list[Result] = []
    for entry in entries:
        if entry not in found:
            found.append(entry)
    return found


def _finding(result: Variables) -> Result:
    """The finding that a login was tried for; in between was a loop over the owners of files."""
    return t.cast("Result", result["item"]["item"])
