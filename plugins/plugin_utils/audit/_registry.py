# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every finding that there is. Add one to ``REGISTRY``; the tests name the files that list findings and lack it."""

from __future__ import annotations

import collections.abc as c
import typing as t

from ...module_utils.core._model import ARCHIVED, DAY, ListedOwner, Token, expires_within
from ...module_utils.core._times import iso
from ...module_utils.tokens._spec import TokenSpec


class Case(t.NamedTuple):
    """Everything that a check may use. ``days`` are the policy's thresholds; ``specs`` is ``None`` for an owner that no
    declaration names.
    """

    listed: ListedOwner
    token: Token
    now: int | None
    days: c.Mapping[str, int]
    namesakes: int
    specs: list[TokenSpec] | None

    @property
    def namesake_specs(self) -> list[TokenSpec]:
        """The declared tokens with the name of this one."""
        return [spec for spec in self.specs or () if spec.name == self.token.name.strip()]


class FindingKind(t.NamedTuple):
    """One kind of finding.

    :param severity: the default severity.
    :param title: the label in the report.
    :param meaning: the condition, for tables; ``{expiring_days}`` stands for the option and its default.
    :param advice: what to do about it.
    :param check: returns the reason why a token has this finding, or ``None``.
    :param days: the policy's options that the check uses, with their defaults.
    """

    code: str
    severity: str
    title: str
    meaning: str
    advice: str
    check: c.Callable[[Case], str | None]
    days: c.Mapping[str, int] = {}


def _expired(case: Case) -> str | None:
    return f"since {iso(case.token.expires)}" if case.token.expired(case.now) else None


def _expiring(case: Case) -> str | None:
    expires = case.token.expires
    return f"on {iso(expires)}" if expires_within(expires, case.now, case.days["expiring_days"]) else None


def _never_expires(case: Case) -> str | None:
    return "it has no expiry" if case.token.expires is None else None


def _never_used(case: Case) -> str | None:
    token = case.token
    if case.now is None or token.last_used is not None:
        return None
    if token.created > case.now - case.days["never_used_days"] * DAY:
        return None
    # A use that Bitbucket did not record looks the same.
    return f"no use recorded since {iso(token.created)}, when it was created"


def _unused(case: Case) -> str | None:
    used = case.token.last_used
    if case.now is None or used is None or used > case.now - case.days["unused_days"] * DAY:
        return None
    return f"last use recorded on {iso(used)}"


def _administrator(case: Case) -> str | None:
    names = [name for name in case.token.permissions.names if name.endswith("_ADMIN")]
    return ", ".join(names) or None


def _wider(case: Case) -> str | None:
    declared = [spec.permissions for spec in case.namesake_specs if spec.permissions is not None]
    if not declared or not all(case.token.permissions.exceeds(permissions) for permissions in declared):
        return None
    return f"declared: {', '.join(declared[-1].names)}"


def _undeclared(case: Case) -> str | None:
    if case.specs is None:
        return None
    namesakes = case.namesake_specs
    if not namesakes:
        return "no token of this name is declared here"
    return "declared as absent" if all(spec.absent for spec in namesakes) else None


def _duplicate(case: Case) -> str | None:
    if case.namesakes < 2 or case.token.expired(case.now):
        return None
    return f"{case.namesakes} of this name. To revoke this one: {case.listed.owner.revocation(case.token.id)}"


def _inactive(case: Case) -> str | None:
    if not case.listed.inactive:
        return None
    return "the repository is archived" if case.listed.inactive == ARCHIVED else "the user is deactivated"


#: In the order in which reports list them. Only the number of a finding in a report depends on its place here.
REGISTRY = (
    FindingKind("expired", "low", "Expired", "it has expired and is still listed", "Revoke it.", _expired),
    FindingKind(
        "expiring",
        "medium",
        "Expiring soon",
        "it expires within {expiring_days}",
        "Replace it in time, or declare it so that it is rotated.",
        _expiring,
        {"expiring_days": 30},
    ),
    FindingKind(
        "never_expires",
        "medium",
        "Never expires",
        "it has no expiry",
        "Replace it by one that expires.",
        _never_expires,
    ),
    FindingKind(
        "never_used",
        "low",
        "Never used",
        "no use is recorded, and it is at least {never_used_days} old",
        "Ask its owner, then revoke it.",
        _never_used,
        {"never_used_days": 30},
    ),
    FindingKind(
        "unused",
        "medium",
        "Unused",
        "its last recorded use is at least {unused_days} ago",
        "Ask its owner, then revoke it.",
        _unused,
        {"unused_days": 90},
    ),
    FindingKind(
        "administrator",
        "high",
        "Administrator",
        "it has a permission to administer, such as `PROJECT_ADMIN`",
        "Lower its permissions unless it must administer.",
        _administrator,
    ),
    FindingKind(
        "wider_than_declared",
        "high",
        "Wider than declared",
        "it has more permissions than the declared token of its name",
        "Run `project_tokens`, or declare the permissions that it needs.",
        _wider,
    ),
    FindingKind(
        "undeclared",
        "medium",
        "Undeclared",
        "no token of its name is declared for its owner",
        "Declare it, or revoke it.",
        _undeclared,
    ),
    FindingKind(
        "duplicate_name",
        "low",
        "Duplicate name",
        "its owner has another live token of that name, as during the grace period of a rotation",
        "Revoke those that nothing uses.",
        _duplicate,
    ),
    FindingKind(
        "owner_inactive",
        "high",
        "Owner inactive",
        "its repository is archived, or its user is deactivated",
        "Revoke it.",
        _inactive,
    ),
)


def codes() -> list[str]:
    """The codes of all findings, in the order of reports."""
    return [kind.code for kind in REGISTRY]


def default_severities() -> dict[str, str]:
    """Severities by code."""
    return {kind.code: kind.severity for kind in REGISTRY}


def default_days() -> dict[str, int]:
    """Thresholds in days, by the policy's option."""
    return {option: days for kind in REGISTRY for option, days in kind.days.items()}
