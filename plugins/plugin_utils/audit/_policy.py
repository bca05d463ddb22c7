# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy: how bad each finding is, from which figure on, and what is left out for now."""

from __future__ import annotations

import collections.abc as c
import difflib
import fnmatch
import typing as t
from dataclasses import dataclass

from ...module_utils._names import name as name_of
from ...module_utils.core._errors import InputError
from ...module_utils.core._model import DAY
from ...module_utils.core._times import from_task, iso
from . import _registry
from ._model import SEVERITIES, Waiver

_LONGEST = 36500


@dataclass(frozen=True)
class AuditPolicy:
    """A checked policy."""

    days: c.Mapping[str, int]
    severities: c.Mapping[str, str]
    waivers: tuple[Waiver, ...]

    def severity(self, code: str, expired: bool) -> str:
        """Of a finding; whatever else is found of a token that has expired is worth a remark only."""
        severity = self.severities[code]
        return "info" if expired and code != "expired" and severity != "none" else severity

    def waiver(self, reference: str, code: str, now: int) -> Waiver | None:
        """The first rule that leaves this finding out."""
        for waiver in self.waivers:
            if code in waiver.codes and now <= waiver.until and fnmatch.fnmatchcase(reference, waiver.reference):
                return waiver
        return None

    def plain(self) -> dict[str, t.Any]:
        """As it is written in YAML."""
        ignore = [
            {"reference": item.reference, "codes": list(item.codes), "reason": item.reason, "until": item.until_text}
            for item in self.waivers
        ]
        return {**self.days, "severities": dict(self.severities), "ignore": ignore}


def policy_of(given: c.Mapping[str, t.Any]) -> AuditPolicy:
    """The default policy with what a task replaces of it.

    :raises InputError: with one sentence that says what cannot be right.
    """
    default_days = _registry.default_days()
    _known("policy", given, (*default_days, "severities", "ignore"))
    severities = given.get("severities") or {}
    if not isinstance(severities, c.Mapping):
        raise InputError("`policy.severities` must be a mapping of findings to severities.")
    _known("policy.severities", severities, _registry.codes())
    for code, severity in severities.items():
        if severity not in SEVERITIES:
            raise InputError(f"`policy.severities.{code}` must be one of {', '.join(SEVERITIES)}.")
    ignore = given.get("ignore") or []
    if not isinstance(ignore, list):
        raise InputError("`policy.ignore` must be a list.")
    merged = {**_registry.default_severities(), **{str(code): str(level) for code, level in severities.items()}}
    days = {name: _days(name, given.get(name, default)) for name, default in default_days.items()}
    return AuditPolicy(days, merged, tuple(map(_waiver, ignore)))


def _days(name: str, value: t.Any) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit()) or int(text) > _LONGEST:
        raise InputError(f"`policy.{name}` must be a number of days, from 0 to {_LONGEST}.")
    return int(text)


def _waiver(entry: t.Any) -> Waiver:
    if not isinstance(entry, c.Mapping):
        raise InputError("Each entry of `policy.ignore` must have `reference`, `reason` and `until`.")
    _known("policy.ignore", entry, ("reference", "codes", "reason", "until"))
    for name in ("reference", "reason", "until"):
        if not str(entry.get(name) or "").strip():
            raise InputError(
                f"An entry of `policy.ignore` has no `{name}`: it needs a `reference` (a glob), a `reason`, and "
                "`until`, the last day on which it applies."
            )
    try:
        reference = name_of(entry["reference"])
    except TypeError as error:
        raise InputError(f"`policy.ignore.reference`: {error}") from None
    known = _registry.codes()
    codes = entry.get("codes") or known
    if not isinstance(codes, (list, tuple)):
        raise InputError("`policy.ignore.codes` must be a list of findings.")
    _known("policy.ignore.codes", codes, known)
    until, text = _until(entry["until"])
    return Waiver(reference, tuple(map(str, codes)), str(entry["reason"]), until, text)


def _until(value: t.Any) -> tuple[int, str]:
    """The last millisecond of a day in UTC, and the day."""
    moment = from_task(value)
    if moment is None:
        raise InputError("`policy.ignore.until` must be a date, such as 2027-03-31.")
    return moment // DAY * DAY + DAY - 1, str(iso(moment))[:10]


def _known(where: str, given: c.Iterable[t.Any], names: c.Sequence[str]) -> None:
    for name in given:
        if name not in names:
            nearest = difflib.get_close_matches(str(name), names, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else f"it knows {', '.join(names)}."
            raise InputError(f"`{where}` has no {str(name)[:40]!r}: {hint}")
