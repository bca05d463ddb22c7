# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit consists of."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils.core._errors import Failure
from ...module_utils.core._model import ListedOwner, Token

#: From harmless to worst. ``none`` switches a finding off.
SEVERITIES = ("none", "info", "low", "medium", "high", "critical")
#: Reasons of owners that refuse the caller or no longer exist. They are reported and do not make an audit incomplete.
EXPECTED = ("forbidden", "not_found")


class Waiver(t.NamedTuple):
    """A rule that leaves findings out. ``until`` is the last millisecond on which it holds."""

    reference: str
    codes: tuple[str, ...]
    reason: str
    until: int
    until_text: str


class Finding(t.NamedTuple):
    """One thing about one token. ``detail`` says what it rests on."""

    code: str
    severity: str
    detail: str
    waiver: Waiver | None = None


class ObservedOwner(t.NamedTuple):
    """The tokens of one owner, and the server's clock when it listed them."""

    listed: ListedOwner
    tokens: tuple[Token, ...]
    now: int | None


class Judged(t.NamedTuple):
    """A token with what was found."""

    listed: ListedOwner
    token: Token
    reference: str
    findings: tuple[Finding, ...]

    @property
    def counted(self) -> list[Finding]:
        """The findings that no rule leaves out."""
        return [finding for finding in self.findings if finding.waiver is None]

    @property
    def severity(self) -> str:
        """Of the worst finding."""
        return worst(finding.severity for finding in self.counted)


@dataclass(frozen=True)
class Observed:
    """What was read. ``now`` is the server's clock at the end, ``None`` if it never sent a usable one."""

    url: str
    owners: tuple[ObservedOwner, ...]
    unread: tuple[Failure, ...]
    notes: tuple[str, ...]

    @property
    def now(self) -> int | None:
        return max((owner.now for owner in self.owners if owner.now is not None), default=None)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing but what the caller may not see."""
        return all(failure.reason in EXPECTED for failure in self.unread)


@dataclass(frozen=True)
class Audit:
    """What was read and judged. ``started`` is the controller's clock, in milliseconds."""

    observed: Observed
    tokens: tuple[Judged, ...]
    notes: tuple[str, ...]
    started: int


def worst(severities: t.Iterable[str]) -> str:
    """The highest of some severities; ``none`` if there are none."""
    return max(severities, key=SEVERITIES.index, default="none")


def at_least(severity: str, limit: str) -> bool:
    """Whether ``severity`` reaches ``limit``, which ``none`` makes impossible."""
    return limit != "none" and SEVERITIES.index(severity) >= SEVERITIES.index(limit)
